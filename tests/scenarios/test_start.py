"""A bot starts: it says when it can work, and clears away what a killed one left."""

import os
import time
from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, scene


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
