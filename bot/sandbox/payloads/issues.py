"""What issues and pull requests share: labels, and how somebody belongs to a repository."""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.model.accounts import Account
from bot.sandbox.model.issues import Label
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.repos import repo_url
from bot.sandbox.payloads.values import JsonObject, node_id
from bot.sandbox.world import World


def label(world: World, repo: Repo, row: Label) -> JsonObject:
    """`label`."""
    return {
        "id": row.id,
        "node_id": node_id("Label", row.id),
        "url": f"{repo_url(world, repo)}/labels/{quote(row.name, safe='')}",
        "name": row.name,
        "color": row.color,
        "default": row.default,
        "description": row.description,
    }


def association(world: World, repo: Repo, account: Account) -> str:
    """`author-association`. It says who somebody is, not what they may do."""
    owner = world.owner(repo)
    if account.id == owner.id:
        return "OWNER"
    if world.membership(owner, account):
        return "MEMBER"
    if any(row.account_id == account.id for row in world.collaborators.of(repo.id)):
        return "COLLABORATOR"
    merged = (row for row in world.issues.of(repo.id) if row.pull and row.pull.merged_at)
    return "CONTRIBUTOR" if any(row.author_id == account.id for row in merged) else "NONE"
