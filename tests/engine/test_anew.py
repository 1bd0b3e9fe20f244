"""Whichever process hears of something new, the one that looks asks again."""

from collections.abc import Iterable
from datetime import timedelta

from bot.core.model import RepositoryName, WarehouseName
from bot.engine.anew import Anew

SHOP, OTHER = RepositoryName("acme/shop"), RepositoryName("acme/other")
SERVICE = WarehouseName("service")
ALL = None


class Store:
    """What the processes share."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def remember(self, key: str, value: str, ttl: timedelta) -> None:
        self.kept[key] = value

    async def recall(self, key: str) -> str | None:
        return self.kept.get(key)


class Known:
    """What one process knows of warehouses."""

    def __init__(self) -> None:
        self.expired: list[tuple[RepositoryName, list[WarehouseName] | None]] = []

    def expire(self, repository: RepositoryName, warehouses: Iterable[WarehouseName] | None = None) -> None:
        self.expired.append((repository, None if warehouses is None else list(warehouses)))

    def take(self) -> list[tuple[RepositoryName, list[WarehouseName] | None]]:
        taken, self.expired = self.expired, []
        return taken


async def test_one_process_alone_knows_exactly_what_is_new_and_keeps_nothing() -> None:
    known, store = Known(), Store()
    anew = Anew(known, store, shared=False)
    await anew.tell(SHOP, [SERVICE])
    await anew.heed(SHOP)
    assert known.take() == [(SHOP, [SERVICE])]
    assert store.kept == {}


async def test_the_process_that_looks_heeds_what_another_was_told() -> None:
    store, known = Store(), (Known(), Known())
    hears, looks = (Anew(one, store, shared=True) for one in known)

    for _ in range(2):  # news that follows is news as well
        await hears.tell(SHOP, [SERVICE])
        await looks.heed(SHOP)
        assert known[1].take() == [(SHOP, ALL)]
        await looks.heed(SHOP)
        assert known[1].take() == []

    await looks.heed(OTHER)
    assert known[1].take() == []


async def test_news_that_two_processes_hear_at_once_is_not_lost() -> None:
    store, known = Store(), (Known(), Known())
    first, second = (Anew(one, store, shared=True) for one in known)
    await first.tell(SHOP, [SERVICE])
    await second.tell(SHOP, [WarehouseName("other")])
    await second.heed(SHOP)  # it never heard of the first's
    assert known[1].take()[-1] == (SHOP, ALL)
