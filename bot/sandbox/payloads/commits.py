"""Commits, files that differ, and the other Git objects."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from bot.sandbox.git.diffs import FileChange
from bot.sandbox.git.reading import Commit, Person
from bot.sandbox.model.accounts import Account
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.repos import repo_page, repo_url
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.world import World

_NOREPLY = "@users.noreply.github.com"
UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def person(account: Account) -> tuple[str, str]:
    """The name and address under which an account commits through the API."""
    return account.name or account.login, account.email or f"{account.id}+{account.login}{_NOREPLY}"


def noreply(world: World, account: Account) -> str:
    """The address that an account's commits carry when GitHub makes them."""
    host = world.url.partition("://")[2].partition(":")[0]
    return f"{account.id}+{account.login}@users.noreply.{host}"


def verification(world: World, repo: Repo, commit: Commit) -> JsonObject:
    """Of what GitHub signed itself there is a signature, here one in name only."""
    signed = world.signed_commits.of((repo.id, commit.sha))
    if not signed:
        return UNSIGNED
    when = stamp(commit.committer.date)
    return {"verified": True, "reason": "valid", "signature": "signed", "payload": commit.sha, "verified_at": when}


def committer_account(world: World, who: Person) -> Account | None:
    """The account behind a commit's address, if it is known."""
    name, at, host = who.email.rpartition("@")
    if at and host.startswith("users.noreply."):
        return world.account(name.rpartition("+")[2])
    return world.accounts.find(lambda row: row.email == who.email)


def _user(world: World, who: Person) -> JsonObject | None:
    account = committer_account(world, who)
    return None if account is None else simple_user(world, account)


def _person(who: Person) -> JsonObject:
    return {"name": who.name, "email": who.email, "date": stamp(who.date)}


def git_commit(world: World, repo: Repo, commit: Commit) -> JsonObject:
    """`git-commit`: the object as Git has it."""
    url = f"{repo_url(world, repo)}/git"
    page = f"{repo_page(world, repo)}/commit"
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", f"{repo.id}:{commit.sha}"),
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{page}/{commit.sha}",
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{url}/trees/{commit.tree}"},
        "parents": [{"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/{sha}"} for sha in commit.parents],
        "verification": verification(world, repo, commit),
    }


def commit_summary(world: World, repo: Repo, commit: Commit) -> JsonObject:
    """`commit`, as lists give it: without stats and files."""
    url, page = repo_url(world, repo), f"{repo_page(world, repo)}/commit"
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", f"{repo.id}:{commit.sha}"),
        "commit": {
            "author": _person(commit.author),
            "committer": _person(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
            "url": f"{url}/git/commits/{commit.sha}",
            "comment_count": 0,
            "verification": verification(world, repo, commit),
        },
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{page}/{commit.sha}",
        "comments_url": f"{url}/commits/{commit.sha}/comments",
        "author": _user(world, commit.author),
        "committer": _user(world, commit.committer),
        "parents": [{"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/{sha}"} for sha in commit.parents],
    }


def simple_commit(commit: Commit) -> JsonObject:
    """`simple-commit`: the head of a check suite."""
    author, committer = commit.author, commit.committer
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": stamp(committer.date),
        "author": {"name": author.name, "email": author.email},
        "committer": {"name": committer.name, "email": committer.email},
    }


def commit_full(world: World, repo: Repo, commit: Commit, changes: Sequence[FileChange]) -> JsonObject:
    """`commit` with stats and files."""
    added, deleted = sum(row.additions for row in changes), sum(row.deletions for row in changes)
    return commit_summary(world, repo, commit) | {
        "stats": {"total": added + deleted, "additions": added, "deletions": deleted},
        "files": [diff_entry(world, repo, commit.sha, change) for change in changes],
    }


def diff_entry(world: World, repo: Repo, sha: str, change: FileChange) -> JsonObject:
    """`diff-entry`: one file that differs, at commit `sha`."""
    path, page = quote(change.path), repo_page(world, repo)
    return {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{repo_url(world, repo)}/contents/{path}?ref={sha}",
        **({"patch": change.patch} if change.patch is not None else {}),
        **({"previous_filename": change.previous} if change.previous is not None else {}),
    }


def pushed_commit(world: World, repo: Repo, commit: Commit, touched: Sequence[tuple[str, str]]) -> JsonObject:
    """A commit as the `push` event lists it."""

    def who(person_: Person) -> JsonObject:
        account = committer_account(world, person_)
        known = {"username": account.login} if account else {}
        return _person(person_) | known

    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": stamp(commit.committer.date),
        "url": f"{repo_page(world, repo)}/commit/{commit.sha}",
        "author": who(commit.author),
        "committer": who(commit.committer),
        "added": [path for letter, path in touched if letter == "A"],
        "removed": [path for letter, path in touched if letter == "D"],
        "modified": [path for letter, path in touched if letter not in "AD"],
    }
