"""A warehouse of several subscriptions: people put freight together of what each of them holds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.driver import GitHub
from tests.scenarios.freight import lock, publish, stage
from tests.scenarios.scene import REPO, Scene, scene

WAREHOUSE = """\
warehouses:
  app: {interval: 1h, image: [{repoURL: ADDRESS/acme/service, constraint: ^1.0.0}, {repoURL: ADDRESS/acme/proxy}]}
"""
MERGED = "    merge: auto\n"
PIPELINE = WAREHOUSE + "stages:\n" + stage("test", more=MERGED) + stage("uat", more=MERGED, source="test")
TWICE = """\
warehouses:
  app:
    interval: 1h
    subscriptions:
      - {name: blue, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
      - {name: green, image: {repoURL: ADDRESS/acme/service, constraint: ^2.0.0}}
stages:
"""
NAMED = "${{ artifactFrom('blue').Version }} with ${{ artifactFrom('green').Version }}"


@pytest.fixture
async def shop(github: GitHub, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(github, tmp_path / "bot", {".promotion.yaml": PIPELINE}) as made:
        await publish(made, service="1.0.0", proxy="2.0.0")
        await publish(made, service="1.1.0", proxy="2.1.0")
        yield made


async def arrives(shop: Scene, name: str) -> str:
    """What the stage wrote down of the freight that landed there last."""
    pull = await shop.landed(name)
    await shop.hears(pull["number"], f"is verified in `{name}`")
    return await shop.read(f"out/{name}.txt")


async def test_any_combination_can_be_promoted_by_hand(shop: Scene) -> None:
    number = await shop.issue()

    await shop.say("writer", number, "/promote test service=1.0.0 proxy=2.1.0")
    said = await shop.hears(number, "service 1.0.0, proxy 2.1.0 is on its way into `test`")
    assert "put together" not in said
    assert await arrives(shop, "test") == "1.0.0 with 2.1.0"
    assert (await lock(shop, "test"))["images"][0]["tag"] == "1.0.0"

    await shop.say("writer", number, "/promote uat service=1.0.0 proxy=2.1.0")
    await shop.hears(number, "service 1.0.0, proxy 2.1.0 is on its way into `uat`")
    assert await arrives(shop, "uat") == "1.0.0 with 2.1.0"


async def test_what_is_not_named_is_the_newest_and_that_is_said(shop: Scene) -> None:
    number = await shop.issue()

    await shop.say("writer", number, "/promote test Service=v1.0.0")

    await shop.hears(number, "service 1.0.0, proxy 2.1.0 is on its way into `test`", "it has the newest, proxy 2.1.0")
    assert await arrives(shop, "test") == "1.0.0 with 2.1.0"


async def test_further_on_what_came_from_upstream_is_meant(shop: Scene) -> None:
    number = await shop.issue()
    await shop.say("writer", number, "/promote test service=1.0.0 proxy=2.0.0")
    await shop.hears(number, "on its way into `test`")
    assert await arrives(shop, "test") == "1.0.0 with 2.0.0"

    await shop.say("writer", number, "/promote uat service=1.0.0")
    await shop.hears(number, "service 1.0.0, proxy 2.0.0 is on its way into `uat`")
    assert await arrives(shop, "uat") == "1.0.0 with 2.0.0"

    await shop.say("writer", number, "/promote uat service=1.1.0")
    await shop.hears(
        number, "service 1.1.0, proxy 2.1.0 has not been in test", "/promote test service=1.1.0 proxy=2.1.0"
    )
    assert len(await shop.pulls("uat")) == 1


async def test_mistakes_are_answered_with_what_can_be_named(shop: Scene) -> None:
    number = await shop.issue()
    address = f"{shop.address}/acme/service"
    for written, *parts in (
        ("servce=1.0.0", "takes nothing called `servce`", "Did you mean `service`?", "It takes: `service`, `proxy`"),
        (
            "service=9.9.9",
            f"There is no `9.9.9` that fits the image subscription to {address}",
            "Newest there: `1.1.0`",
        ),
        ("service=2.0.0", "There is no `2.0.0` that fits"),
        ("service=1.0.0 service=1.1.0", "`service` is named twice"),
        ("service=", "`service=` is no `name=version`"),
        ("1.0.0 2.0.0", "Too many words", "name=version"),
    ):
        await shop.say("writer", number, f"/promote test {written}")
        await shop.hears(number, "was refused", *parts)
    assert not await shop.pulls("test")


async def test_the_same_repository_under_two_names(github: GitHub, tmp_path: Path) -> None:
    pipeline = TWICE + stage("test", NAMED, MERGED)
    async with scene(github, tmp_path / "bot", {".promotion.yaml": pipeline}) as shop:
        await publish(shop, service="1.0.0")
        await publish(shop, service="2.0.0")
        await publish(shop, service="2.1.0")
        number = await shop.issue()

        await shop.say("writer", number, "/promote test green=2.0.0")
        await shop.hears(number, "blue 1.0.0, green 2.0.0 is on its way into `test`", "it has the newest, blue 1.0.0")
        assert await arrives(shop, "test") == "1.0.0 with 2.0.0"
        images = (await lock(shop, "test"))["images"]
        assert [(one["subscriptionName"], one["tag"]) for one in images] == [("blue", "1.0.0"), ("green", "2.0.0")]
        body = (await shop.landed("test"))["body"]
        assert "| `blue`<br>`" in body
        assert "| `green`<br>`" in body

        await shop.say("writer", number, "/promote test service=2.1.0")
        await shop.hears(number, "`service` can mean `blue` or `green`")


async def test_a_repository_that_two_subscriptions_share_has_to_be_named(github: GitHub, tmp_path: Path) -> None:
    pipeline = TWICE + stage("test", "${{ imageFrom('ADDRESS/acme/service').Tag }}")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": pipeline}) as shop:
        await publish(shop, service="1.0.0")
        await publish(shop, service="2.0.0")
        number = await shop.issue()

        await shop.say("writer", number, "/promote test")

        await shop.hears(number, "is there by several names, blue and green", 'artifactFrom("blue")')


async def test_where_freight_is_made_by_hand_it_is_made_by_command_alone(github: GitHub, tmp_path: Path) -> None:
    by_hand = PIPELINE.replace("interval: 1h,", "interval: 1h, freightCreationPolicy: Manual,")
    pipeline = by_hand.replace(MERGED, MERGED + "    auto: true\n")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": pipeline}) as shop:
        await publish(shop, service="1.0.0", proxy="2.0.0")
        await publish(shop, service="1.1.0", proxy="2.1.0")
        assert not await shop.pulls("test")
        number = await shop.issue()
        await shop.say("writer", number, "/promote test")
        await shop.hears(number, "no freight for `test` yet", "by hand: `/promote test service=… proxy=…`")

        await shop.say("writer", number, "/promote test service=1.1.0 proxy=2.0.0")

        await shop.hears(number, "service 1.1.0, proxy 2.0.0 is on its way into `test`")
        assert await arrives(shop, "test") == "1.1.0 with 2.0.0"
        assert await arrives(shop, "uat") == "1.1.0 with 2.0.0"  # automatic, with what came from upstream

        await shop.say("writer", number, "/promote test service=1.0.0")
        await shop.hears(number, "service 1.0.0, proxy 2.1.0 is on its way into `test`")
        assert await arrives(shop, "test") == "1.0.0 with 2.1.0"
        assert await arrives(shop, "uat") == "1.0.0 with 2.1.0"


async def test_one_command_is_about_one_warehouse(github: GitHub, tmp_path: Path) -> None:
    warehouses = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service}}
  proxy: {interval: 1h, image: {repoURL: ADDRESS/acme/proxy}}
stages:
"""
    pipeline = warehouses + stage("test", source="[service, proxy]")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": pipeline}) as shop:
        await publish(shop, service="1.0.0", proxy="2.0.0")
        number = await shop.issue()

        await shop.say("writer", number, "/promote test service=1.0.0 proxy=2.0.0")
        await shop.hears(number, "of different warehouses, `service` and `proxy`", "one at a time")
        await shop.say("reader", number, "/promote test service=1.0.0")
        await shop.hears(number, "takes **write** access")
        assert not (await shop.who("owner").get(f"{REPO}/pulls")).ok()

        await shop.say("writer", number, "/promote test proxy=2.0.0")
        await shop.hears(number, "proxy 2.0.0 is on its way into `test`")
