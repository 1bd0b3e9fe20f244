"""Warehouses are asked when they are due or something may be new, and never too seldom for being asked already."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.contracts import Discovered, DiscoveryContext, Git, Identity, Registry, Schema, Secrets
from bot.core.model import Artifact, Image, Pipeline, RepositoryName, Subscription, Warehouse, WarehouseName
from bot.engine.discovery import Discovery
from bot.engine.ports import Site, View
from bot.errors import UserError

SERVICE = WarehouseName("service")
# These subscriptions ask neither GitHub nor Git nor a registry.
SHOP = Site(
    RepositoryName("acme/shop"),
    cast(View, None),
    cast(Git, None),
    Identity("towpath[bot]", "towpath[bot]@example.com"),
    cast(Secrets, None),
    cast(Registry, None),
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

    async def discover(self, context: DiscoveryContext, config: Mapping[str, Any], name: str) -> Discovered:
        self.asked += 1
        self.reached.set()
        seen = self.version
        await self.answers.wait()
        if not seen:
            raise UserError("the shelf fell down")
        return Discovered((_image(seen),))

    async def find(
        self, context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str
    ) -> Artifact | None:
        return _image(version) if version < self.version else None


def _image(version: str) -> Image:
    return Image("ghcr.io/acme/service", version, f"sha256:{version:0>64}")


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

    clock.time += timedelta(minutes=5)
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


async def test_a_failed_poll_takes_nothing_away(discovery: Discovery, shelf: Shelf) -> None:
    await version(discovery)
    shelf.version = ""
    discovery.expire(SHOP.repository)

    assert await version(discovery) == "1.0.0"
    found = await discovery.of(SHOP, PIPELINE)
    assert found[SERVICE].problem == "the shelf fell down"


async def test_what_is_found_again_keeps_its_age(discovery: Discovery, clock: Clock) -> None:
    found = await discovery.of(SHOP, PIPELINE)
    clock.time += timedelta(hours=1)

    again = await discovery.of(SHOP, PIPELINE)

    assert again[SERVICE].freight == found[SERVICE].freight


async def test_an_older_version_is_found_where_one_version_says_it_all(discovery: Discovery, shelf: Shelf) -> None:
    found = await discovery.find(SHOP, WAREHOUSE, "0.9.0")
    assert found is not None
    assert (found.images[0].tag, found.discovered_at) == ("0.9.0", None)
    assert await discovery.find(SHOP, WAREHOUSE, "9.9.9") is None

    two = Warehouse(SERVICE, WAREHOUSE.subscriptions * 2)
    assert await discovery.find(SHOP, two, "0.9.0") is None
