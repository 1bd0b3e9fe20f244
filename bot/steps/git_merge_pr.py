"""git-merge-pr: have the promotion's pull request merged, once it may be.

In the pipeline's own repository the step itself merges nothing: it only says that this is wanted, and how. Towpath
merges at a look in which every gate holds at that moment, the same way as for a stage with `merge: auto`; a step has no
such view (DESIGN §3, invariant 2).
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.durations import parse_duration
from bot.errors import UserError
from bot.steps.earlier import latest
from bot.steps.proposing.elsewhere import merge, where_opened
from bot.steps.proposing.pulls import MERGE_METHOD, describe
from bot.steps.shapes import DURATION, FLAG, NEVER, PROVIDER, TEXT, record, told

NAME = "git-merge-pr"
HELP = "Have the promotion's pull request merged once every gate and GitHub allow it, and wait for that."
SCHEMA: Schema = record(
    repoURL=told(TEXT, "The repository; left out: the one that the pull request was opened in."),
    prNumber=told({"type": "integer", "minimum": 1}, "The pull request; left out: the one opened last."),
    mergeMethod=MERGE_METHOD,
    wait=told(FLAG, "False: fail where it has a conflict or is a draft, instead of waiting for somebody to mend that."),
    pollInterval=told(DURATION, "Between two looks, like 30s or 5m: 10s unless given, 1m in another repository."),
    provider=PROVIDER,
    insecureSkipTLSVerify=NEVER,
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `pr` {id, url, open, merged, head}; while it waits, `mergeMethod`; once it is merged `commit`, what it
    landed as."""
    if (url := where_opened(context, config, NAME)) is not None:
        return await merge(context, config, url, NAME)
    opened = latest(context, "pr")
    number = config.get("prNumber") or (opened["id"] if opened else None)
    if number is None:
        return StepResult(StepStatus.SKIPPED, message="no pull request was opened, so there is none to merge")
    pull = await context.github.pull(number)
    if pull.head_branch != context.promotion.branch or pull.head_repository != context.repository.name:
        raise UserError(
            f"#{number} is not the pull request of this promotion, and git-merge-pr merges no other: "
            "it would come past the gates of whatever it is for; leave `prNumber` out"
        )
    output = describe(pull)
    if pull.merged:
        return StepResult(StepStatus.SUCCEEDED, {**output, "commit": pull.merge_sha})
    if not pull.open:
        return StepResult(StepStatus.FAILED, output, f"#{number} was closed without being merged")
    hindrance = "is a draft" if pull.draft else "can't be merged: it has a conflict" if pull.mergeable is False else ""
    if hindrance and not config.get("wait", True):
        return StepResult(StepStatus.FAILED, output, f"#{number} {hindrance}")
    wanted = {"mergeMethod": config.get("mergeMethod", "")}
    later = context.clock.now() + parse_duration(config.get("pollInterval", "10s"))
    said = f"#{number} {hindrance}" if hindrance else f"#{number} is merged once every gate holds and GitHub allows it"
    return StepResult(StepStatus.RUNNING, {**output, **wanted}, said, retry_at=later)
