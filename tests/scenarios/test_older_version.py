"""Somebody wants a version that is not the newest, and that Towpath has never promoted."""

from pathlib import Path

from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, scene


async def test_it_is_looked_for_where_freight_comes_from(github: GitHub, tmp_path: Path) -> None:
    by_hand = PIPELINE.replace("    auto: true\n    merge: auto\n", "")
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": by_hand}) as shop:
        for version in ("0.9.0", "1.0.0", "1.1.0"):
            push_image(storage_of(github.sandbox.world), "acme/service", version)
        await shop.publish("1.2.0")
        number = await shop.issue()

        await shop.say("writer", number, "/promote test 1.1.0")

        await shop.hears(number, "service 1.1.0 is on its way into `test`")
        assert (await shop.proposal("test"))["title"] == "promote(test): service 1.1.0"

        await shop.say("writer", number, "/promote test 0.9.0")  # the warehouse's constraint leaves it out
        await shop.hears(number, "No freight by that name", "`1.2.0`")
        await shop.say("writer", number, "/promote uat 1.0.0")  # exists, but has not been in test
        await shop.hears(number, "No freight by that name")
        await shop.say("writer", number, "/promote test")
        await shop.hears(number, "service 1.2.0 is on its way into `test`")
        assert len(await shop.pulls("test")) == 1
