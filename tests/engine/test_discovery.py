"""Warehouses are asked when they are due or something may be new, and never too seldom for being asked already."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.contracts import Discovered, DiscoveryContext, Forges, Git, Identity, Registry, Schema
from bot.core.discoveries import DiscoveryProblem
from bot.core.model import (
    Artifact,
    FreightCreation,
    Image,
    Pipeline,
    RepositoryName,
    Subscription,
    Warehouse,
    WarehouseName,
)
from bot.core.news import News
from bot.engine.discovery import Discovery
from bot.engine.ports import OwnSecrets, Site, View
from bot.errors import Retry, UserError

SERVICE = WarehouseName("service")
# These subscriptions ask neither GitHub nor Git nor a registry.
SHOP = Site(
    RepositoryName("acme/shop"),
    cast(View, None),
    cast(Git, None),
    Identity("towpath[bot]", "towpath[bot]@example.com"),
    cast(OwnSecrets, None),
    cast(Registry, None),
    cast(Forges, None),
)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Shelf:
    """A kind of place that holds one version, and may be slow to say so."""

    def __init__(self) -> None:
        self.NAME = "shelf"
        self.HELP = "What stands on a shelf."
        self.SCHEMA: Schema = {"type": "object"}
        self.version = "1.0.0"
        self.asked = 0
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        self.fault: Exception | None = None
        self.since = 0.0

    async def discover(self, context: DiscoveryContext, config: Mapping[str, Any], name: str) -> Discovered:
        self.asked += 1
        self.since = context.since
        self.reached.set()
        seen = self.version
        await self.answers.wait()
        if self.fault:
            raise self.fault
        return Discovered((_image(seen, name),))

    async def find(
        self, context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str
    ) -> Artifact | None:
        return _image(version, name) if version < self.version else None

    def address(self, config: Mapping[str, Any]) -> str:
        return "shelf"

    def concerned(self, config: Mapping[str, Any], news: News) -> bool:
        return True


def _image(version: str, name: str = "") -> Image:
    return Image("ghcr.io/acme/service", version, f"sha256:{version:0>64}", subscription_name=name)


WAREHOUSE = Warehouse(SERVICE, (Subscription("shelf", {}),), interval=timedelta(minutes=5))
PIPELINE = Pipeline({SERVICE: WAREHOUSE}, {})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def discovery(shelf: Shelf, clock: Clock) -> Discovery:
    return Discovery({"shelf": shelf}, clock)


async def version(discovery: Discovery) -> str:
    freight = (await discovery.of(SHOP, PIPELINE))[SERVICE].freight
    assert freight is not None
    return freight.images[0].tag


async def test_it_is_asked_once_in_an_interval(discovery: Discovery, shelf: Shelf, clock: Clock) -> None:
    for _ in range(3):
        await version(discovery)
    assert shelf.asked == 1

    clock.time += 1.5 * WAREHOUSE.interval
    await version(discovery)
    assert shelf.asked == 2


async def test_what_comes_while_somebody_asks_is_found_by_the_next(discovery: Discovery, shelf: Shelf) -> None:
    shelf.answers.clear()
    first = asyncio.create_task(version(discovery))
    await shelf.reached.wait()
    shelf.version = "1.1.0"
    discovery.expire(SHOP.repository)
    shelf.answers.set()
    assert await first == "1.0.0"

    assert await version(discovery) == "1.1.0"


async def test_who_is_asked_is_told_since_when_something_may_be_new(
    discovery: Discovery, shelf: Shelf, clock: Clock
) -> None:
    """Else the answer to a question put before could be taken for the newest, and news be missed for an interval."""
    await version(discovery)
    assert shelf.since == 0.0  # whatever this look has asked so far will do
    for warehouses in (None, [SERVICE]):
        before = time.monotonic()
        discovery.expire(SHOP.repository, warehouses)
        await version(discovery)
        assert before <= shelf.since <= time.monotonic()
    told = shelf.since
    discovery.expire(SHOP.repository, [WarehouseName("other")])
    discovery.expire(RepositoryName("acme/other"))
    clock.time += 1.5 * WAREHOUSE.interval
    await version(discovery)
    assert shelf.since == told


async def test_a_failed_poll_takes_nothing_away(discovery: Discovery, shelf: Shelf) -> None:
    await version(discovery)
    shelf.fault = UserError("the shelf fell down")
    discovery.expire(SHOP.repository)

    assert await version(discovery) == "1.0.0"
    found = await discovery.of(SHOP, PIPELINE)
    assert found[SERVICE].lasting == DiscoveryProblem("the shelf fell down")


async def test_what_is_found_again_keeps_its_age(discovery: Discovery, clock: Clock) -> None:
    found = await discovery.of(SHOP, PIPELINE)
    clock.time += timedelta(hours=1)

    again = await discovery.of(SHOP, PIPELINE)

    assert again[SERVICE].freight == found[SERVICE].freight


async def test_an_older_version_is_found_where_one_version_says_it_all(discovery: Discovery, shelf: Shelf) -> None:
    found = await discovery.find(SHOP, WAREHOUSE, {0: "0.9.0"})
    assert found is not None
    assert (found.images[0].tag, found.discovered_at) == ("0.9.0", None)
    assert await discovery.find(SHOP, WAREHOUSE, {0: "9.9.9"}) is None


async def test_of_several_what_is_named_is_found_and_the_newest_goes_with_it(
    discovery: Discovery, shelf: Shelf, clock: Clock
) -> None:
    two = replace(WAREHOUSE, subscriptions=(Subscription("shelf", {}, "blue"), Subscription("shelf", {}, "green")))
    await discovery.of(SHOP, Pipeline({SERVICE: two}, {}))
    clock.time += timedelta(minutes=1)

    found = await discovery.find(SHOP, two, {1: "0.9.0"})
    assert found is not None
    assert [image.tag for image in found.images] == ["1.0.0", "0.9.0"]
    assert found.discovered_at is None
    asked = shelf.asked
    assert await discovery.find(SHOP, two, {0: "v1.0.0", 1: "0.9.0"}) == found
    assert shelf.asked == asked

    with pytest.raises(UserError, match=r"no `9.9.9` that fits the shelf subscription `green`.* Newest there: `1.0.0`"):
        await discovery.find(SHOP, two, {1: "9.9.9"})
    by_hand = replace(two, creation_policy=FreightCreation.MANUAL)
    found_by_hand = (await discovery.of(SHOP, Pipeline({SERVICE: by_hand}, {})))[SERVICE]
    assert (found_by_hand.freight, found_by_hand.problem) == (None, None)
    found = await discovery.find(SHOP, by_hand, {0: "1.0.0"})
    assert found is not None
    assert found.discovered_at == clock.time


async def test_what_was_found_goes_with_it_even_when_the_last_poll_failed(discovery: Discovery, shelf: Shelf) -> None:
    two = replace(WAREHOUSE, subscriptions=(Subscription("shelf", {}, "blue"), Subscription("shelf", {}, "green")))
    with pytest.raises(UserError, match=r"Nothing was found that fits the shelf .*Name a version: `green=…`"):
        await discovery.find(SHOP, two, {0: "0.9.0"})
    await discovery.of(SHOP, Pipeline({SERVICE: two}, {}))
    shelf.fault = UserError("the shelf fell down")
    discovery.expire(SHOP.repository)
    found = (await discovery.of(SHOP, Pipeline({SERVICE: two}, {})))[SERVICE]
    assert found.lasting == DiscoveryProblem("the shelf fell down")

    assert await discovery.find(SHOP, two, {0: "0.9.0"})


async def test_one_warehouse_can_expire_alone(discovery: Discovery, shelf: Shelf) -> None:
    other = WarehouseName("other")
    both = Pipeline({SERVICE: WAREHOUSE, other: replace(WAREHOUSE, name=other)}, {})
    await discovery.of(SHOP, both)
    assert shelf.asked == 2

    discovery.expire(SHOP.repository, [other])
    shelf.version = "1.1.0"
    found = await discovery.of(SHOP, both)

    assert shelf.asked == 3
    assert [one.freight.images[0].tag for one in found.values() if one.freight] == ["1.0.0", "1.1.0"]
    discovery.expire(SHOP.repository, [])
    await discovery.of(SHOP, both)
    assert shelf.asked == 3


async def test_what_passes_by_itself_is_told_only_once_it_lasts(
    discovery: Discovery, shelf: Shelf, clock: Clock
) -> None:
    for polls in range(1, 5):
        shelf.fault = Retry(clock.time + timedelta(seconds=30), "the shelf is busy")
        found = (await discovery.of(SHOP, PIPELINE))[SERVICE]
        assert found.again == clock.time + timedelta(seconds=30)
        assert found.lasting == (DiscoveryProblem("the shelf is busy") if polls >= 3 else None)
        clock.time += timedelta(seconds=31)
    shelf.fault = None
    assert (await discovery.of(SHOP, PIPELINE))[SERVICE].problem is None

    shelf.fault = Retry(clock.time + timedelta(hours=2), "no more today")
    discovery.expire(SHOP.repository)
    assert (await discovery.of(SHOP, PIPELINE))[SERVICE].lasting == DiscoveryProblem("no more today")


async def test_a_fault_of_ours_is_told_in_the_same_words_each_time(
    discovery: Discovery, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.fault = KeyError("shelf")
    told = set()
    for _ in range(2):
        discovery.expire(SHOP.repository)
        problem = (await discovery.of(SHOP, PIPELINE))[SERVICE].lasting
        assert problem is not None
        told.add(problem.text)

    assert len(told) == 1
    assert "internal error" in told.pop()
    assert "KeyError" in caplog.text


async def test_criteria_decide_what_becomes_freight(discovery: Discovery, shelf: Shelf) -> None:
    wanted = replace(WAREHOUSE, creation_criteria="imageFrom('ghcr.io/acme/service').Tag != '1.1.0'")
    pipeline = Pipeline({SERVICE: wanted}, {})
    first = (await discovery.of(SHOP, pipeline))[SERVICE].freight
    shelf.version = "1.1.0"
    discovery.expire(SHOP.repository)

    found = (await discovery.of(SHOP, pipeline))[SERVICE]

    assert found.freight == first  # what was freight stays so
    assert found.lasting is not None
    assert not found.lasting.is_fault
    assert found.findings[0].newest == _image("1.1.0")
    by_hand = replace(wanted, creation_policy=FreightCreation.MANUAL)
    assert (await discovery.of(SHOP, Pipeline({SERVICE: by_hand}, {})))[SERVICE].problem is None
