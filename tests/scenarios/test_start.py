"""A bot starts: it says when it can work, and clears away what a killed one left."""

import asyncio
import os
import sys
import time
from pathlib import Path

from bot.sandbox.seed import env_file
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PATIENCE, PIPELINE, scene


async def test_it_is_ready_and_what_was_left_over_is_gone(github: GitHub, tmp_path: Path) -> None:
    data = tmp_path / "bot"
    old, young = (data / "promotions" / f"promotion-{name}" for name in ("old", "young"))
    for folder in (old, young):
        (folder / "src").mkdir(parents=True)
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))

    async with scene(github, data, {**CHART, ".promotion.yaml": PIPELINE}) as shop:
        async with github.session.get(f"{shop.bot.url}/readyz") as answer:
            assert (answer.status, await answer.text()) == (200, "ready\n")
        assert not old.exists()
        assert young.exists()


async def test_the_command_serves_until_it_is_told_to_stop(github: GitHub, tmp_path: Path) -> None:
    env = tmp_path / "bot.env"
    settings = env_file(github.sandbox, github.keys)
    env.write_text(settings.replace(f"\nPORT={github.sandbox.port + 1}\n", "\nPORT=0\n"))
    command = (sys.executable, "-m", "bot", "serve", "--env-file", str(env))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            said = (await process.stdout.readline()).decode()
            assert said.startswith("towpath: listening on http://127.0.0.1:")
            async with github.session.get(f"{said.split()[-1]}/readyz") as answer:
                assert (answer.status, await answer.text()) == (200, "ready\n")
            process.terminate()
            rest, _ = await process.communicate()
        assert (process.returncode, rest) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
