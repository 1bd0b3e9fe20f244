"""Merging a pull request in GitHub's three ways, after everything that may stand against it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox import pulls, pushes
from bot.sandbox.git import merging, reading, writing
from bot.sandbox.git.process import GitRepo
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.accounts import Account
from bot.sandbox.model.issues import Issue
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.commits import person
from bot.sandbox.payloads.pulls import part_of
from bot.sandbox.rules import missing_checks, missing_reviews
from bot.sandbox.world import World


class Method(StrEnum):
    """How to merge."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class Refused(Exception):
    """The merge may not be made (405); the message is GitHub's."""


class HeadMoved(Exception):
    """The head is not the one the caller saw (409)."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A wish to merge. None for title or message takes GitHub's default; `sha` is the head the caller saw."""

    method: Method = Method.MERGE
    title: str | None = None
    message: str | None = None
    sha: str | None = None
    bypass: bool = False
    queue: bool = False  # it is the merge queue that merges


async def merge(world: World, hooks: Hooks, issue: Issue, sender: Account, wish: Merge) -> Issue:
    """Merge the pull request as `sender`; raises Refused or HeadMoved.

    https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
    """
    pull, repo = part_of(issue), world.repos[issue.repo_id]
    git = world.git(repo)
    tip = await reading.branch(git, pull.base_ref)
    if not issue.is_open or tip is None or pull.draft:
        raise Refused("Pull Request is not mergeable")
    if wish.sha is not None and wish.sha != pull.head_sha:
        raise HeadMoved("Head branch was modified. Review and try the merge again.")
    _check_method(repo, wish.method)
    await _check_rules(world, repo, issue, tip, wish)
    try:
        landed = await _write(world, git, issue, tip, sender, wish)
        await writing.set_ref(git, f"refs/heads/{pull.base_ref}", landed, tip)
    except merging.Conflict as error:
        raise Refused("Pull Request is not mergeable") from error
    except writing.RefMoved as error:
        raise HeadMoved("Base branch was modified. Review and try the merge again.") from error
    issue = await pulls.closed(world, hooks, issue, sender, merged_as=landed, tell=False)
    if repo.delete_branch_on_merge and pull.head_repo_id == repo.id and pull.head_ref != repo.default_branch:
        await writing.delete_ref(git, f"refs/heads/{pull.head_ref}")
    await pushes.observe(world, hooks, repo, sender)
    await pulls.announce(world, hooks, issue, "closed", sender)
    return issue


def _check_method(repo: Repo, method: Method) -> None:
    allowed = {
        Method.MERGE: (repo.allow_merge_commit, "Merge commits are not allowed on this repository."),
        Method.SQUASH: (repo.allow_squash_merge, "Squash merges are not allowed on this repository."),
        Method.REBASE: (repo.allow_rebase_merge, "Rebase merges are not allowed on this repository."),
    }
    ok, message = allowed[method]
    if not ok:
        raise Refused(message)


async def _check_rules(world: World, repo: Repo, issue: Issue, tip: str, wish: Merge) -> None:
    pull = part_of(issue)
    rules = world.protection(repo, pull.base_ref)
    if rules is None or (wish.bypass and not rules.enforce_admins):
        return
    if rules.merge_queue and not wish.queue:
        raise Refused("Repository rule violations found\n\nChanges must be made through the merge queue")
    missing = missing_checks(world, repo, rules, pull.head_sha) + missing_reviews(world, rules, issue)
    if rules.strict and not await reading.is_ancestor(world.git(repo), tip, pull.head_sha):
        missing.append("Head branch is out of date with the base branch.")
    if rules.linear_history and wish.method is Method.MERGE:
        missing.append("Merge commits are not allowed: this branch must have linear history.")
    if rules.lock_branch:
        missing.append("This branch is locked.")
    if missing:
        raise Refused(" ".join(missing))


async def _write(world: World, git: GitRepo, issue: Issue, tip: str, sender: Account, wish: Merge) -> str:
    """The new tip of the base branch, not yet pointed to."""
    pull = part_of(issue)
    name, email = person(sender)
    author = reading.Person(name, email, world.now())
    committer = reading.Person("GitHub", "noreply@github.com", world.now())
    if wish.method is Method.REBASE:
        return await merging.rebased(git, tip, pull.head_sha, committer)
    tree = await merging.merged_tree(git, tip, pull.head_sha)
    if wish.method is Method.MERGE:
        owner = world.owner(world.repos[pull.head_repo_id]).login
        title = wish.title or f"Merge pull request #{issue.number} from {owner}/{pull.head_ref}"
        message = wish.message if wish.message is not None else issue.title
        return await writing.write_commit(git, tree, [tip, pull.head_sha], _text(title, message), author, committer)
    commits = await merging.new_commits(git, tip, pull.head_sha)
    title, message = _squash_text(issue, commits)
    title = wish.title or title
    message = wish.message if wish.message is not None else message
    return await writing.write_commit(git, tree, [tip], _text(title, message), author, committer)


def _squash_text(issue: Issue, commits: tuple[reading.Commit, ...]) -> tuple[str, str]:
    """GitHub's default: the only commit's own words, or the pull request's title and a list of messages."""
    if len(commits) == 1:
        title, _, rest = commits[0].message.partition("\n")
        return f"{title} (#{issue.number})", rest.strip("\n")
    return f"{issue.title} (#{issue.number})", "\n\n".join(f"* {row.message}" for row in commits)


def _text(title: str, message: str) -> str:
    return f"{title}\n\n{message}" if message else title
