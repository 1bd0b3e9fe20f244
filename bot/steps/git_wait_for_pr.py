"""git-wait-for-pr: wait until people, or Towpath, have merged the pull request."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.earlier import latest, output_of
from bot.steps.proposing.elsewhere import wait, where_opened
from bot.steps.proposing.pulls import describe
from bot.steps.shapes import DURATION, NEVER, PROVIDER, TEXT, record, told

NAME = "git-wait-for-pr"
HELP = "Wait until the pull request is merged; one closed without merging fails the promotion."
SCHEMA: Schema = record(
    repoURL=told(TEXT, "The repository; left out: the one that the pull request was opened in."),
    prNumber=told({"type": "integer", "minimum": 1}, "The pull request; left out: the one opened last."),
    prNumberFromStep=told(TEXT, "The git-open-pr step that opened it (deprecated: `prNumber`)."),
    provider=PROVIDER,
    pollInterval=told(DURATION, "Between two looks at another repository: 1m unless given. Of its own GitHub tells."),
    insecureSkipTLSVerify=NEVER,
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `pr` {id, url, open, merged, head}, and once it is merged `commit`, what it landed as."""
    if (url := where_opened(context, config, NAME)) is not None:
        return await wait(context, config, url, NAME)
    number = config.get("prNumber") or _number(context, config)
    if number is None:
        return StepResult(StepStatus.SKIPPED, message="no pull request was opened, so there is none to wait for")
    pull = await context.github.pull(number)
    output = describe(pull)
    if pull.merged:
        return StepResult(StepStatus.SUCCEEDED, {**output, "commit": pull.merge_sha})
    if pull.open:
        return StepResult(StepStatus.RUNNING, output, f"#{number} waits to be merged")
    return StepResult(StepStatus.FAILED, output, f"#{number} was closed without being merged")


def _number(context: StepContext, config: Mapping[str, Any]) -> int | None:
    if alias := config.get("prNumberFromStep"):
        output = output_of(context, alias, NAME)
        number = output.get("prNumber") or (output.get("pr") or {}).get("id")
        if output and number is None:
            raise UserError(f"the step {alias!r} opened no pull request; name a git-open-pr step in `prNumberFromStep`")
        return number
    opened = latest(context, "pr")
    return opened["id"] if opened else None
