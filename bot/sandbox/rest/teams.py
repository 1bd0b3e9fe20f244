"""Teams of an organisation: who is in them, and what they may do where. Only members see them.

https://docs.github.com/en/rest/teams
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.sandbox.access import Needs, Who, visible
from bot.sandbox.auth import ActorKind
from bot.sandbox.model.accounts import (
    Account,
    AccountKind,
    Level,
    Membership,
    OrgRole,
    Role,
    Team,
    TeamMember,
    TeamRepo,
)
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import simple_user, team_full, team_simple
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.collaborators import role_named
from bot.sandbox.rest.errors import forbidden, invalid, not_found, unprocessable
from bot.sandbox.rest.orgs import org_in


async def list_teams(call: Call) -> Reply:
    """GET /orgs/{org}/teams"""
    page = call.page(call.world.teams.of(_org(call).id))
    return page.reply([team_simple(call.world, row) for row in page.items])


async def create_team(call: Call) -> Reply:
    """POST /orgs/{org}/teams: its slug follows from its name."""
    org, world, name = _owned(call), call.world, call.body.required_text("name")
    slug = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
    if not slug or any(row.slug == slug for row in world.teams.of(org.id)):
        raise invalid("Team", "name", "custom", "Name must be unique for this org and hold a letter or digit")
    privacy = call.body.text("privacy") or "closed"
    team = world.teams.put(Team(world.new_id(), org.id, slug, name, call.body.text("description"), privacy))
    return Reply(team_full(world, team), 201)


async def get_team(call: Call) -> Reply:
    """GET /orgs/{org}/teams/{team_slug}"""
    return Reply(team_full(call.world, _team(call, _org(call))))


async def list_members(call: Call) -> Reply:
    """GET /orgs/{org}/teams/{team_slug}/members, all or only those with `role`."""
    team, role = _team(call, _org(call)), call.query.get("role", "all")
    rows = [row for row in call.world.team_members.of(team.id) if role in ("all", row.role)]
    page = call.page(rows)
    return page.reply([simple_user(call.world, call.world.accounts[row.account_id]) for row in page.items])


async def get_membership(call: Call) -> Reply:
    """GET /orgs/{org}/teams/{team_slug}/memberships/{username}: 404 for who is not in it."""
    team = _team(call, _org(call))
    account = _person(call)
    row = _member(call, team, account)
    if row is None:
        raise not_found()
    return Reply(_membership(call, team, account, row.role))


async def set_membership(call: Call) -> Reply:
    """PUT /orgs/{org}/teams/{team_slug}/memberships/{username}; who was not in the organisation is then."""
    org, world, role = _owned(call), call.world, call.body.text("role") or "member"
    team, account = _team(call, org), _person(call)
    if role not in ("member", "maintainer"):
        raise unprocessable(f"Invalid request.\n\n{role!r} is not a role in a team.")
    if world.membership(org, account) is None:
        world.memberships.put(Membership(world.new_id(), org.id, account.id, OrgRole.MEMBER))
    before = _member(call, team, account)
    row = replace(before, role=role) if before else TeamMember(world.new_id(), team.id, account.id, role)
    world.team_members.put(row)
    if before is None:
        _tell(call, "added", org, team, account)
    return Reply(_membership(call, team, account, role))


async def remove_membership(call: Call) -> Reply:
    """DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}"""
    org = _owned(call)
    team, account = _team(call, org), _person(call)
    row = _member(call, team, account)
    if row is None:
        raise not_found()
    call.world.team_members.delete(row.id)
    _tell(call, "removed", org, team, account)
    return Reply(status=204)


async def list_of_repo(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/teams: those with a role there."""
    teams = call.world.teams.of(call.repo.owner_id)
    granted = {row.team_id for row in call.world.team_repos.of(call.repo.id)}
    rows = [team for team in teams if team.id in granted or team.every_repository is not Role.NONE]
    page = call.page(rows)
    return page.reply([team_simple(call.world, row, call.repo) for row in page.items])


