"""What there is: repositories, stages of the cluster, images, and who takes part."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlsplit

from aiohttp import web

from bot.sandbox.access import visible
from bot.sandbox.cluster.cluster import DEFAULT_PATH
from bot.sandbox.cluster.manifests import read
from bot.sandbox.git import reading
from bot.sandbox.model.accounts import Account, AccountKind, App
from bot.sandbox.model.hooks import Delivery
from bot.sandbox.model.repos import Repo
from bot.sandbox.oci import storage_of
from bot.sandbox.pages.badges import age, face, who
from bot.sandbox.pages.frame import HEADERS, page, plural, section
from bot.sandbox.pages.html import Html, fill
from bot.sandbox.pages.icons import Symbol, Tone, icon
from bot.sandbox.pages.visit import COOKIE, Visit, checked_form, path_of, people, way_back
from bot.sandbox.rest.errors import ApiError, not_found
from bot.sandbox.world import World

_MAX_DELIVERIES, _MAX_TAGS = 50, 20
_HUES = 360


async def index(here: Visit) -> web.Response:
    """GET /"""
    repos = [row for row in here.world.repos if visible(here.world, here.actor, row)]
    apps = [
        fill('<div class="item"><div>{who}</div></div>', who=who(here.world.accounts[app.bot_id]))
        for app in here.world.apps
    ]
    content = fill(
        '<h1>Sandbox</h1><p class="muted">GitHub, a registry and a cluster, on this machine only. '
        "Say in the corner who you are, and go on as on GitHub.</p>{repos}{stages}{images}{apps}",
        repos=section("repositories", "Repositories", _repositories(here, repos)),
        stages=section("cluster", "Cluster", await _stages(here.world, repos)),
        images=section("images", "Images", _images(*await asyncio.to_thread(_tags, here.world))),
        apps=section("apps", "Apps", fill('<div class="box">{apps}</div>', apps=apps)),
    )
    return page(here, "Sandbox", content)


async def account(here: Visit) -> web.Response:
    """GET /LOGIN"""
    row = here.world.account(here.request.match_info["owner"])
    if row is None or row.kind is AccountKind.BOT:
        raise not_found()
    repos = [repo for repo in here.world.repos.of(row.id) if visible(here.world, here.actor, repo)]
    members = [here.world.accounts[member.account_id] for member in here.world.memberships.of(row.id)]
    content = fill(
        "<h1>{face} {login}</h1>{repos}{members}",
        face=face(row),
        login=row.login,
        repos=section("repositories", "Repositories", _repositories(here, repos)),
        members=section("people", "People", _people(members)) if members else None,
    )
    return page(here, row.login, content)


async def team(here: Visit) -> web.Response:
    """GET /orgs/ORG/teams/SLUG"""
    names = here.request.match_info
    org = here.world.organization(names["owner"])
    row = next((row for row in here.world.teams.of(org.id) if row.slug == names["slug"]), None) if org else None
    if row is None:
        raise not_found()
    members = [here.world.accounts[member.account_id] for member in here.world.team_members.of(row.id)]
    return page(here, row.name, fill("<h1>Team {name}</h1>{people}", name=row.name, people=_people(members)))


async def app(here: Visit) -> web.Response:
    """GET /apps/SLUG: what it may do and, for members of its organisation, what it was lately told."""
    slug = here.request.match_info["slug"]
    row = here.world.apps.find(lambda row: row.slug == slug)
    if row is None:
        raise not_found()
    owner = here.world.accounts[row.owner_id]
    inside = here.account is not None and here.world.membership(owner, here.account) is not None
    content = fill(
        '<h1>{face} {name} <span class="tag">App</span></h1><p>{permissions}</p>'
        '<p class="muted small">Hears of {events}.</p>{deliveries}',
        face=face(here.world.accounts[row.bot_id]),
        name=row.name,
        permissions=[
            fill('<span class="tag">{name}: {level}</span> ', name=name, level=level)
            for name, level in sorted(row.permissions.items())
        ],
        events=", ".join(row.events),
        deliveries=section("deliveries", "Webhooks, newest first", _deliveries(here, row)) if inside else None,
    )
    return page(here, row.name, content)


async def installation(here: Visit) -> web.Response:
    """GET /organizations/ORG/settings/installations/ID"""
    number = here.request.match_info["number"]
    row = here.world.installations.get(int(number)) if len(number) < 16 else None
    if row is None:
        raise not_found()
    raise web.HTTPSeeOther(f"/apps/{here.world.apps[row.app_id].slug}")


async def avatar(here: Visit) -> web.Response:
    """GET /avatars/u/ID: the first letter on a colour of its own; ID 0 is the sandbox itself."""
    number = here.request.match_info["number"]
    row = here.world.accounts.get(int(number)) if len(number) < 16 else None
    picture = fill(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
        '<rect width="40" height="40" fill="hsl({hue} 42% 42%)"/>'
        '<text x="20" y="28" font-family="sans-serif" font-size="23" font-weight="600" fill="#fff" '
        'text-anchor="middle">{letter}</text></svg>',
        hue=int(number[-15:]) * 137 % _HUES if row else 180,
        letter=row.login[0].upper() if row else "S",
    )
    return web.Response(
        text=picture, content_type="image/svg+xml", headers={**HEADERS, "Cache-Control": "max-age=3600"}
    )


async def become(here: Visit) -> web.Response:
    """POST /session: be another account from now on."""
    fields = await checked_form(here)
    login = fields.get("account", "")
    if login not in [row.login for row in people(here.world)]:
        raise ApiError(422, f"There is no account {login!r}.")
    answer = web.HTTPSeeOther(way_back(fields))
    answer.set_cookie(COOKIE, login, httponly=True, samesite="Lax", path="/")
    raise answer


def _repositories(here: Visit, repos: list[Repo]) -> Html:
    if not repos:
        return Html('<div class="box"><div class="empty">None that you may see.</div></div>')
    return fill('<div class="box">{rows}</div>', rows=[_repository(here, row) for row in repos])


def _repository(here: Visit, repo: Repo) -> Html:
    opened = [row for row in here.world.issues.of(repo.id) if row.is_open]
    pulls = sum(row.pull is not None for row in opened)
    issues = len(opened) - pulls
    return fill(
        '<div class="item"><div class="grow"><a class="title" href="{path}">{name}</a> {private}'
        '<div class="small muted">{about}</div>'
        '<div class="small"><a href="{path}/pulls">{pulls}</a> · <a href="{path}/issues">{issues}</a></div>'
        "</div></div>",
        path=path_of(here.world, repo),
        name=here.world.full_name(repo),
        private=Html('<span class="tag">private</span>') if repo.private else None,
        about=[f"{repo.description} · " if repo.description else "", "pushed ", age(here.world, repo.pushed_at)],
        pulls=plural(pulls, "open pull request"),
        issues=plural(issues, "issue"),
    )


async def _stages(world: World, repos: list[Repo]) -> Html:
    """The stages whose manifests a default branch holds, and which version they ask for."""
    folder, _, file = DEFAULT_PATH.partition("/{stage}/")
    cards: list[Html] = []
    for repo in repos:
        git = world.git(repo)
        head = await reading.branch(git, repo.default_branch)
        top = await reading.entry(git, head, folder) if head else None
        for row in await reading.tree(git, top.sha) if top and top.kind == "tree" else ():
            entry = await reading.entry(git, row.sha, file) if row.kind == "tree" else None
            if entry is None or entry.kind != "blob":
                continue
            try:
                version = read(await reading.blob(git, entry.sha)).version
            except ValueError:
                version = "unreadable"
            cards.append(_stage(row.path, version, world.full_name(repo)))
    if not cards:
        return Html(
            '<div class="box"><div class="empty">No stage holds anything yet. <a href="/cluster">Rules</a></div></div>'
        )
    return fill('<div class="grid">{cards}</div><p class="small"><a href="/cluster">Rules</a></p>', cards=cards)


def _stage(name: str, version: str, repository: str) -> Html:
    return fill(
        '<div class="box"><div class="head"><strong>{name}</strong><span class="push mono">{version}</span></div>'
        '<div class="pad small"><span class="muted">as {repository} says</span><br>'
        '<a href="/cluster/{path}">Status</a> · <a href="/cluster/{path}/test">Ask what runs</a> · '
        '<a href="/cluster/{path}/version">Version</a></div></div>',
        name=name,
        version=version or "nothing",
        repository=repository,
        path=quote(name),
    )


def _tags(world: World) -> tuple[str, list[tuple[str, list[str]]]]:
    storage = storage_of(world)
    return urlsplit(world.url).netloc, [(name, storage.tags(name)) for name in storage.repositories()]


def _images(host: str, found: list[tuple[str, list[str]]]) -> Html:
    if not found:
        return Html('<div class="box"><div class="empty">No image has been pushed.</div></div>')
    return fill(
        '<div class="box">{rows}</div>',
        rows=[
            fill(
                '<div class="item"><div class="grow">'
                '<a class="title mono" href="/v2/{name}/tags/list">{host}/{name}</a></div><div>{tags}</div></div>',
                host=host,
                name=name,
                tags=[
                    fill('<a class="tag mono" href="/v2/{name}/manifests/{tag}">{tag}</a> ', name=name, tag=tag)
                    for tag in tags[-_MAX_TAGS:]
                ],
            )
            for name, tags in found
        ],
    )


def _people(rows: list[Account]) -> Html:
    return fill(
        '<div class="box">{rows}</div>',
        rows=[fill('<div class="item"><div>{who}</div></div>', who=who(row)) for row in rows],
    )


def _deliveries(here: Visit, app: App) -> Html:
    rows = [row for row in here.world.deliveries if row.app_id == app.id][: -_MAX_DELIVERIES - 1 : -1]
    return fill('<div class="box">{rows}</div>', rows=[_delivery(here, row) for row in rows])


def _delivery(here: Visit, row: Delivery) -> Html:
    good = 200 <= row.status_code < 300
    symbol, tone = (Symbol.CHECK, Tone.GOOD) if good else (Symbol.CROSS, Tone.BAD)
    if row.delivered_at is None:
        symbol, tone = Symbol.RING, Tone.WAIT
    event = f"{row.event}.{row.action}" if row.action else row.event
    return fill(
        '<div class="item">{icon}<span class="grow mono">{event}</span>'
        '<span class="small muted">{status} · {age}</span></div>',
        icon=icon(symbol, tone, row.status or "waiting"),
        event=event,
        status=row.status_code or row.status,
        age=age(here.world, row.created_at),
    )
