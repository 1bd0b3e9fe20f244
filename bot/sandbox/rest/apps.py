"""Apps, installations, installation tokens.

https://docs.github.com/en/rest/apps
"""

from __future__ import annotations

from bot.sandbox.access import Needs, Who
from bot.sandbox.auth import new_installation_token
from bot.sandbox.model.accounts import Account, Installation, Level, Role
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.apps import installation_payload, integration, permissions_json
from bot.sandbox.payloads.repos import repository
from bot.sandbox.payloads.values import JsonObject, stamp
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import not_found, unprocessable

_APP = Needs(Who.APP)


async def get_app(call: Call) -> Reply:
    """GET /app"""
    if call.actor.app is None:
        raise not_found()
    return Reply(integration(call.world, call.actor.app))


async def get_app_by_slug(call: Call) -> Reply:
    """GET /apps/{app_slug}"""
    app = call.world.apps.find(lambda row: row.slug == call.params["app_slug"])
    if app is None:
        raise not_found()
    return Reply(integration(call.world, app))


async def list_installations(call: Call) -> Reply:
    """GET /app/installations"""
    page = call.page(_installations(call))
    return page.reply([installation_payload(call.world, row) for row in page.items])


async def get_installation(call: Call) -> Reply:
    """GET /app/installations/{installation_id}"""
    return Reply(installation_payload(call.world, _installation(call)))


async def repo_installation(call: Call) -> Reply:
    """GET /repos/{owner}/{repo}/installation"""
    repo = call.world.repo(call.params["owner"], call.params["repo"])
    rows = call.world.installed(repo) if repo else ()
    return _of_app(call, rows)


async def account_installation(call: Call) -> Reply:
    """GET /orgs/{org}/installation and /users/{username}/installation"""
    login = call.params.get("org") or call.params["username"]
    account = call.world.account(login)
    return _of_app(call, call.world.installations.of(account.id) if account else ())


async def create_token(call: Call) -> Reply:
    """POST /app/installations/{installation_id}/access_tokens: narrowed as asked, never widened."""
    installation = _installation(call)
    wanted = call.body.record("permissions")
    permissions = dict(installation.permissions)
    if wanted:
        if any(level not in tuple(Level) for level in wanted.values()):
            raise unprocessable("Invalid request.\n\nA permission is read, write or admin.")
        asked = {name: Level(level) for name, level in wanted.items()}
        for name, level in asked.items():
            held = Level.READ if name == "metadata" else installation.permissions.get(name)
            if held is None or not held.allows(level):
                raise unprocessable("The permissions requested are not granted to this installation.")
        permissions = asked
    repositories = _chosen(call, installation)
    narrowed = None if repositories is None else tuple(repo.id for repo in repositories)
    token, row = new_installation_token(call.world, installation, permissions, narrowed)
    selection = "all" if repositories is None and installation.repositories is None else "selected"
    body: JsonObject = {
        "token": token,
        "expires_at": stamp(row.expires_at),
        "permissions": permissions_json(permissions),
        "repository_selection": selection,
    }
    if repositories is not None:
        body["repositories"] = [repository(call.world, repo) for repo in repositories]
    return Reply(body, 201)


async def revoke_token(call: Call) -> Reply:
    """DELETE /installation/token"""
    if call.actor.token_id is not None:
        call.world.installation_tokens.delete(call.actor.token_id)
    return Reply(status=204)


async def installation_repositories(call: Call) -> Reply:
    """GET /installation/repositories"""
    repos = [repo for repo in call.world.repos if call.actor.reaches(repo)]
    page = call.page(repos)
    level = call.actor.level("contents")
    role = Role.WRITE if level is Level.WRITE else Role.READ
    narrowed = call.actor.repositories or (call.actor.installation.repositories if call.actor.installation else None)
    return page.reply(
        {
            "total_count": page.total,
            "repository_selection": "all" if narrowed is None else "selected",
            "repositories": [repository(call.world, repo, role) for repo in page.items],
        }
    )


def _installations(call: Call) -> list[Installation]:
    app = call.actor.app
    return [row for row in call.world.installations if app and row.app_id == app.id]


def _installation(call: Call) -> Installation:
    number = call.number("installation_id")
    found = [row for row in _installations(call) if row.id == number]
    if not found:
        raise not_found()
    return found[0]


def _of_app(call: Call, rows: tuple[Installation, ...]) -> Reply:
    for row in rows:
        if call.actor.app and row.app_id == call.actor.app.id:
            return Reply(installation_payload(call.world, row))
    raise not_found()


def _chosen(call: Call, installation: Installation) -> list[Repo] | None:
    """The repositories a token is asked to be narrowed to; None for all."""
    names, numbers = call.body.array("repositories", str), call.body.array("repository_ids", int)
    if not names and not numbers:
        return None
    owner: Account = call.world.accounts[installation.account_id]
    found = [call.world.repo(owner.login, name) for name in names or ()]
    found += [call.world.repos.get(number) for number in numbers or ()]
    chosen = [
        repo
        for repo in found
        if repo
        and repo.owner_id == owner.id
        and (installation.repositories is None or repo.id in installation.repositories)
    ]
    if len(chosen) < len(found):
        raise unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    return chosen


ROUTES = (
    Route("GET", "/app", get_app, _APP),
    Route("GET", "/apps/{app_slug}", get_app_by_slug, Needs(Who.ANYONE)),
    Route("GET", "/app/installations", list_installations, _APP),
    Route("GET", "/app/installations/{installation_id}", get_installation, _APP),
    Route("POST", "/app/installations/{installation_id}/access_tokens", create_token, _APP),
    Route("GET", "/repos/{owner}/{repo}/installation", repo_installation, _APP),
    Route("GET", "/orgs/{org}/installation", account_installation, _APP),
    Route("GET", "/users/{username}/installation", account_installation, _APP),
    Route("GET", "/installation/repositories", installation_repositories, Needs(Who.INSTALLATION)),
    Route("DELETE", "/installation/token", revoke_token, Needs(Who.INSTALLATION)),
)
