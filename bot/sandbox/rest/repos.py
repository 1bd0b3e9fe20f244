"""Repositories: make, read, change, remove.

https://docs.github.com/en/rest/repos/repos
"""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import replace
from typing import Any

from bot.sandbox import pushes
from bot.sandbox.access import Needs, Who, is_admin, reads, writes
from bot.sandbox.auth import ActorKind
from bot.sandbox.git import reading, writing
from bot.sandbox.model.accounts import Account, Level, OrgRole, Role
from bot.sandbox.model.issues import ReactionSubject
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.commits import person
from bot.sandbox.payloads.repos import full_repository
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import forbidden, invalid, not_found, unprocessable
from bot.sandbox.tables import Table

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_FLAGS = (
    "has_issues",
    "has_projects",
    "has_wiki",
    "has_discussions",
    "is_template",
    "allow_merge_commit",
    "allow_squash_merge",
    "allow_rebase_merge",
    "allow_auto_merge",
    "allow_update_branch",
    "delete_branch_on_merge",
)


async def create_in_org(call: Call) -> Reply:
    """POST /orgs/{org}/repos"""
    org = call.world.organization(call.params["org"])
    if org is None:
        raise not_found()
    if call.actor.kind is ActorKind.INSTALLATION:
        if call.actor.installation is None or call.actor.installation.account_id != org.id:
            raise forbidden()
    else:
        membership = call.world.membership(org, call.account)
        if membership is None:
            raise not_found()
        if membership.role is not OrgRole.ADMIN:
            raise forbidden("You need admin access to the organization before adding a repository to it.")
    return await _create(call, org)


async def create_for_user(call: Call) -> Reply:
    """POST /user/repos"""
    return await _create(call, call.account)


async def get_repo(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}"""
    return Reply(full_repository(call.world, call.repo, _own_role(call)))


async def update_repo(call: Call) -> Reply:
    """PATCH /repos/{owner}/{repo}"""
    repo, body, world = call.repo, call.body, call.world
    before = world.git(repo).path
    changes: dict[str, Any] = {name: body.flag(name, getattr(repo, name)) for name in _FLAGS}
    branch = body.text("default_branch") or repo.default_branch
    if branch != repo.default_branch:
        if await reading.branch(world.git(repo), branch) is None:
            raise invalid("Repository", "default_branch", message=f"The branch {branch} was not found.")
        await world.git(repo).run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    name = body.text("name") or repo.name
    if name != repo.name:
        _check_name(call, world.owner(repo), name)
    private = body.get("visibility") != "public" if "visibility" in body else body.flag("private", repo.private)
    repo = world.repos.put(
        replace(
            repo,
            **changes,
            name=name,
            private=private,
            default_branch=branch,
            description=body.text("description", repo.description),
            homepage=body.text("homepage", repo.homepage),
            archived=body.flag("archived", repo.archived),
            updated_at=world.now(),
        )
    )
    if world.git(repo).path != before:
        await asyncio.to_thread(before.rename, world.git(repo).path)
    return Reply(full_repository(world, repo, _own_role(call)))


async def delete_repo(call: Call) -> Reply:
    """DELETE /repos/{owner}/{repo}, with everything that belongs to it."""
    repo, world = call.repo, call.world
    path = world.git(repo).path
    call.hooks.emit("repository", {"action": "deleted"}, sender=call.account, repo=repo)
    for reaction in list(world.reactions):
        table: Table[Any] = world.issues if reaction.subject is ReactionSubject.ISSUE else world.comments
        if table[reaction.subject_id].repo_id == repo.id:
            world.reactions.delete(reaction.id)
    for table in (
        world.comments,
        world.reviews,
        world.issues,
        world.labels,
        world.protections,
        world.collaborators,
        world.team_repos,
        world.check_runs,
        world.check_suites,
        world.statuses,
        world.deployment_statuses,
        world.deployments,
    ):
        for row in [row for row in table if row.repo_id == repo.id]:
            table.delete(row.id)
    if world.refs.get(repo.id):
        world.refs.delete(repo.id)
    world.repos.delete(repo.id)
    await asyncio.to_thread(shutil.rmtree, path)
    return Reply(status=204)


def _own_role(call: Call) -> Role | None:
    if call.actor.kind is ActorKind.USER:
        return call.world.role(call.account, call.repo)
    if call.actor.kind is ActorKind.INSTALLATION:
        return Role.WRITE if call.actor.level("contents") is Level.WRITE else Role.READ
    return None


def _check_name(call: Call, owner: Account, name: str) -> None:
    if not _NAME.fullmatch(name) or name in (".", "..") or name.endswith((".git", ".wiki")):
        raise invalid("Repository", "name", message=f"{name!r} can't be a repository's name", code="custom")
    if call.world.repo(owner.login, name):
        raise invalid("Repository", "name", "custom", "name already exists on this account")


async def _create(call: Call, owner: Account) -> Reply:
    body, world, now = call.body, call.world, call.world.now()
    name = body.required_text("name")
    _check_name(call, owner, name)
    if body.get("visibility") == "internal":
        raise unprocessable("Only organizations associated with an enterprise can set visibility to internal")
    private = body.get("visibility") == "private" or body.flag("private", False)
    repo = Repo(world.new_id(), owner.id, name, private, body.text("description"), "main", now, now, now)
    flags: dict[str, Any] = {flag: body.flag(flag, getattr(repo, flag)) for flag in _FLAGS}
    repo = world.repos.put(replace(repo, homepage=body.text("homepage"), **flags))
    git = world.git(repo)
    await asyncio.to_thread(shutil.rmtree, git.path, ignore_errors=True)  # left by a killed creation
    await git.create(repo.default_branch, world.directory / "hooks")
    call.hooks.emit("repository", {"action": "created"}, sender=call.account, repo=repo)
    if body.flag("auto_init", False):
        readme = f"# {name}\n" + (f"{repo.description}\n" if repo.description else "")
        blob = await writing.write_blob(git, readme.encode())
        tree = await writing.write_tree(git, None, [writing.Edit("README.md", "100644", blob)])
        who = reading.Person(*person(call.account), now)
        commit = await writing.write_commit(git, tree, [], "Initial commit", who, who)
        await writing.create_ref(git, f"refs/heads/{repo.default_branch}", commit)
        await pushes.observe(world, call.hooks, repo, call.account)
    repo = world.repos[repo.id]
    address = {"Location": f"{world.api}/repos/{world.full_name(repo)}"}
    role = Role.ADMIN if is_admin(world, call.actor, repo) else Role.WRITE
    return Reply(full_repository(world, repo, role), 201, address)


_AT = "/repos/{owner}/{repo}"
_ADMIN = writes("administration", role=Role.ADMIN)

ROUTES = (
    Route("POST", "/orgs/{org}/repos", create_in_org, writes("administration")),
    Route("POST", "/user/repos", create_for_user, Needs(Who.USER)),
    Route("GET", _AT, get_repo, reads("metadata")),
    Route("PATCH", _AT, update_repo, _ADMIN),
    Route("DELETE", _AT, delete_repo, _ADMIN),
)
