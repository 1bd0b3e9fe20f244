"""A version has to stay in one stage for a while before it may enter the next."""

import re
from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, Scene, scene


async def test_who_asks_too_early_is_told_when(shop: Scene) -> None:
    pipeline = (await shop.read(".promotion.yaml")).replace("    from: test\n", "    from: test\n    soak: 1h\n")
    await shop.write({".promotion.yaml": pipeline}, message="soak for an hour")
    await shop.publish("1.0.0")
    number = (await shop.landed("test"))["number"]
    await shop.hears(number, "verified in `test`")

    await shop.say("writer", number, "/promote uat")

    said = await shop.hears(number, "was refused", "has to be in test for 1h", "opens by itself at")
    assert re.search(r"opens by itself at \d{4}-\d\d-\d\d \d\d:\d\d UTC", said)
    assert not await shop.pulls("uat")


async def test_automation_waits_until_it_has_soaked(github: GitHub, tmp_path: Path) -> None:
    soaked = PIPELINE.replace("    from: test\n", "    from: test\n    auto: true\n    soak: 2s\n")
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": soaked}) as shop:
        await shop.publish("1.0.0")
        await shop.hears((await shop.landed("test"))["number"], "`uat` is next, and goes by itself")

        (pull,) = await shop.comes_true("the pull request into uat", lambda: shop.pulls("uat", "open"))

        await shop.quiet()
        assert await shop.checks(pull["head"]["sha"]) == {"promotion/uat": "success"}
