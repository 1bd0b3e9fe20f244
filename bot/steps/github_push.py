"""github-push: as git-push, but by commits that GitHub itself makes and signs, so that it shows them as Verified.

The local commits are sent to a staging ref, so that GitHub has their content; each is made anew from that through
GitHub's API, in the App's name; and the branch is pushed to the last of them, with the same care as git-push.
https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts.git import BranchMoved, Checkout, LocalCommit, PushRejected
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.steps.asking import most_attempts
from bot.steps.proposing.publishing import Target, held, in_the_way, pushed, target
from bot.steps.shapes import ATTEMPTS, FLAG, MAYBE, NEVER, TEXT, record, told
from bot.steps.workspace import is_own_repository, spot

NAME = "github-push"
HELP = "Push as git-push does, by commits that GitHub makes and signs in the App's name (`Verified`)."
SCHEMA: Schema = record(
    "path",
    path=told(TEXT, "A checkout, a folder in one, or a folder that stands for one."),
    targetBranch=told(MAYBE, "The branch to push to; left out: the one that was checked out."),
    generateTargetBranch=told(FLAG, "Push to the stage's promotion branch instead, in place of what was there."),
    force=told(FLAG, "Replace what `targetBranch` holds."),
    maxAttempts=ATTEMPTS,
    insecureSkipTLSVerify=NEVER,
)
_MOST_COMMITS = 10


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `branch`, `commit`, `commitURL`, and `base`, the branch it sets out from.

    Failed where a person's commit is in the way, or the remote refuses.
    """
    checkout = (await spot(context, config["path"])).checkout
    if not is_own_repository(context, checkout.url):
        raise UserError(
            f"github-push makes commits in {context.repository.url} only, not in {checkout.url}; use git-push there"
        )
    goal = target(context, checkout, config, NAME)
    head = await context.git.head(checkout.path)
    if head == checkout.base:
        return pushed(StepStatus.SKIPPED, checkout, goal.branch, head, "there is no commit to push")
    expect, foreign = await held(context, checkout, goal)
    if foreign is not None:
        return StepResult(StepStatus.FAILED, message=in_the_way(goal.branch, foreign))
    try:
        commit = await _push(context, checkout, goal, expect, most_attempts(config))
    except BranchMoved as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    except PushRejected as error:
        return StepResult(StepStatus.FAILED, message=str(error))
    return pushed(StepStatus.SUCCEEDED, checkout, goal.branch, commit)


async def _push(
    context: StepContext, checkout: Checkout, goal: Target, expect: CommitSha | None, attempts: int
) -> CommitSha:
    """Where the branch then is. A moved branch is taken as the new ground, and all of it done again."""
    onto = checkout.base
    for attempt in range(1, attempts + 1):
        await _make_anew(context, checkout, onto)
        try:
            done = await context.git.push(checkout.path, goal.branch, expect=expect, force=goal.force, attempts=1)
        except BranchMoved:
            if goal.force or attempt == attempts:
                raise
            onto = await context.git.put_on_top(checkout.path, goal.branch)
        else:
            return done.commit
    raise BranchMoved(f"{goal.branch} could not be pushed in {attempts} attempts")


async def _make_anew(context: StepContext, checkout: Checkout, onto: CommitSha) -> None:
    """Exchange the commits on top of `onto` for GitHub's own of the same content."""
    commits = await context.git.local_commits(checkout.path, onto)
    if len(commits) > _MOST_COMMITS:
        raise UserError(
            f"github-push makes at most {_MOST_COMMITS} commits anew, and there are {len(commits)}; "
            "commit less often, or use git-push"
        )
    staging = context.promotion.id
    await context.git.stage(checkout.path, staging)
    try:
        parent = onto
        for commit in commits:
            parent = await context.github.objects.write_commit(_message(context, commit), commit.tree, [parent])
        await context.git.adopt(checkout.path, parent)
    finally:
        await context.git.unstage(checkout.path, staging)


def _message(context: StepContext, commit: LocalCommit) -> str:
    """GitHub names the App as author; whoever else it was is kept as a co-author.

    https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/creating-a-commit-with-multiple-authors
    """
    author = commit.author
    trailer = f"Co-authored-by: {author.name} <{author.email}>"
    if author.email == context.identity.email or trailer in commit.message:
        return commit.message
    last = commit.message.rpartition("\n\n")[2].splitlines()
    has_trailers = "\n\n" in commit.message and all(": " in line for line in last)
    return f"{commit.message}{chr(10) if has_trailers else chr(10) * 2}{trailer}"
