"""A warehouse that makes no freight says why on the newest commit, until it makes some; nothing else stops for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import start as start_bot
from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.freight import head, publish, stage
from tests.scenarios.scene import REPO, Crashes, Scene, scene, settings

CHECK = "discovery/warehouses"
SAME = "imageFrom('ADDRESS/acme/service').Tag == imageFrom('ADDRESS/acme/proxy').Tag"
CRITERIA = f"""\
warehouses:
  app:
    interval: 1h
    image: [ADDRESS/acme/service, ADDRESS/acme/proxy]
    freightCreationCriteria: "{SAME}"
stages:
""" + stage("test", more="    auto: true\n    merge: auto\n")
TWO = """\
warehouses:
  service: {interval: 1h, image: ADDRESS/acme/service}
  proxy: {interval: 1h, image: ADDRESS/acme/proxy}
stages:
""" + stage("test", "${{ imageFrom('ADDRESS/acme/service').Tag }}", "    auto: true\n    merge: auto\n", "service")


@pytest.fixture
async def shop(github: GitHub, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(github, tmp_path / "bot", {".promotion.yaml": CRITERIA}) as made:
        await publish(made, service="1.0.0", proxy="1.0.0")
        await made.hears((await made.landed("test"))["number"], "is verified in `test`")
        yield made


async def told(shop: Scene) -> tuple[str, str, str]:
    """Conclusion, title and summary of the newest commit's check."""
    check = await shop.check(await head(shop), CHECK)
    return check["conclusion"], check["output"]["title"], check["output"]["summary"]


async def test_only_what_fits_together_becomes_freight(shop: Scene) -> None:
    assert CHECK not in await shop.checks(await head(shop))

    await publish(shop, service="1.1.0")

    conclusion, title, summary = await told(shop)
    assert (conclusion, title) == ("neutral", "No new freight of warehouse app")
    assert f"criteria not satisfied: `{SAME.replace('ADDRESS', shop.address)}`" in summary
    assert len(await shop.pulls("test")) == 1
    number = await shop.issue()
    await shop.say("writer", number, "/status")
    await shop.hears(number, "💤 Warehouse `app`: criteria not satisfied")
    at = await head(shop)

    await publish(shop, proxy="1.1.0")

    await shop.hears((await shop.landed("test"))["number"], "is verified in `test`")
    assert await shop.read("out/test.txt") == "1.1.0 with 1.1.0"
    assert CHECK not in await shop.checks(await head(shop))
    assert (await shop.checks(at))[CHECK] == "success"


async def test_criteria_that_cannot_be_told_say_why(shop: Scene) -> None:
    odd = (await shop.read(".promotion.yaml")).replace(".Tag == ", ".Tag + ")

    await shop.write({".promotion.yaml": odd})
    await shop.quiet()

    conclusion, title, summary = await told(shop)
    assert (conclusion, title) == ("failure", "Warehouse app can't make freight")
    assert "which is neither true nor false" in summary


async def test_what_the_criteria_turn_down_can_still_be_put_together_by_hand(shop: Scene) -> None:
    await publish(shop, service="1.1.0")
    number = await shop.issue()

    await shop.say("writer", number, "/promote test service=1.1.0")

    await shop.hears(number, "service 1.1.0, proxy 1.0.0 is on its way into `test`")
    await shop.hears((await shop.landed("test"))["number"], "is verified in `test`")
    assert await shop.read("out/test.txt") == "1.1.0 with 1.0.0"


async def test_one_warehouse_that_finds_nothing_stops_no_other(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {".promotion.yaml": TWO}) as shop:
        await publish(shop, service="1.0.0")
        await shop.hears((await shop.landed("test"))["number"], "is verified in `test`")
        conclusion, title, summary = await told(shop)
        assert (conclusion, title) == ("failure", "Warehouse proxy can't make freight")
        assert f"{shop.address}/acme/proxy" in summary
        before = len((await shop.who("owner").get(f"{REPO}/commits/{await head(shop)}/check-runs")).ok()["check_runs"])

        await publish(shop, proxy="1.0.0")

        assert (await told(shop))[:2] == ("success", "Every warehouse makes freight again")
        after = len((await shop.who("owner").get(f"{REPO}/commits/{await head(shop)}/check-runs")).ok()["check_runs"])
        assert after == before  # mended in place


async def test_what_was_mended_while_nobody_looked_is_taken_back_after_a_restart(
    github: GitHub, tmp_path: Path
) -> None:
    await github.repo("shop")
    crashes = Crashes()
    async with start_bot(settings(github, tmp_path / "bot")) as bot:
        shop = Scene(github, bot, tmp_path / "bot" / "towpath.db", crashes)
        await shop.write({".promotion.yaml": TWO.replace("auto: true", "auto: false")})
        await publish(shop, service="1.0.0")
        assert (await told(shop))[0] == "failure"
    push_image(storage_of(github.sandbox.world), "acme/proxy", "1.0.0")

    async with start_bot(settings(github, tmp_path / "bot")) as bot:
        shop = Scene(github, bot, tmp_path / "bot" / "towpath.db", crashes)

        async def well() -> bool:
            return (await told(shop))[0] == "success"

        await shop.comes_true("what was mended is taken back", well)
        await shop.nothing_is_left()


async def test_a_subscription_that_finds_nothing_is_no_fault(shop: Scene) -> None:
    narrow = (await shop.read(".promotion.yaml")).replace(
        f"[{shop.address}/acme/service,", f"[{{repoURL: {shop.address}/acme/service, constraint: ^7.0.0}},"
    )

    await shop.write({".promotion.yaml": narrow})
    await shop.quiet()

    conclusion, title, summary = await told(shop)
    assert (conclusion, title) == ("neutral", "No new freight of warehouse app")
    assert f"nothing found that fits the image subscription to {shop.address}/acme/service" in summary
