"""`towpath sandbox`: start, say so in one line, stop on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from bot.sandbox.seed import Seed, env_file, seed, write_secret
from bot.sandbox.server import start


def run(port: int, directory: Path, env_path: Path | None, kind: Seed, webhook_url: str | None = None) -> None:
    """Serve until told to stop; writes the settings for a bot to `env_path`. Raises UserError if it can't start."""
    asyncio.run(_run(port, directory, env_path, kind, webhook_url))


async def _run(port: int, directory: Path, env_path: Path | None, kind: Seed, webhook_url: str | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sandbox = await start(directory, port)
    try:
        keys = await seed(sandbox, kind, webhook_url)
        if env_path is not None:
            await asyncio.to_thread(write_secret, env_path, env_file(sandbox, keys))
        print(f"sandbox: listening on {sandbox.url}", flush=True)
        await stop.wait()
    finally:
        await sandbox.close()
