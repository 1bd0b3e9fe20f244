"""git-open-pr: propose what was pushed."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.urls import normalize_git
from bot.errors import UserError
from bot.steps.earlier import output_of
from bot.steps.proposing.elsewhere import other_repository, propose
from bot.steps.proposing.people import PEOPLE, own_teams, people
from bot.steps.proposing.pulls import MERGE_METHOD, describe
from bot.steps.shapes import FLAG, NEVER, PROVIDER, TEXT, TEXTS, record, told

NAME = "git-open-pr"
HELP = "Open the promotion's pull request, or bring the open one up to date; on GitLab, too."
SCHEMA: Schema = record(
    repoURL=told(TEXT, "The repository; left out: the one the pipeline lives in."),
    sourceBranch=told(TEXT, "The branch to propose; left out: the one pushed last."),
    sourceBranchFromStep=told(TEXT, "The git-push step whose branch it is (deprecated: `sourceBranch`)."),
    targetBranch=told(TEXT, "The branch it is for; left out: the one the checkout is of, else the default branch."),
    title=told(TEXT, "Left out: what is promoted where."),
    description=told(TEXT, "Stands above what Towpath says of the promotion."),
    labels=TEXTS,
    reviewers=told(PEOPLE, "Who is asked for a review: logins and @organisation/team."),
    assignees=told(TEXTS, "The logins of who is assigned; at most ten."),
    draft=told(FLAG, "Open it as a draft, which nobody merges before somebody says it is ready."),
    autoMerge=told(FLAG, "Merge it by itself once every gate and GitHub allow it, as a stage with `merge: auto` does."),
    mergeMethod=MERGE_METHOD,
    provider=PROVIDER,
    createTargetBranch=told(FLAG, "Has no meaning any more (deprecated)."),
    insecureSkipTLSVerify=NEVER,
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `pr` {id, url, open, merged, head}, and the deprecated `prNumber`. Skipped where there is nothing to
    propose."""
    other = other_repository(context, config)
    push = _push(context, config, other or context.repository.url)
    if other is not None:
        return await propose(context, config, other, push)
    url = context.repository.url
    source = push["branch"]
    target = config.get("targetBranch") or push.get("base") or context.repository.default_branch
    if source == target:
        raise UserError(f"git-open-pr would propose {source} to itself; push to another branch, or name another target")
    if not push.get("commit"):
        await context.git.refs(url)  # pushed by somebody else: the mirror may not know the branch yet
    if not await context.git.log(url, push.get("commit") or source, not_in=target, limit=1):
        return StepResult(StepStatus.SKIPPED, message=f"{source} holds nothing that {target} does not")
    title, body = await context.describe_pull(
        title=config.get("title", ""),
        description=config.get("description", ""),
        head=push.get("commit") or source,
        target=target,
    )
    reviewers = people(config.get("reviewers", ()))
    teams = own_teams(reviewers, context.github, "reviewers") if reviewers.teams else ()
    pull = await context.github.create_pull(source, target, title, body, draft=config.get("draft", False))
    if labels := config.get("labels"):
        await context.github.add_labels(pull.number, labels)
    if assignees := people(config.get("assignees", ())).logins:
        await context.github.reviewing.assign(pull.number, assignees)
    if reviewers:
        await context.github.reviewing.request(pull.number, reviewers.logins, teams)
    return StepResult(StepStatus.SUCCEEDED, describe(pull))


def _push(context: StepContext, config: Mapping[str, Any], url: str) -> Mapping[str, Any]:
    """The output of the push, to this repository, whose branch is proposed; `branch` alone where no step pushed it."""
    pushes = [
        output
        for output in context.outputs.values()
        if output.get("branch") and output.get("commit") and _is_of(output, url)
    ]
    if name := config.get("sourceBranchFromStep"):
        push = output_of(context, name, NAME)
        if not push.get("branch"):
            raise UserError(f"the step {name!r} pushed no branch; name a git-push step in `sourceBranchFromStep`")
        return push
    if branch := config.get("sourceBranch"):
        return next((push for push in reversed(pushes) if push["branch"] == branch), {"branch": branch})
    if not pushes:
        raise UserError("git-open-pr has nothing to propose; put a git-push step before it, or name a `sourceBranch`")
    return pushes[-1]


def _is_of(push: Mapping[str, Any], url: str) -> bool:
    page = str(push.get("commitURL", "")).partition("/commit/")[0]
    return normalize_git(page) == normalize_git(url.removesuffix("/").removesuffix(".git"))
