"""What every REST call goes through: signing in, limits, permission, JSON, errors, ETags, the log."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.access import Needs, Verdict, Who, judge
from bot.sandbox.auth import ANONYMOUS, Actor, ActorKind, BadCredentials, authenticate
from bot.sandbox.hooks import Hooks
from bot.sandbox.limits import Limits
from bot.sandbox.observers import Exchange, Record
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, forbidden, not_found
from bot.sandbox.world import World

PREFIX = "/api/v3"
# These parameters may hold slashes; of labels' names that is shown by https://github.com/octokit/octokit.rb/pull/897
_WILD = ("path", "ref", "branch", "basehead", "name")
_BROKEN = {"message": "Server Error", "status": "500"}
_STANDARD = {
    "X-GitHub-Media-Type": "github.v3; format=json",
    "X-GitHub-Api-Version-Selected": "2022-11-28",
    "Vary": "Accept, Authorization",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Serves routes of the REST API."""

    world: World
    hooks: Hooks
    limits: Limits
    record: Record

    def bind(self, routes: tuple[Route, ...]) -> list[web.RouteDef]:
        """The aiohttp routes, those with the most particular path first; anything else is 404, and noted."""
        ordered = sorted(routes, key=lambda route: (route.path.endswith("}"), -len(route.path)))
        bound = [web.route(route.method, _pattern(route.path), self._handler(route), name=None) for route in ordered]
        return [*bound, web.route("*", PREFIX + "{rest:(/.*)?}", self._unserved)]

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, route)

        return handle

    async def _unserved(self, request: web.Request) -> web.StreamResponse:
        self.record.unserved.append(f"{request.method} {request.path}")
        return await self._serve(request, None)

    async def _serve(self, request: web.Request, route: Route | None) -> web.StreamResponse:
        began = time.perf_counter()
        raw = await request.read()
        actor, reply, sent = ANONYMOUS, Reply(_BROKEN, 500), None
        try:
            actor = authenticate(self.world, request.headers.get("Authorization"))
            now = self.world.clock().timestamp()
            if self.limits.exhausted(actor, now):
                raise ApiError(403, f"API rate limit exceeded for {actor.name}.")
            sent = _json(raw)
            reply = await self._answer(request, route, actor, sent)
        except BadCredentials as error:
            reply = _refusal(ApiError(401, str(error)))
        except ApiError as error:
            reply = _refusal(error)
        finally:  # a mistake of ours goes on to aiohttp, which logs it and answers 500; here it is only noted
            response = self._response(request, actor, reply)
            self._note(request, sent, response.status, reply, actor, (time.perf_counter() - began) * 1000)
        return response

    def _note(self, request: web.Request, sent: Any, status: int, reply: Reply, actor: Actor, took: float) -> None:
        path = request.rel_url.raw_path.removeprefix(PREFIX) or "/"
        answer = reply.body if reply.content_type == "application/json" and status != 304 else None
        self.record.exchange(
            Exchange(
                request.method,
                path,
                request.query_string,
                sent,
                status,
                answer,
                actor.name,
                took,
                reply.content_type,
            )
        )

    async def _answer(self, request: web.Request, route: Route | None, actor: Actor, sent: Any) -> Reply:
        if route is None:
            raise not_found()
        if isinstance(sent, list) and route.array:
            sent = {route.array: sent}
        if sent is not None and not isinstance(sent, dict):
            raise ApiError(400, "Body should be a JSON object")
        params = dict(request.match_info)
        repo = None
        if route.path.startswith("/repos/{owner}/{repo}"):
            repo = self.world.repo(params["owner"], params["repo"])
            if repo is None:
                raise not_found()
        _admit(actor, route.needs)
        if repo is not None:
            match judge(self.world, actor, repo, route.needs):
                case Verdict.HIDDEN:
                    raise not_found()
                case Verdict.FORBIDDEN:
                    raise _forbidden(actor)
        elif actor.kind is ActorKind.INSTALLATION and not _granted(actor, route.needs):
            raise forbidden()
        call = Call(
            self.world,
            self.hooks,
            self.limits,
            actor,
            request.method,
            request.rel_url.raw_path.removeprefix(PREFIX),
            params,
            dict(request.query),
            Body(sent or {}),
            request.headers.get("Accept", ""),
            repo,
        )
        if request.method == "GET":
            return await route.handler(call)
        async with self.world.change():
            return await route.handler(call)

    def _response(self, request: web.Request, actor: Actor, reply: Reply) -> web.Response:
        """The reply on the wire. A 304 costs nothing of the rate limit, as GitHub promises."""
        headers: dict[str, str] = {**_STANDARD, **reply.headers}
        content = _content(reply)
        status = reply.status
        if request.method in ("GET", "HEAD") and status == 200:
            tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
            headers |= {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
            if _same(request.headers.get("If-None-Match", ""), tag):
                status, content = 304, b""
        now = self.world.clock().timestamp()
        headers |= self.limits.spend(actor, now, cost=int(status != 304))
        if content:
            headers["Content-Type"] = f"{reply.content_type}; charset=utf-8"
        return web.Response(status=status, body=content or None, headers=headers)


def _pattern(path: str) -> str:
    """GitHub's template as aiohttp's; HEAD and trailing parts are left to aiohttp."""
    for name in _WILD:
        path = path.replace(f"{{{name}}}", f"{{{name}:{'.*' if name == 'path' else '.+'}}}")
    return PREFIX + path


def _json(raw: bytes) -> Any:
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error


def _admit(actor: Actor, needs: Needs) -> None:
    """Whether this kind of caller may use the route at all."""
    match needs.who:
        case Who.APP if actor.kind is not ActorKind.APP:
            raise ApiError(401, "A JSON web token could not be decoded")
        case Who.ANYONE | Who.APP:
            return
        case _ if actor.kind is ActorKind.ANONYMOUS:
            raise ApiError(401, "Requires authentication")
        case Who.INSTALLATION if actor.kind is not ActorKind.INSTALLATION:
            raise forbidden("Resource not accessible by personal access token")
        case Who.USER if actor.kind is not ActorKind.USER:
            raise forbidden()
        case Who.TOKEN if actor.kind is ActorKind.APP:
            raise forbidden()


def _granted(actor: Actor, needs: Needs) -> bool:
    levels = (actor.level(name) for name in needs.permissions)
    return any(level is not None and level.allows(needs.level) for level in levels)


def _forbidden(actor: Actor) -> ApiError:
    if actor.kind is ActorKind.ANONYMOUS:
        return ApiError(401, "Requires authentication")
    return forbidden("Must have admin rights to Repository.") if actor.kind is ActorKind.USER else forbidden()


def _refusal(error: ApiError) -> Reply:
    return Reply(error.body, error.status, error.headers)


def _content(reply: Reply) -> bytes:
    if reply.body is None:
        return b""
    if isinstance(reply.body, bytes):
        return reply.body
    if isinstance(reply.body, str) and reply.content_type != "application/json":
        return reply.body.encode()
    return json.dumps(reply.body, separators=(",", ":")).encode()


def _same(wanted: str, tag: str) -> bool:
    """Weak comparison, as RFC 9110 asks for If-None-Match."""
    given = [part.strip().removeprefix("W/") for part in wanted.split(",")]
    return tag.removeprefix("W/") in given
