"""Who asks, for what, and the ways to say no: what all of the sandbox's GitLab API has in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.gitlab.model import Project, Token, User
from bot.sandbox.gitlab.world import GitLab, Unknown

Handler = Callable[["Call"], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """An answer of 4xx; `body` as GitLab's."""

    def __init__(self, status: int, body: Mapping[str, Any] | str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = {"message": body} if isinstance(body, str) else body


@dataclass(frozen=True, slots=True)
class Fault:
    """`late`: the call is carried out, only its answer is lost."""

    status: int
    headers: Mapping[str, str]
    late: bool = False


@dataclass(slots=True)
class Faults:
    """What the next calls fail with, None for one that does not, and every call that was made: method and path."""

    pending: list[Fault | None] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def fail(self, status: int, times: int = 1, *, after: int = 0, late: bool = False, **headers: str) -> None:
        """`after` so many calls that go well. A header's underscores stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pending += [None] * after + [Fault(status, named, late)] * times


@dataclass(frozen=True, slots=True)
class Call:
    """One call, by whoever its token is of."""

    world: GitLab
    request: web.Request
    token: Token | None
    data: Mapping[str, Any]

    @property
    def user(self) -> User:
        """Whoever asks; raises Problem for who has no token."""
        if self.token is None:
            raise Problem(401, "401 Unauthorized")
        return self.token.user

    def given(self, name: str) -> Any:
        """A parameter, from the body or the query."""
        return self.data.get(name, self.request.query.get(name))

    def wanted(self, name: str) -> str:
        value = self.given(name)
        if value is None:
            raise Problem(400, {"error": f"{name} is missing"})
        if not str(value).strip():
            raise Problem(400, {"error": f"{name} is empty"})
        return str(value)

    def number(self, name: str) -> int:
        text = self.request.match_info[name]
        if not text.isdigit():
            raise Problem(400, {"error": f"{name} is invalid"})
        return int(text)

    def project(self) -> Project:
        """The one in the path. What has moved is redirected to, for GET only: https://docs.gitlab.com/api/rest/#redirects"""
        name = self.request.match_info["id"].replace("%2F", "/").replace("%2f", "/")
        try:
            project = self.world.project(name)
        except Unknown as error:
            raise Problem(404, "404 Project Not Found") from error
        if not self.world.sees(project, self.token.user if self.token else None):
            raise Problem(404, "404 Project Not Found")
        if not name.isdigit() and name.lower() != project.path.lower():
            if self.request.method != "GET":
                raise Problem(405, "Non GET methods are not allowed for moved projects")
            rest = self.request.path_qs.partition("/projects/")[2].partition("/")[2]
            raise web.HTTPMovedPermanently(f"{self.world.url}/api/v4/projects/{project.id}{'/' if rest else ''}{rest}")
        return project

    def listed(self, items: list[Any]) -> web.Response:
        """One page of a list: https://docs.gitlab.com/api/rest/#offset-based-pagination"""
        page, size = (int(self.request.query.get(name, usual)) for name, usual in (("page", 1), ("per_page", 20)))
        size = max(1, min(size, 100))
        pages = max(1, -(-len(items) // size))
        headers = {
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Total": str(len(items)),
            "X-Total-Pages": str(pages),
            "X-Next-Page": str(page + 1) if page < pages else "",
            "X-Prev-Page": str(page - 1) if page > 1 else "",
        }
        return web.json_response(items[(page - 1) * size : page * size], headers=headers)


def guarded(world: GitLab, faults: Faults, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler behind GitLab's door: faults, tokens, scopes, and refusals as JSON."""

    async def handle(request: web.Request) -> web.StreamResponse:
        faults.calls.append((request.method, request.raw_path.partition("?")[0].removeprefix("/api/v4")))
        fault = faults.pending.pop(0) if faults.pending else None
        if fault is None or fault.late:
            try:
                answer = await handler(Call(world, request, _token(world, request), await _data(request)))
            except Problem as problem:
                answer = web.json_response(problem.body, status=problem.status)
            if request.method != "GET":
                for observer in world.observers:
                    observer(request.method, request.path)
            if fault is None:
                return answer
        said = '{"message": "409 Conflict: Resource lock"}' if fault.status == 409 else "Retry later\n"
        return web.Response(status=fault.status, text=said, headers=fault.headers)

    return handle


def _token(world: GitLab, request: web.Request) -> Token | None:
    """https://docs.gitlab.com/api/rest/authentication/"""
    header = request.headers.get("Authorization", "")
    text = request.headers.get("PRIVATE-TOKEN") or header.removeprefix("Bearer ").strip()
    if not text:
        return None
    token = world.tokens.get(text)
    if token is None:
        raise Problem(401, "401 Unauthorized")
    if token.revoked:
        said = "Token was revoked. You have to re-authorize from the user."
        raise Problem(401, {"error": "invalid_token", "error_description": said})
    enough = {"api"} if request.method != "GET" else {"api", "read_api"}
    if not token.scopes & enough:
        said = "The request requires higher privileges than provided by the access token."
        raise Problem(
            403, {"error": "insufficient_scope", "error_description": said, "scope": " ".join(sorted(enough))}
        )
    return token


async def _data(request: web.Request) -> Mapping[str, Any]:
    if not request.can_read_body:
        return {}
    if request.content_type != "application/json":
        return dict(await request.post())
    try:
        data = await request.json()
    except ValueError as error:
        raise Problem(400, {"error": "the body is no JSON"}) from error
    if not isinstance(data, dict):
        raise Problem(400, {"error": "the body is no JSON object"})
    return data
