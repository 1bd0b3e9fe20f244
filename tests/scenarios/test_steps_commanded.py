"""A promotion that somebody asked for, and that waits before its pull request: it goes on by itself."""

from pathlib import Path

import yaml

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO, scene
from tests.scenarios.test_steps_state import (
    ANNOUNCE,
    PROPOSE,
    RENDER,
    WAIT,
    Gate,
    gate,
    head,
    kept,
    pipeline,
    restarted,
    verified,
)

__all__ = ["gate"]  # the fixture


async def test_it_goes_on_after_a_restart_as_whoever_asked_for_it(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    folder = tmp_path / "bot"
    files = pipeline(ANNOUNCE + WAIT + RENDER + PROPOSE, gate)
    files[".promotion.yaml"] = files[".promotion.yaml"].replace("    auto: true\n", "")
    async with scene(github, folder, files) as shop:
        await shop.publish("1.0.0")
        assert not gate.asked
        number = await shop.issue()
        await shop.say("writer", number, "/promote test")
        await shop.hears(number, "`test`")

        async def polled() -> bool:
            return gate.asked > 2

        await shop.comes_true("it is asked again and again", polled)
        assert (await shop.check(await head(shop), "promotion/test"))["status"] == "in_progress"

    async with restarted(shop, folder) as shop:
        await shop.quiet()
        gate.open = True
        pull = await verified(shop)
        await shop.hears(pull["number"], "is verified in `test`")
        lock = yaml.safe_load(await shop.read(".promotion/test.lock"))
        assert (lock["actor"], lock["way"]) == ("writer", "command")
        assert len(gate.announced) == 1
        assert await kept(shop) == []


async def test_newer_freight_does_not_take_the_place_of_what_somebody_asked_for(
    github: GitHub, tmp_path: Path, gate: Gate
) -> None:
    async with scene(github, tmp_path / "bot", pipeline(RENDER + PROPOSE, gate)) as shop:
        await shop.publish("1.0.0")
        await shop.hears((await verified(shop))["number"], "service 1.0.0 is verified")
        await shop.write(pipeline(WAIT + RENDER + PROPOSE, gate))
        await shop.publish("1.1.0")
        await shop.publish("1.2.0")
        number = await shop.issue()
        await shop.say("writer", number, "/promote test 1.1.0")
        await shop.hears(number, "`test`")
        await shop.publish("1.3.0")

        gate.open = True

        async def landed() -> bool:
            return [one["title"] for one in await shop.pulls("test")][:1] == ["promote(test): service 1.1.0 → 1.3.0"]

        await shop.comes_true("1.1.0 came first, and 1.3.0 after it", landed)
        await shop.quiet()
        titles = [one["title"] for one in await shop.pulls("test")]
        assert titles[1] == "promote(test): service 1.0.0 → 1.1.0"
        for pull in (await shop.pulls("test"))[:2]:
            await shop.hears(pull["number"], "is verified in `test`")
        commits = (await shop.who("owner").get(f"{REPO}/commits?path=.promotion/test.lock")).ok()
        assert len(commits) == 3
