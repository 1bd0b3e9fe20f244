"""The life of a pull request: opened, followed by pushes, tested for mergeability, closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.sandbox.git import merging, reading, writing
from bot.sandbox.git.diffs import Totals, totals
from bot.sandbox.git.process import ZERO
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.accounts import Account
from bot.sandbox.model.issues import Issue, IssueState
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.pulls import PullFacts, part_of, pull_webhook
from bot.sandbox.rules import missing_checks, missing_reviews, unhappy
from bot.sandbox.world import World


async def facts(world: World, issue: Issue, *, start: bool = False) -> PullFacts:
    """What Git says of a pull request now.

    GitHub finds out in the background whether it can be merged; so does this: until the test merge of this
    head and base is done, `mergeable` is None. `start` begins it.
    https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
    """
    pull, repo = part_of(issue), world.repos[issue.repo_id]
    git = world.git(repo)
    key = ("pull facts", repo.id, pull.base_sha, pull.head_sha)
    if key not in world.memo:
        start_of = await reading.merge_base(git, pull.base_sha, pull.head_sha) or reading.EMPTY_TREE
        diff = await totals(git, start_of, pull.head_sha)
        world.memo[key] = (await reading.count(git, f"{pull.base_sha}..{pull.head_sha}"), diff)
    commits, diff = _stored(world.memo[key])
    known = PullFacts(commits, diff.additions, diff.deletions, diff.files)
    tip = await reading.branch(git, pull.base_ref)
    if not issue.is_open or tip is None:
        return known
    tested = ("test merge", repo.id, tip, pull.head_sha)
    if tested not in world.memo:
        if start:
            world.background(_test_merge(world, repo, issue.number, tip, pull.head_sha))
        return known
    merge_sha = world.memo[tested]
    state = await _state(world, issue, tip, mergeable=merge_sha is not None)
    return replace(
        known,
        mergeable=merge_sha is not None,
        mergeable_state=state,
        merge_sha=merge_sha if isinstance(merge_sha, str) else None,
    )


async def announce(world: World, hooks: Hooks, issue: Issue, action: str, sender: Account, **more: Any) -> None:
    """Tell the Apps that something happened to a pull request."""
    payload = {
        "action": action,
        "number": issue.number,
        "pull_request": pull_webhook(world, issue, await facts(world, issue)),
        **more,
    }
    hooks.emit("pull_request", payload, sender=sender, repo=world.repos[issue.repo_id])


async def opened(world: World, hooks: Hooks, issue: Issue, sender: Account) -> Issue:
    """Keep a new pull request, make its head fetchable as `refs/pull/N/head`, and tell."""
    world.issues.put(issue)
    await _publish_head(world, issue)
    await announce(world, hooks, issue, "opened", sender)
    return issue


async def closed(
    world: World, hooks: Hooks, issue: Issue, sender: Account, *, merged_as: str | None = None, tell: bool = True
) -> Issue:
    """Close a pull request, as merged if `merged_as` names the commit that holds it now."""
    now, pull = world.now(), part_of(issue)
    if merged_as is not None:
        pull = replace(pull, merged_at=now, merged_by_id=sender.id, merge_commit_sha=merged_as)
    issue = world.issues.put(
        replace(
            issue,
            state=IssueState.CLOSED,
            closed_at=now,
            updated_at=now,
            closed_by_id=sender.id,
            pull=pull,
        )
    )
    if tell:
        await announce(world, hooks, issue, "closed", sender)
    return issue


async def reopened(world: World, hooks: Hooks, issue: Issue, sender: Account) -> Issue:
    """Open a closed pull request again; whether that may be was asked before."""
    again = replace(issue, state=IssueState.OPEN, closed_at=None, closed_by_id=None, updated_at=world.now())
    world.issues.put(again)
    await announce(world, hooks, again, "reopened", sender)
    return again


async def follow(world: World, hooks: Hooks, repo: Repo, branch: str, before: str, after: str, sender: Account) -> None:
    """Bring the open pull requests from and into `branch` up to date after it moved."""
    for issue in [row for row in world.issues if row.pull and row.is_open]:
        pull = part_of(issue)
        if (pull.head_repo_id, pull.head_ref) == (repo.id, branch) and pull.head_sha != after:
            await _head_moved(world, hooks, issue, before, after, sender)
        elif (issue.repo_id, pull.base_ref) == (repo.id, branch):
            if after == ZERO:
                await closed(world, hooks, issue, sender)
            elif await reading.is_ancestor(world.git(repo), pull.head_sha, after):
                await closed(world, hooks, issue, sender, merged_as=after)


async def _head_moved(world: World, hooks: Hooks, issue: Issue, before: str, after: str, sender: Account) -> None:
    if after == ZERO:
        await closed(world, hooks, issue, sender)
        return
    pull, git = part_of(issue), world.git(world.repos[issue.repo_id])
    base = await reading.branch(git, pull.base_ref) or pull.base_sha
    moved = replace(pull, head_sha=after, base_sha=base)
    issue = world.issues.put(replace(issue, pull=moved, updated_at=world.now()))
    await _publish_head(world, issue)
    if await reading.is_ancestor(git, after, base):  # nothing is left to merge: GitHub closes it
        await closed(world, hooks, issue, sender)
        return
    await announce(world, hooks, issue, "synchronize", sender, before=before, after=after)


async def _publish_head(world: World, issue: Issue) -> None:
    pull, repo = part_of(issue), world.repos[issue.repo_id]
    git, name = world.git(repo), f"refs/pull/{issue.number}/head"
    if pull.head_repo_id != repo.id:
        fork = world.git(world.repos[pull.head_repo_id])
        await git.run("fetch", "--quiet", "--no-tags", "--", str(fork.path), pull.head_sha)
    await writing.set_ref(git, name, pull.head_sha, None)


async def _test_merge(world: World, repo: Repo, number: int, tip: str, head: str) -> None:
    """Merge for trial; the result is fetchable as `refs/pull/N/merge`, as on GitHub."""
    git = world.git(repo)
    result: str | None = None
    try:
        tree = await merging.merged_tree(git, tip, head)
    except merging.Conflict:
        pass
    else:
        who = reading.Person("GitHub", "noreply@github.com", world.now())
        result = await writing.write_commit(git, tree, [tip, head], f"Merge {head} into {tip}", who, who)
        await writing.set_ref(git, f"refs/pull/{number}/merge", result, None)
    world.memo["test merge", repo.id, tip, head] = result


async def _state(world: World, issue: Issue, tip: str, *, mergeable: bool) -> str:
    """`mergeable_state`, whose values GitHub documents under MergeStateStatus.

    https://docs.github.com/en/graphql/reference/enums#mergestatestatus
    """
    pull, repo = part_of(issue), world.repos[issue.repo_id]
    rules = world.protection(repo, pull.base_ref)
    if not mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    if rules is not None:
        if missing_checks(world, repo, rules, pull.head_sha) or missing_reviews(world, rules, issue):
            return "blocked"
        if rules.strict and not await reading.is_ancestor(world.git(repo), tip, pull.head_sha):
            return "behind"
    return "unstable" if unhappy(world, repo, pull.head_sha) else "clean"


def _stored(value: object) -> tuple[int, Totals]:
    match value:
        case (int() as commits, Totals() as diff):
            return commits, diff
    raise TypeError(f"the memo of a pull request holds {value!r}")
