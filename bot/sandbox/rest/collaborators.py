"""Who may enter a repository, and how far.

https://docs.github.com/en/rest/collaborators/collaborators
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.sandbox.access import Needs, Who, writes
from bot.sandbox.model.accounts import Account, AccountKind, Level, Role
from bot.sandbox.model.repos import Collaborator
from bot.sandbox.payloads.accounts import role_flags, simple_user
from bot.sandbox.payloads.repos import repo_page, repo_url, repository
from bot.sandbox.payloads.values import node_id, stamp
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import not_found, unprocessable

_OLDER_NAMES = {"pull": Role.READ, "push": Role.WRITE}


async def collaborator_permission(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/collaborators/{username}/permission"""
    account = call.world.account(call.params["username"])
    if account is None:
        raise not_found()
    role = call.world.role(account, call.repo)
    user = simple_user(call.world, account) | {"permissions": role_flags(role), "role_name": str(role)}
    return Reply({"permission": role.permission, "role_name": str(role), "user": user})


async def collaborators(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/collaborators: everybody with a role beyond what the public has."""
    wanted = role_named(call.query.get("permission", "pull")) or Role.READ
    rows = [(row, role) for row, role in _people(call) if role.allows(wanted)]
    page = call.page(rows)
    return page.reply(
        [
            simple_user(call.world, row) | {"permissions": role_flags(role), "role_name": str(role)}
            for row, role in page.items
        ]
    )


async def is_collaborator(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/collaborators/{username}: 204 or 404."""
    login = call.params["username"].lower()
    if not any(row.login.lower() == login for row, _ in _people(call)):
        raise not_found()
    return Reply(status=204)


def _people(call: Call) -> list[tuple[Account, Role]]:
    world, repo = call.world, replace(call.repo, private=True)  # the public's right to read is no role
    rows = [(row, world.role(row, repo)) for row in world.accounts if row.kind == "User"]
    return [(row, role) for row, role in rows if role is not Role.NONE]


async def add(call: Call) -> Reply:
    """PUT /repos/{owner}/{repo}/collaborators/{username}, with `permission`, by default `push`.

    204 for a member of the organisation or who has access already. Others get an invitation; here everybody
    accepts at once.
    """
    world, repo, account = call.world, call.repo, _person(call)
    wanted = call.body.text("permission") or "push"
    role = role_named(wanted)
    if role is None:
        raise unprocessable(f"Invalid request.\n\n{wanted!r} is not a permission.")
    before = _own(call, account)
    row = replace(before, role=role) if before else Collaborator(world.new_id(), repo.id, account.id, role)
    world.collaborators.put(row)
    if before is None:
        said = {"permission": {"to": role.permission}, "role_name": {"to": str(role)}}
        _tell(call, "added", account, changes=said)
    elif before != row:
        _tell(call, "edited", account, changes={"permission": {"from": str(before.role), "to": str(role)}})
    if before or world.membership(world.owner(repo), account):
        return Reply(status=204)
    url = f"{repo_url(world, repo)}/invitations/{row.id}"
    invitation = {
        "id": row.id,
        "node_id": node_id("RepositoryInvitation", row.id),
        "repository": repository(world, repo),
        "invitee": simple_user(world, account),
        "inviter": simple_user(world, call.account),
        "permissions": str(role),
        "created_at": stamp(world.now()),
        "url": url,
        "html_url": f"{repo_page(world, repo)}/invitations",
    }
    return Reply(invitation, 201)


async def remove(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}/collaborators/{username}; what teams give stays."""
    account = _person(call)
    row = _own(call, account)
    if row is not None:
        call.world.collaborators.delete(row.id)
        _tell(call, "removed", account)
    return Reply(status=204)


def role_named(name: str) -> Role | None:
    """The role that `permission` means, by its own name or an older one."""
    return _OLDER_NAMES.get(name) or (Role(name) if name in tuple(Role) and name != Role.NONE else None)


def _person(call: Call) -> Account:
    account = call.world.account(call.params["username"])
    if account is None or account.kind is not AccountKind.USER:
        raise not_found()
    return account


def _own(call: Call, account: Account) -> Collaborator | None:
    rows = call.world.collaborators.of(call.repo.id)
    return next((row for row in rows if row.account_id == account.id), None)


def _tell(call: Call, action: str, account: Account, **more: Any) -> None:
    payload = {"action": action, "member": simple_user(call.world, account), **more}
    call.hooks.emit("member", payload, sender=call.account, repo=call.repo)


_AT = "/repos/{owner}/{repo}/collaborators"
_ONE = _AT + "/{username}"
_READ = Needs(Who.TOKEN, ("metadata",), Level.READ, Role.WRITE)
_WRITE = writes("administration", role=Role.ADMIN)

ROUTES = (
    Route("GET", _AT, collaborators, _READ),
    Route("GET", _ONE, is_collaborator, _READ),
    Route("GET", _ONE + "/permission", collaborator_permission, _READ),
    Route("PUT", _ONE, add, _WRITE),
    Route("DELETE", _ONE, remove, _WRITE),
)
