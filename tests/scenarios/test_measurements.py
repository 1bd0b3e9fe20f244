"""A verification measures more than once, and more often than anybody looks."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, scene


async def test_many_measurements_in_no_time(github: GitHub, tmp_path: Path) -> None:
    often = PIPELINE.replace(
        "      - name: greeting\n", "      - name: greeting\n        count: 60\n        interval: 1ms\n"
    )
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": often}) as shop:
        await shop.publish("1.0.0")

        (pull,) = await shop.comes_true("the pull request", lambda: shop.pulls("test"))
        await shop.comes_true("the result", lambda: shop.comments(pull["number"]))
        await shop.hears(pull["number"], "service 1.0.0 is verified in `test`", "60 good, 0 bad")
