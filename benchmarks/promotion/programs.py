"""The two that promote, each a process of its own: `towpath serve`, and the script of `straight_line.py`."""

import asyncio
import json
import os
import shlex
import shutil
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt

from benchmarks.promotion.pipelines import Pipeline
from benchmarks.promotion.straight_line import Place
from benchmarks.promotion.world import World
from bot.rendering import find_programs
from bot.sandbox.seed import env_file

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@asynccontextmanager
async def serving(world: World, folder: Path, port: int, path: Sequence[Path] = ()) -> AsyncIterator[None]:
    """`towpath serve` with the settings the sandbox gives out; `path` goes before PATH. Ready when entered."""
    text = env_file(world.sandbox, world.keys)
    text = "".join(line for line in text.splitlines(True) if not line.startswith(("PORT=", "DATA_DIR=")))
    env = folder / "bot.env"
    await asyncio.to_thread(env.write_text, f"{text}PORT={port}\nDATA_DIR={folder / 'bot'}\nTICK_INTERVAL=1h\n")
    found = [Path(sys.executable).parent, *(Path(p).parent for p in (shutil.which("git"),) if p)]
    environment = {"PATH": os.pathsep.join([*map(str, (*path, *found)), os.defpath])}
    with (folder / "bot.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve", "--env-file", str(env)),
            cwd=_ROOT, env=environment, stdout=log, stderr=log, stdin=DEVNULL,
        )  # fmt: skip
    try:
        await _answering(world.session, f"http://127.0.0.1:{port}/readyz", process, folder / "bot.log")
        await world.quiet()  # the first tick
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answering(session: aiohttp.ClientSession, url: str, process: Process, log: Path) -> None:
    async with asyncio.timeout(_PATIENCE):
        while process.returncode is None:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
    raise RuntimeError(f"towpath serve ended:\n{await asyncio.to_thread(log.read_text)}")


@dataclass(frozen=True, slots=True)
class Script:
    """The running script."""

    process: Process

    async def warm(self) -> None:
        await self._tell({"warm": True})

    async def promote(self, version: str) -> None:
        await self._tell({"promote": version})

    async def _tell(self, what: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        async with asyncio.timeout(_PATIENCE):
            if not await self.process.stdout.readline():
                raise RuntimeError("the script ended; what it said is above")


@asynccontextmanager
async def straight_line(world: World, folder: Path, pipeline: Pipeline) -> AsyncIterator[Script]:
    """The script, set to work on a pipeline's first stage. Its mirror is not warm yet."""
    await asyncio.to_thread(folder.mkdir)
    place = Place(
        url=world.sandbox.url,
        api=world.sandbox.world.api,
        token=await installation_token(world),
        repository=pipeline.repository,
        stage=pipeline.first,
        values=pipeline.values(pipeline.first),
        folder=str(folder),
        helm=list(find_programs().helm),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.promotion.straight_line", cwd=_ROOT, stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(place)).encode() + b"\n")
        yield Script(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def installation_token(world: World) -> str:
    """A token such as Towpath works with. It holds for an hour."""
    now = int(time.time())
    key = await asyncio.to_thread(world.keys.private_key_path.read_text)
    app = jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(world.keys.app_id)}, key, algorithm="RS256")
    headers, api = {"Authorization": f"Bearer {app}"}, world.sandbox.world.api
    async with world.session.get(f"{api}/app/installations", headers=headers) as answer:
        (installation,) = await answer.json()
    url = f"{api}/app/installations/{installation['id']}/access_tokens"
    async with world.session.post(url, headers=headers) as answer:
        token: str = (await answer.json())["token"]
        return token


@dataclass(frozen=True, slots=True)
class GitCounter:
    """A `git` that writes down its subcommand and becomes the real one. `folder` goes before PATH."""

    folder: Path

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"

    @classmethod
    def make(cls, folder: Path) -> "GitCounter":
        """Raises FileNotFoundError where there is no git."""
        git = shutil.which("git")
        if git is None:
            raise FileNotFoundError("git is not on PATH")
        folder.mkdir()
        counter = cls(folder)
        script = folder / "git"
        script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {shlex.quote(str(counter._journal))}\nexec {git} "$@"\n')
        script.chmod(0o755)
        return counter

    def reset(self) -> None:
        self._journal.write_text("")

    def counts(self) -> Counter[str]:
        """How often each subcommand was started since `reset`."""
        return Counter(self._journal.read_text().split())
