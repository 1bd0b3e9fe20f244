"""The sandbox in a browser: plain pages of what REST serves, from the same state and by the same rules."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.sandbox.hooks import Hooks
from bot.sandbox.pages import code, commits, issue, lists, overview, pull, runs
from bot.sandbox.pages.frame import page
from bot.sandbox.pages.html import fill
from bot.sandbox.pages.visit import Visit, arrive, check_host, explained
from bot.sandbox.rest.errors import ApiError, not_found
from bot.sandbox.world import World

Handler = Callable[[Visit], Awaitable[web.Response]]

_AT = "/{owner}/{repo}"
_PULL, _ISSUE = _AT + r"/pull/{number:\d+}", _AT + r"/issues/{number:\d+}"

_GET: tuple[tuple[str, Handler], ...] = (
    ("/", overview.index),
    (r"/avatars/u/{number:\d+}", overview.avatar),
    ("/apps/{slug}", overview.app),
    ("/orgs/{owner}/teams/{slug}", overview.team),
    (r"/organizations/{owner}/settings/installations/{number:\d+}", overview.installation),
    (_PULL, pull.show),
    (_PULL + ".diff", pull.as_diff),
    (_PULL + ".patch", pull.as_diff),
    (_AT + "/pulls", lists.pulls),
    (_ISSUE, issue.show),
    (_AT + "/issues/new", issue.new),
    (_AT + "/issues", lists.issues),
    (_AT + "/tree/{rest:.+}", code.tree),
    (_AT + "/blob/{rest:.+}", code.blob),
    (_AT + "/raw/{rest:.+}", code.raw),
    (_AT + "/commits", commits.history),
    (_AT + "/commits/{rest:.+}", commits.history),
    (_AT + "/commit/{sha}", commits.commit),
    (_AT + "/compare/{span:.+}", commits.compare),
    (_AT + r"/runs/{number:\d+}", runs.show),
    (_AT, code.repository),
    ("/{owner}", overview.account),
)
_POST: tuple[tuple[str, Handler], ...] = (
    ("/session", overview.become),
    (_AT + r"/runs/{number:\d+}/press", runs.press),
    (_PULL + "/comments", pull.comment),
    (_PULL + "/merge", pull.merge),
    (_ISSUE + "/comments", issue.comment),
    (_AT + "/issues", issue.create),
)


def plug(world: World, hooks: Hooks) -> list[web.RouteDef]:
    """The pages of a sandbox, as routes for its server. What comes before them in the server keeps its addresses."""
    pages = _Pages(world, hooks)
    found = [web.get(path, pages.serving(handler)) for path, handler in _GET]
    return found + [web.post(path, pages.serving(handler)) for path, handler in _POST]


class _Pages:
    """Turns handlers of visits into handlers of requests, and refusals into pages that say why."""

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world, self._hooks, self._secret = world, hooks, secrets.token_bytes(32)

    def serving(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            here = arrive(self._world, self._hooks, self._secret, request)
            try:
                check_host(request)
                if "repo" in request.match_info and here.found is None:
                    raise not_found()
                return await handler(here)
            except ApiError as error:
                return _refusal(here, error)

        return serve


def _refusal(here: Visit, error: ApiError) -> web.Response:
    words = "There is nothing here that you may see." if error.status == 404 else explained(error)
    content = fill(
        '<div class="empty"><h1>{status}</h1><p>{words}</p><p><a href="/">To the beginning</a></p></div>',
        status=error.status,
        words=words,
    )
    return page(here, str(error.status), content, status=error.status)
