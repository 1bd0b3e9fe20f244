"""git-push: bring a checkout's commits to a branch of the remote, and never over a person's."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.git import BranchMoved, Checkout, PushRejected
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.facts import CommitInfo
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.steps.shapes import FLAG, NEVER, PROVIDER, TEXT, record, told
from bot.steps.workspace import is_own_repository, spot

NAME = "git-push"
HELP = "Push what was committed: to the stage's promotion branch, or on top of a branch you name."
SCHEMA: Schema = record(
    "path",
    path=told(TEXT, "A checkout, a folder in one, or a folder that stands for one."),
    targetBranch=told(TEXT, "The branch to push to; left out: the one that was checked out."),
    generateTargetBranch=told(FLAG, "Push to the stage's promotion branch instead, in place of what was there."),
    force=told(FLAG, "Replace what `targetBranch` holds."),
    maxAttempts=told({"type": "integer", "minimum": 1, "maximum": 100}, "How often to try again on a moved branch."),
    provider=PROVIDER,
    insecureSkipTLSVerify=NEVER,
)
_ATTEMPTS = 10


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `branch`, `commit`, `commitURL`, and `base`, the branch it sets out from.

    Failed where a person's commit is in the way, or the remote refuses.
    """
    checkout = (await spot(context, config["path"])).checkout
    named = config.get("targetBranch", "")
    generated = config.get("generateTargetBranch", False) or named == context.promotion.branch
    if generated and named not in {"", context.promotion.branch}:
        raise UserError("git-push is given both `targetBranch` and `generateTargetBranch`; leave one out")
    branch = context.promotion.branch if generated else named or checkout.branch
    if not branch:
        raise UserError(
            f"git-push does not know where to: {checkout.path.name} is not on a branch; name a `targetBranch`, "
            "or set `generateTargetBranch`"
        )
    head = await context.git.head(checkout.path)
    if generated and head == checkout.base:
        return _result(StepStatus.SKIPPED, checkout, branch, head, "there is no commit to push")
    force = generated or config.get("force", False)
    expect = await _held(context, checkout, branch, generated) if force else None
    if generated and expect is not None and (foreign := await _by_others(context, checkout, expect)):
        return StepResult(StepStatus.FAILED, message=_in_the_way(branch, foreign))
    try:
        pushed = await context.git.push(
            checkout.path, branch, expect=expect, force=force, attempts=config.get("maxAttempts", _ATTEMPTS)
        )
    except BranchMoved as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    except PushRejected as error:
        return StepResult(StepStatus.FAILED, message=str(error))
    return _result(StepStatus.SUCCEEDED, checkout, branch, pushed.commit)


def _result(status: StepStatus, checkout: Checkout, branch: str, commit: CommitSha, message: str = "") -> StepResult:
    page = checkout.url.removesuffix("/").removesuffix(".git")
    output = {"branch": branch, "commit": commit, "commitURL": f"{page}/commit/{commit}", "base": checkout.branch}
    return StepResult(status, output, message)


async def _held(context: StepContext, checkout: Checkout, branch: str, generated: bool) -> CommitSha | None:
    """What the remote branch holds. For the promotion branch it is what was seen when the promotion started."""
    if generated and is_own_repository(context, checkout.url):
        return context.promotion.branch_head
    return (await context.git.refs(checkout.url)).heads.get(branch)


async def _by_others(context: StepContext, checkout: Checkout, head: CommitSha) -> CommitInfo | None:
    """The newest commit on a promotion branch, beyond the branch it is meant for, that is not ours."""
    base = checkout.branch or context.repository.default_branch
    commits = await context.git.log(checkout.url, head, not_in=base, limit=100)
    foreign = next((commit for commit in commits if not commit.is_by(context.identity.email)), None)
    if foreign is None or not is_own_repository(context, checkout.url):
        return foreign
    # Squashed or rebased, a commit is not in `base` although it has landed there; then nothing is lost.
    landed = await context.github.pulls_from(context.promotion.branch)
    return None if any(pull.merged and pull.head_sha == head for pull in landed) else foreign


def _in_the_way(branch: str, commit: CommitInfo) -> str:
    title = commit.message.partition("\n")[0]
    return (
        f"{branch} holds commit {commit.sha[:7]} ({title!r}) by {commit.author_name}, which is not overwritten. "
        f"Merge the pull request as it is, or move that commit elsewhere and delete {branch}."
    )
