"""One look at a page or one press of a button: who it is by, what they may do, and doing it the way REST does.

Whoever opens the pages says themselves which account they are, for this world holds nothing but play. Everything
else is in earnest: what an account does here goes through the very routes of the REST API, with their rules.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aiohttp import web

from bot.sandbox.access import Verdict, judge, visible
from bot.sandbox.auth import ANONYMOUS, Actor, ActorKind
from bot.sandbox.git.process import GitRepo
from bot.sandbox.hooks import Hooks
from bot.sandbox.limits import Limits
from bot.sandbox.model.accounts import Account, AccountKind
from bot.sandbox.model.issues import Issue
from bot.sandbox.model.repos import Repo
from bot.sandbox.rest.areas import ROUTES
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, forbidden, not_found
from bot.sandbox.world import World

COOKIE = "sandbox-account"
DEFAULT_LOGIN = "maintainer"
_LOCAL = ("127.0.0.1", "localhost", "::1")
_BY_NAME = {(route.method, route.path): route for route in ROUTES}


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with all that is known about it. `secret` makes the tokens in forms."""

    world: World
    hooks: Hooks
    request: web.Request
    secret: bytes
    actor: Actor
    found: Repo | None

    @property
    def account(self) -> Account | None:
        """Who is looking; None in a world without people."""
        return self.actor.account

    @property
    def repo(self) -> Repo:
        """The repository in the path."""
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def git(self) -> GitRepo:
        """Its Git repository."""
        return self.world.git(self.repo)

    @property
    def base(self) -> str:
        """The path of the repository's page."""
        return path_of(self.world, self.repo)

    @property
    def token(self) -> str:
        """What a form must send back: known only to pages this server made for this account."""
        return hmac.new(self.secret, self.actor.name.encode(), hashlib.sha256).hexdigest()

    def issue(self, *, pull: bool) -> Issue:
        """The issue or pull request in the path; one of the other kind sends on to its own page."""
        number = self.request.match_info["number"]
        issue = self.world.issue(self.repo, int(number)) if len(number) < 10 else None
        if issue is None:
            raise not_found()
        if (issue.pull is not None) is not pull:
            raise web.HTTPSeeOther(self.path_of_issue(issue))
        return issue

    def path_of_issue(self, issue: Issue) -> str:
        """The path of an issue's or pull request's page."""
        return f"{self.base}/{'pull' if issue.pull else 'issues'}/{issue.number}"

    def may(self, method: str, template: str) -> bool:
        """Whether the account may use a route of the REST API on this repository."""
        needs = _route(method, template).needs
        return self.account is not None and judge(self.world, self.actor, self.repo, needs) is Verdict.ALLOWED

    async def perform(self, method: str, template: str, body: Mapping[str, object], **params: object) -> Reply:
        """Do what a route of the REST API does, as the account, with its rules and webhooks; raises ApiError."""
        route = _route(method, template)
        if not self.may(method, template):
            role = self.world.role(self.account, self.repo) if self.account else "none"
            raise forbidden(f"{self.actor.name} may not do this here: it takes {route.needs.role}, they have {role}.")
        known = {"owner": self.world.owner(self.repo).login, "repo": self.repo.name}
        named = known | {name: str(value) for name, value in params.items()}
        path = template.format(**{name: quote(value, safe="") for name, value in named.items()})
        call = Call(self.world, self.hooks, Limits(), self.actor, method, path, named, {}, Body(body), "", self.found)
        async with self.world.change():
            return await route.handler(call)


def arrive(world: World, hooks: Hooks, secret: bytes, request: web.Request) -> Visit:
    """Who asks for what. A repository that they may not know of is not found."""
    actor, names = _actor(world, request.cookies.get(COOKIE)), request.match_info
    repo = world.repo(names["owner"], names["repo"].removesuffix(".git")) if "repo" in names else None
    seen = repo is not None and visible(world, actor, repo)
    return Visit(world, hooks, request, secret, actor, repo if seen else None)


def people(world: World) -> list[Account]:
    """Whom one can be."""
    return [row for row in world.accounts if row.kind is AccountKind.USER]


def path_of(world: World, repo: Repo) -> str:
    """The path of a repository's page."""
    return f"/{quote(world.owner(repo).login)}/{quote(repo.name)}"


def check_host(request: web.Request) -> None:
    """Refuse a name that is not this machine's, by which a page elsewhere could pass itself off as one of ours."""
    if _hostname(f"//{request.host}") not in _LOCAL:
        raise forbidden(f"The sandbox is at http://127.0.0.1, and does not answer to the name {request.host!r}.")


async def checked_form(here: Visit) -> Mapping[str, str]:
    """The fields of a form that one of our pages sent; raises ApiError (403) for anybody else's.

    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    headers = here.request.headers
    origin = headers.get("Origin")
    ours = origin is None or urlsplit(origin).netloc == here.request.host
    if not ours or headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise forbidden("This form was sent from another site.")
    fields = {name: value for name, value in (await here.request.post()).items() if isinstance(value, str)}
    if not hmac.compare_digest(fields.get("token", "").encode(), here.token.encode()):
        raise forbidden("This form is out of date: go back, reload the page and try again.")
    return fields


def way_back(fields: Mapping[str, str]) -> str:
    """The page a form was on, as it says itself: a path, never another site."""
    back = urlsplit(fields.get("back", "/"))
    path = quote(f"/{back.path.lstrip('/')}", safe="/%")
    return f"{path}?{back.query}" if back.query else path


def explained(error: ApiError) -> str:
    """What a refusal says, with its details."""
    details = [str(row.get("message") or f"{row.get('field')}: {row.get('code')}") for row in error.errors]
    return ": ".join([error.message, *filter(None, ["; ".join(details)])])


def _actor(world: World, login: str | None) -> Actor:
    choice = people(world)
    chosen = next((row for row in choice if row.login == login), None)
    account = chosen or next((row for row in choice if row.login == DEFAULT_LOGIN), choice[0] if choice else None)
    return Actor(ActorKind.USER, account) if account else ANONYMOUS


def _route(method: str, template: str) -> Route:
    return _BY_NAME[method, template]


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # not even an address
        return None
