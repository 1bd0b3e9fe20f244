"""Clone, fetch and push: `git http-backend` behind the sandbox's own sign-in, and events after a push.

https://git-scm.com/docs/git-http-backend
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import StreamReader, web

from bot.sandbox import pushes
from bot.sandbox.access import Verdict, judge, reads, visible, writes
from bot.sandbox.auth import Actor, ActorKind, BadCredentials, authenticate
from bot.sandbox.git.backend import backend
from bot.sandbox.git.guard import guard
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.repos import Repo
from bot.sandbox.world import World

P = TypeVar("P")
_CHUNK = 1 << 16
_REALM = {"WWW-Authenticate": 'Basic realm="GitHub"'}


@dataclass(slots=True)
class _Answer:
    """What the backend says before the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GitServer:
    """Serves `/OWNER/REPO(.git)/…`."""

    world: World
    hooks: Hooks

    def routes(self) -> list[web.RouteDef]:
        """The three addresses of the smart protocol."""
        at = "/{owner}/{repo}"
        return [
            web.get(at + "/info/refs", self._serve),
            web.post(at + "/git-upload-pack", self._serve),
            web.post(at + "/git-receive-pack", self._serve),
        ]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            actor = authenticate(self.world, request.headers.get("Authorization"))
        except BadCredentials:
            return web.Response(status=401, text="Invalid username or token.\n", headers=_REALM)
        service = request.query.get("service") or request.path.rpartition("/")[2]
        pushing = service == "git-receive-pack"
        repo = self.world.repo(request.match_info["owner"], request.match_info["repo"].removesuffix(".git"))
        refusal = self._refusal(actor, repo, pushing)
        if refusal is not None or repo is None:
            return refusal or _missing(actor)
        if request.method == "POST" and pushing:
            return await self._receive(request, actor, repo)
        return await self._stream(request, repo)

    def _refusal(self, actor: Actor, repo: Repo | None, pushing: bool) -> web.Response | None:
        if repo is None or not visible(self.world, actor, repo):
            return _missing(actor)
        needs = writes("contents") if pushing else reads("contents")
        if judge(self.world, actor, repo, needs) is Verdict.ALLOWED and (
            not pushing or actor.kind is not ActorKind.ANONYMOUS
        ):
            return None
        if actor.kind is ActorKind.ANONYMOUS:
            return web.Response(status=401, text="Authentication required.\n", headers=_REALM)
        name = self.world.full_name(repo)
        return web.Response(status=403, text=f"Permission to {name}.git denied to {actor.name}.\n")

    async def _stream(self, request: web.Request, repo: Repo) -> web.StreamResponse:
        """Discovery and fetching: the answer is passed on as it comes."""
        process = await self._start(request, repo, {})
        feeding = asyncio.create_task(_feed(request, process, b""))
        out = _opened(process.stdout)
        answer = await _head(out)
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        try:
            await response.prepare(request)
            while chunk := await out.read(_CHUNK):
                await response.write(chunk)
            await response.write_eof()
        finally:
            if process.returncode is None and not out.at_eof():
                process.kill()  # the client has gone
            await feeding
            await process.wait()
        return response

    async def _receive(self, request: web.Request, actor: Actor, repo: Repo) -> web.StreamResponse:
        """A push: judged before, told of after; the client hears the end when the world has."""
        start = await _commands(request.content)
        extra = await guard(self.world, actor, repo, start)
        process = await self._start(request, repo, extra)
        feeding = asyncio.create_task(_feed(request, process, start))
        out = _opened(process.stdout)
        answer = await _head(out)
        body = await out.read()
        await feeding
        await process.wait()
        if actor.account is not None:
            async with self.world.change():
                await pushes.observe(self.world, self.hooks, repo, actor.account)
        return web.Response(status=answer.status, headers=answer.headers, body=body)

    async def _start(self, request: web.Request, repo: Repo, extra: dict[str, str]) -> asyncio.subprocess.Process:
        return await backend(request, self.world.git(repo).path, request.path.split("/", 3)[3], extra)


async def _feed(request: web.Request, process: asyncio.subprocess.Process, start: bytes) -> None:
    stdin = _opened(process.stdin)
    try:
        stdin.write(start)
        async for chunk in request.content.iter_chunked(_CHUNK):
            stdin.write(chunk)
            await stdin.drain()
        stdin.close()
        await stdin.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # git had heard enough; what it thought of it is in its answer


async def _head(stream: asyncio.StreamReader) -> _Answer:
    answer = _Answer()
    while line := (await stream.readline()).decode().rstrip("\r\n"):
        key, _, value = line.partition(": ")
        if key.lower() == "status":
            answer.status = int(value.split()[0])
        else:
            answer.headers[key] = value
    return answer


async def _commands(reader: StreamReader) -> bytes:
    """The part of a push before the pack: pkt-lines up to and with the flush packet."""
    start = b""
    while True:
        try:
            size = await reader.readexactly(4)
        except asyncio.IncompleteReadError as error:
            return start + error.partial
        start += size
        if int(size, 16) == 0:
            return start
        start += await reader.readexactly(int(size, 16) - 4)


def _missing(actor: Actor) -> web.Response:
    """GitHub asks whoever is not signed in to do so before it says that there is nothing."""
    if actor.kind is ActorKind.ANONYMOUS:
        return web.Response(status=401, text="Authentication required.\n", headers=_REALM)
    return web.Response(status=404, text="Repository not found.\n")


def _opened(pipe: P | None) -> P:
    if pipe is None:
        raise RuntimeError("git was started without pipes")
    return pipe
