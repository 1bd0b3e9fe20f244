"""Word that something may be new, from whichever process hears it to whichever looks."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from bot.core.model import RepositoryName, WarehouseName

_KNOWN_FOR = timedelta(days=1)  # after that every interval worth the name has passed


class Expiring(Protocol):
    def expire(self, repository: RepositoryName, warehouses: Iterable[WarehouseName] | None = None) -> None: ...


class Notes(Protocol):
    """The small texts of the work store, which all processes share."""

    async def remember(self, key: str, value: str, ttl: timedelta) -> None: ...
    async def recall(self, key: str) -> str | None: ...


class Anew:
    """Expires what a process knows of warehouses.

    Where the work store is `shared`, another process may be the one to look. What it reads there is that there was
    news since its last look, not of what; so it asks all the repository's warehouses.
    """

    def __init__(self, discovery: Expiring, notes: Notes, *, shared: bool) -> None:
        self._discovery = discovery
        self._notes = notes
        self._shared = shared
        self._seen: dict[RepositoryName, str] = {}

    async def tell(self, repository: RepositoryName, warehouses: Iterable[WarehouseName] | None = None) -> None:
        """These warehouses (None: all) are to be asked at the next look, whoever does it. Before that is asked for."""
        self._discovery.expire(repository, warehouses)
        if self._shared:
            await self._notes.remember(_key(repository), uuid.uuid4().hex, _KNOWN_FOR)

    async def heed(self, repository: RepositoryName) -> None:
        """Take up what was told since this process last looked. At the beginning of a look."""
        told = await self._notes.recall(_key(repository)) if self._shared else None
        if told is not None and self._seen.get(repository) != told:
            self._seen[repository] = told
            self._discovery.expire(repository)


def _key(repository: RepositoryName) -> str:
    return f"anew/{repository}"