async def grant(call: Call) -> Reply:
    """PUT /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}, with `permission`, by default `push`."""
    world, org = call.world, _owned(call)
    team, repo, wanted = _team(call, org), _repo(call, org), call.body.text("permission") or "push"
    role = role_named(wanted)
    if role is None:
        raise unprocessable(f"Invalid request.\n\n{wanted!r} is not a permission.")
    before = _grant(call, team, repo)
    row = replace(before, role=role) if before else TeamRepo(world.new_id(), team.id, repo.id, role)
    world.team_repos.put(row)
    return Reply(status=204)


async def revoke(call: Call) -> Reply:
    """DELETE /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}; a role on all repositories stays."""
    org = _owned(call)
    row = _grant(call, _team(call, org), _repo(call, org))
    if row is not None:
        call.world.team_repos.delete(row.id)
    return Reply(status=204)


def _org(call: Call) -> Account:
    """The organisation in the path, for its members and the Apps on it; 404 for others."""
    org = org_in(call)
    if call.actor.kind is ActorKind.INSTALLATION:
        inside = call.actor.installation is not None and call.actor.installation.account_id == org.id
    else:
        inside = call.world.membership(org, call.account) is not None
    if not inside:
        raise not_found()
    return org


def _owned(call: Call) -> Account:
    """The same, for its owners only."""
    org = _org(call)
    membership = call.world.membership(org, call.account)
    if call.actor.kind is ActorKind.USER and (membership is None or membership.role is not OrgRole.ADMIN):
        raise forbidden("Must be an owner of the organization.")
    return org


def _team(call: Call, org: Account) -> Team:
    for row in call.world.teams.of(org.id):
        if row.slug == call.params["team_slug"].lower():
            return row
    raise not_found()


def _person(call: Call) -> Account:
    account = call.world.account(call.params["username"])
    if account is None or account.kind is not AccountKind.USER:
        raise not_found()
    return account


def _member(call: Call, team: Team, account: Account) -> TeamMember | None:
    rows = call.world.team_members.of(team.id)
    return next((row for row in rows if row.account_id == account.id), None)


def _repo(call: Call, org: Account) -> Repo:
    repo = call.world.repo(call.params["owner"], call.params["repo"])
    if repo is None or repo.owner_id != org.id or not visible(call.world, call.actor, repo):
        raise not_found()
    return repo


def _grant(call: Call, team: Team, repo: Repo) -> TeamRepo | None:
    rows = call.world.team_repos.of(repo.id)
    return next((row for row in rows if row.team_id == team.id), None)


def _membership(call: Call, team: Team, account: Account, role: str) -> JsonObject:
    url = team_simple(call.world, team)["url"]
    return {"url": f"{url}/memberships/{account.login}", "role": role, "state": "active"}


def _tell(call: Call, action: str, org: Account, team: Team, account: Account) -> None:
    payload = {
        "action": action,
        "scope": "team",
        "member": simple_user(call.world, account),
        "team": team_simple(call.world, team),
    }
    for installation in call.world.installations.of(org.id):
        call.hooks.emit("membership", payload, sender=call.account, installation=installation)


_READ = Needs(Who.TOKEN, ("members",))
_WRITE = Needs(Who.TOKEN, ("members",), Level.WRITE)
_ALL = "/orgs/{org}/teams"
_ONE = _ALL + "/{team_slug}"
_PERSON = _ONE + "/memberships/{username}"
_REPO = _ONE + "/repos/{owner}/{repo}"

ROUTES = (
    Route("GET", _ALL, list_teams, _READ),
    Route("POST", _ALL, create_team, _WRITE),
    Route("GET", _ONE, get_team, _READ),
    Route("GET", _ONE + "/members", list_members, _READ),
    Route("GET", _PERSON, get_membership, _READ),
    Route("PUT", _PERSON, set_membership, _WRITE),
    Route("DELETE", _PERSON, remove_membership, _WRITE),
    Route("PUT", _REPO, grant, _WRITE),
    Route("DELETE", _REPO, revoke, _WRITE),
    Route(
        "GET",
        "/repos/{owner}/{repo}/teams",
        list_of_repo,
        Needs(Who.TOKEN, ("administration",), Level.READ, Role.ADMIN),
    ),
)
