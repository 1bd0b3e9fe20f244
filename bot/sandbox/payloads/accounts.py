"""Users, organisations and teams."""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.model.accounts import Account, AccountKind, Role, Team
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.world import World


def simple_user(world: World, account: Account) -> JsonObject:
    """`simple-user`: what stands for an account, of any kind, inside other payloads."""
    login = quote(account.login, safe="")
    url = f"{world.api}/users/{login}"
    is_bot = account.kind is AccountKind.BOT
    page = f"{world.url}/apps/{account.login.removesuffix('[bot]')}" if is_bot else f"{world.url}/{login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(str(account.kind), account.id),
        "avatar_url": f"{world.url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": page,
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": str(account.kind),
        "user_view_type": "public",
        "site_admin": False,
    }


def user_or_none(world: World, number: int | None) -> JsonObject | None:
    """`nullable-simple-user` by id."""
    account = world.accounts.get(number)
    return None if account is None else simple_user(world, account)


def public_user(world: World, account: Account) -> JsonObject:
    """`public-user`: an account's own page."""
    repos = world.repos.of(account.id)
    return simple_user(world, account) | {
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": sum(not repo.private for repo in repos),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.created_at),
    }


def private_user(world: World, account: Account) -> JsonObject:
    """`private-user`: what an account sees of itself."""
    private = sum(repo.private for repo in world.repos.of(account.id))
    return public_user(world, account) | {
        "user_view_type": "private",
        "private_gists": 0,
        "total_private_repos": private,
        "owned_private_repos": private,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


def org_simple(world: World, org: Account) -> JsonObject:
    """`organization-simple`."""
    url = f"{world.api}/orgs/{org.login}"
    return {
        "login": org.login,
        "id": org.id,
        "node_id": node_id("Organization", org.id),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{world.url}/avatars/u/{org.id}",
        "description": org.name,
    }


def org_full(world: World, org: Account) -> JsonObject:
    """`organization-full`."""
    repos = world.repos.of(org.id)
    return org_simple(world, org) | {
        "name": org.name or org.login,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": sum(not repo.private for repo in repos),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": f"{world.url}/{org.login}",
        "type": "Organization",
        "created_at": stamp(org.created_at),
        "updated_at": stamp(org.created_at),
        "archived_at": None,
        "default_repository_permission": "none",
        "members_can_create_repositories": True,
    }


def team_simple(world: World, team: Team, repo: Repo | None = None) -> JsonObject:
    """`team-simple`; `permission` is the team's role on `repo`, or on all repositories."""
    org = world.accounts[team.org_id]
    url = f"{world.api}/organizations/{org.id}/team/{team.id}"
    role = team.every_repository
    if repo is not None:
        granted = [row.role for row in world.team_repos.of(repo.id) if row.team_id == team.id]
        role = max((role, *granted), key=list(Role).index)
    names = {Role.NONE: "pull", Role.READ: "pull", Role.WRITE: "push"}
    return {
        "id": team.id,
        "node_id": node_id("Team", team.id),
        "url": url,
        "html_url": f"{world.url}/orgs/{org.login}/teams/{team.slug}",
        "name": team.name,
        "slug": team.slug,
        "description": team.description,
        "privacy": team.privacy,
        "notification_setting": "notifications_enabled",
        "permission": names.get(role, str(role)),
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "type": "organization",
        "organization_id": org.id,
        "parent": None,
    }


def team_full(world: World, team: Team) -> JsonObject:
    """`team-full`. A team keeps no times of its own: it is as old as its organisation."""
    org = world.accounts[team.org_id]
    return team_simple(world, team) | {
        "members_count": len(world.team_members.of(team.id)),
        "repos_count": sum(row.team_id == team.id for row in world.team_repos),
        "created_at": stamp(org.created_at),
        "updated_at": stamp(org.created_at),
        "organization": org_full(world, org),
    }


def role_flags(role: Role) -> JsonObject:
    """The five booleans GitHub makes of a role."""
    return {
        "admin": role.allows(Role.ADMIN),
        "maintain": role.allows(Role.MAINTAIN),
        "push": role.allows(Role.WRITE),
        "triage": role.allows(Role.TRIAGE),
        "pull": role.allows(Role.READ),
    }
