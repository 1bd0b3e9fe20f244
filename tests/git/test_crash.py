"""Killed at the worst moment, Towpath finds its way: what a dead one's git still writes is waited for, then mended."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.git.conftest import Remote

ROOT = Path(__file__).parents[2]
CHILD = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from bot.contracts.git import Identity
from bot.git.client import MirroredGit

class Clock:
    def now(self):
        return datetime(2026, 1, 2, tzinfo=UTC)

async def nobody(url):
    return None

async def main(folder, url):
    git = MirroredGit(Path(folder), nobody, Identity("x", "x@example.com"), Clock())
    await git.refs(url)
    await git.refs(url)

asyncio.run(main(*sys.argv[1:]))
"""


async def start(folder: Path, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(folder), url, cwd=ROOT, env={"PATH": os.defpath}
    )


@pytest.mark.parametrize("moment", ["clone", "listing", "fetch"])
async def test_killed_while_git_talks_to_the_remote(git, remote: Remote, server, tmp_path, moment):
    data = tmp_path / "data"
    if moment != "clone":
        await git.refs(server.url)
    if moment == "fetch":
        remote.write({"README.md": "newer\n"})
    server.asked.clear()
    requests = {"clone": 2, "listing": 1, "fetch": 5}[moment]
    server.hold_from = requests

    dying = await start(data, server.url)
    await asyncio.wait_for(server.held.wait(), 30)
    dying.send_signal(signal.SIGKILL)
    await dying.wait()
    asking = asyncio.create_task(git.refs(server.url))
    await asyncio.sleep(0)
    server.released.set()

    refs = await asyncio.wait_for(asking, 60)
    assert refs.heads == {"main": remote.at("main")}
    assert await git.read(server.url, "main", "README.md") == (b"newer\n" if moment == "fetch" else b"hello\n")
    assert [p.name for p in (data / "mirrors").iterdir() if p.suffix == ".new"] == []
