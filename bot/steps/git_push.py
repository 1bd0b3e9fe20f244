"""git-push: bring a checkout's commits to a branch of the remote, and never over a person's."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.git import BranchMoved, Checkout, PushRejected
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.asking import most_attempts
from bot.steps.proposing.publishing import held, in_the_way, page, pushed, target
from bot.steps.shapes import ATTEMPTS, FLAG, MAYBE, NEVER, PROVIDER, TEXT, record, told
from bot.steps.workspace import spot

NAME = "git-push"
HELP = "Push what was committed: to the stage's promotion branch, or on top of a branch you name; or a tag."
SCHEMA: Schema = record(
    "path",
    path=told(TEXT, "A checkout, a folder in one, or a folder that stands for one."),
    targetBranch=told(MAYBE, "The branch to push to; left out: the one that was checked out."),
    generateTargetBranch=told(FLAG, "Push to the stage's promotion branch instead, in place of what was there."),
    tag=told(MAYBE, "Push this tag, which a git-tag step made, and no branch."),
    force=told(FLAG, "Replace what `targetBranch` holds, or move a tag that is elsewhere."),
    maxAttempts=ATTEMPTS,
    provider=PROVIDER,
    insecureSkipTLSVerify=NEVER,
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `branch`, `commit`, `commitURL`, and `base`, the branch it sets out from; of a tag `tag`, `commit` and
    `commitURL`.

    Failed where a person's commit is in the way, or the remote refuses.
    """
    checkout = (await spot(context, config["path"])).checkout
    if config.get("tag"):
        return await _push_tag(context, checkout, config)
    goal = target(context, checkout, config, NAME)
    head = await context.git.head(checkout.path)
    if goal.generated and head == checkout.base:
        return pushed(StepStatus.SKIPPED, checkout, goal.branch, head, "there is no commit to push")
    expect, foreign = await held(context, checkout, goal)
    if foreign is not None:
        return StepResult(StepStatus.FAILED, message=in_the_way(goal.branch, foreign))
    try:
        done = await context.git.push(
            checkout.path, goal.branch, expect=expect, force=goal.force, attempts=most_attempts(config)
        )
    except BranchMoved as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    except PushRejected as error:
        return StepResult(StepStatus.FAILED, message=str(error))
    return pushed(StepStatus.SUCCEEDED, checkout, goal.branch, done.commit)


async def _push_tag(context: StepContext, checkout: Checkout, config: Mapping[str, Any]) -> StepResult:
    if config.get("targetBranch") or config.get("generateTargetBranch"):
        raise UserError("git-push is given a `tag` and a branch; push them by a step each")
    try:
        done = await context.git.push_tag(checkout.path, config["tag"], force=config.get("force", False))
    except PushRejected as error:
        return StepResult(StepStatus.FAILED, message=str(error))
    url = f"{page(checkout)}/commit/{done.commit}"
    return StepResult(StepStatus.SUCCEEDED, {"tag": config["tag"], "commit": done.commit, "commitURL": url})
