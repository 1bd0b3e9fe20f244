"""Where a push goes, and whether somebody's work is in its way: what git-push and github-push have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.contracts.git import Checkout
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.facts import CommitInfo
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.steps.workspace import is_own_repository


@dataclass(frozen=True, slots=True)
class Target:
    """A branch; `generated`, if it is the promotion's own, whose content is replaced."""

    branch: str
    generated: bool
    force: bool


def target(context: StepContext, checkout: Checkout, config: Mapping[str, Any], step: str) -> Target:
    """What a step's configuration means. Raises UserError."""
    named, own = config.get("targetBranch", ""), own_branch(context, checkout)
    generated = config.get("generateTargetBranch", False) or named == own
    if generated and named not in {"", own}:
        raise UserError(f"{step} is given both `targetBranch` and `generateTargetBranch`; leave one out")
    branch = own if generated else named or checkout.branch
    if not branch:
        raise UserError(
            f"{step} does not know where to: {checkout.path.name} is not on a branch; name a `targetBranch`, "
            "or set `generateTargetBranch`"
        )
    return Target(branch, generated, generated or config.get("force", False))


def own_branch(context: StepContext, checkout: Checkout) -> str:
    """The promotion's own branch in a repository. Elsewhere other pipelines may have stages of the same name."""
    if is_own_repository(context, checkout.url):
        return context.promotion.branch
    return f"promotions/{context.repository.name}/{context.promotion.stage}"


def pushed(status: StepStatus, checkout: Checkout, branch: str, commit: CommitSha, message: str = "") -> StepResult:
    """The result of a push."""
    output = {
        "branch": branch,
        "commit": commit,
        "commitURL": f"{page(checkout)}/commit/{commit}",
        "base": checkout.branch,
    }
    return StepResult(status, output, message)


def page(checkout: Checkout) -> str:
    return checkout.url.removesuffix("/").removesuffix(".git")


async def held(context: StepContext, checkout: Checkout, goal: Target) -> tuple[CommitSha | None, CommitInfo | None]:
    """What the branch to be replaced holds, and a person's commit there that is not to be lost.

    Of the promotion branch it is what was seen when the promotion started.
    """
    if not goal.force:
        return None, None
    if not goal.generated or not is_own_repository(context, checkout.url):
        expect = (await context.git.refs(checkout.url)).heads.get(goal.branch)
    else:
        expect = context.promotion.branch_head
    foreign = await _by_others(context, checkout, expect) if goal.generated and expect is not None else None
    return expect, foreign


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


def in_the_way(branch: str, commit: CommitInfo) -> str:
    title = commit.message.partition("\n")[0]
    return (
        f"{branch} holds commit {commit.sha[:7]} ({title!r}) by {commit.author_name}, which is not overwritten. "
        f"Merge the pull request as it is, or move that commit elsewhere and delete {branch}."
    )
