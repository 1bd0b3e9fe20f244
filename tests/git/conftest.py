"""Real bare repositories, by file and behind `git http-backend`, and a `Git` port to try on them."""

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from bot.contracts.git import Credential, Identity
from bot.git.client import MirroredGit

BOT = Identity("towpath[bot]", "towpath[bot]@example.com")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class StandingClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Remote:
    """A bare repository that somebody else works on, by a clone of their own."""

    path: Path
    clone: Path
    url: str = ""

    def __post_init__(self) -> None:
        self.url = self.url or f"file://{self.path}"

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.clone.parent),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "maintainer",
            "GIT_AUTHOR_EMAIL": "maintainer@example.com",
            "GIT_COMMITTER_NAME": "maintainer",
            "GIT_COMMITTER_EMAIL": "maintainer@example.com",
        }
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.clone, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, files: dict[str, str], message: str = "change", branch: str = "main") -> str:
        """Commit files to a branch of the remote, from wherever it is there, and say the commit's SHA."""
        self.git("fetch", "-q", "origin")
        exists = self.git("branch", "-r", "--list", f"origin/{branch}")
        start = f"origin/{branch}" if exists else "HEAD"
        self.git("checkout", "-q", "-B", branch, *([start] if exists or self.git("branch", "-a") else []))
        for name, content in files.items():
            file = self.clone / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def at(self, ref: str) -> str:
        return self.git("rev-parse", f"{ref}^{{commit}}", cwd=self.path)

    def files(self, ref: str) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", ref, cwd=self.path).splitlines()


def make_remote(folder: Path) -> Remote:
    folder.mkdir(parents=True, exist_ok=True)
    remote = Remote(folder / "config.git", folder / "clone")
    remote.git("init", "-q", "--bare", "-b", "main", str(remote.path), cwd=folder)
    remote.git("config", "http.receivepack", "true", cwd=remote.path)
    remote.git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=remote.path)
    remote.git("clone", "-q", str(remote.path), str(remote.clone), cwd=folder)
    remote.write({"README.md": "hello\n", "out/test/a.yaml": "a: 1\n", "chart/values.yaml": "tag: 1\n"}, "first")
    return remote


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return make_remote(tmp_path / "remote")


async def nobody(_url: str) -> Credential | None:
    return None


@pytest.fixture
async def new_git(tmp_path: Path) -> AsyncIterator[Callable[[], MirroredGit]]:
    """Makes `Git` ports over one folder, as a restarted Towpath would; all are closed in the end."""
    made: list[MirroredGit] = []

    def new(
        credentials: Callable[[str], Awaitable[Credential | None]] = nobody, *, allow_file: bool = True
    ) -> MirroredGit:
        made.append(MirroredGit(tmp_path / "data", credentials, BOT, StandingClock(), allow_file=allow_file))
        return made[-1]

    yield new
    for one in made:
        await one.close()


@pytest.fixture
def git(new_git: Callable[[], MirroredGit]) -> MirroredGit:
    return new_git()


@dataclass
class GitServer:
    """`git http-backend` over HTTP, that can be told to refuse, and remembers what it was asked."""

    root: Path
    url: str = ""
    password: str = ""
    status: int = 0  # answer everything with this
    location: str = ""
    asked: list[str] = field(default_factory=list)
    hold_from: int = 0  # from this request on, answers wait for `released`
    held: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        if self.hold_from and len(self.asked) >= self.hold_from:
            self.held.set()
            await self.released.wait()
        if self.status:
            headers = {"Location": self.location} if self.location else {}
            return web.Response(status=self.status, headers=headers)
        if self.password:
            expected = base64.b64encode(f"x-access-token:{self.password}".encode()).decode()
            if request.headers.get("Authorization") != f"Basic {expected}":
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={
                "PATH": os.defpath,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": request.path,
                "QUERY_STRING": request.query_string,
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "someone",
            },
        )  # fmt: skip
        out, _ = await process.communicate(await request.read())
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        return web.Response(status=status, headers=headers, body=body)


@pytest.fixture
async def server(remote: Remote) -> AsyncIterator[GitServer]:
    server = GitServer(remote.path.parent)
    app = web.Application(client_max_size=2**28, handler_args={"auto_decompress": False})
    app.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/config.git"
    yield server
    await runner.cleanup()
