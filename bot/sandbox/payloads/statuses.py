"""Commit statuses."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.git.reading import Commit
from bot.sandbox.model.checks import CommitStatus
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.commits import commit_summary
from bot.sandbox.payloads.repos import repo_url, repository
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.world import World


def status_payload(world: World, row: CommitStatus) -> JsonObject:
    """`status`, which is also a valid `simple-commit-status`."""
    creator = simple_user(world, world.accounts[row.creator_id])
    return {
        "id": row.id,
        "node_id": node_id("StatusContext", row.id),
        "url": f"{repo_url(world, world.repos[row.repo_id])}/statuses/{row.sha}",
        "avatar_url": creator["avatar_url"],
        "state": row.state,
        "description": row.description,
        "target_url": row.target_url,
        "context": row.context,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.created_at),
        "creator": creator,
    }


def combined(
    world: World, repo: Repo, sha: str, everything: Sequence[CommitStatus], shown: Sequence[CommitStatus]
) -> JsonObject:
    """`combined-commit-status`: what the newest of `everything` add up to, and a page of it.

    https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference
    """
    states = {row.state for row in everything}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    url = f"{repo_url(world, repo)}/commits/{sha}"
    return {
        "state": state,
        "statuses": [status_payload(world, row) for row in shown],
        "sha": sha,
        "total_count": len(everything),
        "repository": repository(world, repo),
        "commit_url": url,
        "url": f"{url}/status",
    }


def status_event(world: World, repo: Repo, row: CommitStatus, commit: Commit, branches: Sequence[str]) -> JsonObject:
    """What the `status` webhook says; `branches` are those whose head the commit is."""
    whole = status_payload(world, row)
    kept = ("id", "avatar_url", "state", "description", "target_url", "context", "created_at", "updated_at")
    tip = {"sha": row.sha, "url": f"{repo_url(world, repo)}/commits/{row.sha}"}
    guarded = {name: world.protection(repo, name) is not None for name in branches}
    return {name: whole[name] for name in kept} | {
        "sha": row.sha,
        "name": world.full_name(repo),
        "commit": commit_summary(world, repo, commit),
        "branches": [{"name": name, "commit": tip, "protected": flag} for name, flag in guarded.items()],
    }
