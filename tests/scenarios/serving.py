"""`towpath serve` in a process of its own, which can be killed.

A story of kills starts dozens of them, and loading the bot takes longer than what it then does: so each is forked from
one process that has loaded it already. https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bot.__main__ import main
from bot.sandbox.seed import env_file
from tests.sandbox.driver import GitHub


def settings_file(github: GitHub, folder: Path, more: str = "") -> tuple[Path, Path]:
    """The sandbox's env file for a bot that takes webhooks where they are sent, and its DATA_DIR."""
    env, data = folder / "bot.env", folder / "data"
    port = github.keys.webhook_url.rpartition(":")[2].partition("/")[0]
    env.write_text(
        env_file(github.sandbox, github.keys)
        .replace(f"\nPORT={github.sandbox.port + 1}\n", f"\nPORT={port}\n")
        .replace(f"DATA_DIR={github.sandbox.world.directory / 'bot'}", f"DATA_DIR={data}")
        + more
    )
    return env, data


@dataclass(frozen=True, slots=True)
class Served:
    """One life of the bot."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; a signal's number below zero. None while it lives."""
        return self.process.exitcode


def _serve(env: Path, log: Path) -> None:
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    sys.argv = ["towpath", "serve", "--env-file", str(env)]
    main()


@asynccontextmanager
async def serving(env: Path, log: Path) -> AsyncIterator[Served]:
    """`towpath serve` with these settings; dead when left, one way or the other."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bot.app", __name__])
    process = context.Process(target=_serve, args=(env, log))
    await asyncio.to_thread(process.start)
    try:
        yield Served(process)
    finally:
        process.terminate()
        await asyncio.to_thread(process.join)
        process.close()
