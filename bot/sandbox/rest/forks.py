"""Forks: a person's own copy of a repository, to propose changes from.

https://docs.github.com/en/rest/repos/forks
"""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox import pushes
from bot.sandbox.access import reads
from bot.sandbox.auth import ActorKind
from bot.sandbox.model.accounts import Role
from bot.sandbox.payloads.repos import full_repository
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import forbidden


async def create_fork(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/forks: into the caller's own account; asked again, the same one."""
    if call.actor.kind is not ActorKind.USER:
        raise forbidden()
    world, parent, owner = call.world, call.repo, call.account
    found = next((one for one in world.repos.of(owner.id) if one.parent_id == parent.id), None)
    if found is not None:
        return Reply(full_repository(world, found, Role.ADMIN), 202)
    name = call.body.text("name") or parent.name
    now = world.now()
    fork = replace(
        parent,
        id=world.new_id(),
        owner_id=owner.id,
        name=name if world.repo(owner.login, name) is None else f"{name}-1",
        parent_id=parent.id,
        created_at=now,
        updated_at=now,
        pushed_at=now,
    )
    fork = world.repos.put(fork)
    git = world.git(fork)
    await git.create(fork.default_branch, world.directory / "hooks")
    heads = "+refs/heads/*:refs/heads/*"
    await git.run("fetch", "--quiet", "--no-tags", "--", str(world.git(parent).path), heads)
    await pushes.observe(world, call.hooks, fork, owner)
    fork = world.repos[fork.id]
    call.hooks.emit("fork", {"forkee": full_repository(world, fork, Role.ADMIN)}, sender=owner, repo=parent)
    return Reply(full_repository(world, fork, Role.ADMIN), 202)


ROUTES = (Route("POST", "/repos/{owner}/{repo}/forks", create_fork, reads("administration")),)
