"""What the warehouses of a repository hold now, asked no more often than their interval says."""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.contracts import Clock, Discovered, DiscoveryContext, Subscription
from bot.core.freight import make_freight
from bot.core.model import Freight, FreightCreation, Pipeline, RepositoryName, Warehouse, WarehouseName
from bot.engine.ports import Site
from bot.errors import Retry, UserError

log = logging.getLogger(__name__)
_MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Found:
    """What a warehouse held when it was last asked. `freight` is the newest of each subscription together."""

    warehouse: Warehouse
    freight: Freight | None
    problem: str
    again: datetime
    asked: int = 0  # how often the repository's warehouses had expired by then


class Discovery:
    """One cache for all repositories of this process; losing it costs a poll."""

    def __init__(self, subscriptions: Mapping[str, Subscription], clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._clock = clock
        self._found: dict[tuple[RepositoryName, WarehouseName], Found] = {}
        self._expired: Counter[RepositoryName] = Counter()
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    def expire(self, repository: RepositoryName) -> None:
        """Something may be new: ask again at the next look, even where somebody is being asked just now."""
        self._expired[repository] += 1

    async def of(self, site: Site, pipeline: Pipeline) -> dict[WarehouseName, Found]:
        """Every warehouse's latest, asked now where it is due. One that fails doesn't stop the others."""
        repository, context = site.repository, self._context(site)
        found = await asyncio.gather(*(self._one(repository, w, context) for w in pipeline.warehouses.values()))
        for key in [k for k in self._found if k[0] == repository and k[1] not in pipeline.warehouses]:
            del self._found[key]
        return {one.warehouse.name: one for one in found}

    async def find(self, site: Site, warehouse: Warehouse, version: str) -> Freight | None:
        """Freight of exactly this version, newest or not; None where there is none, or where one version does not
        say it all because the warehouse has several subscriptions. It is of no age. Raises UserError or Retry."""
        if len(warehouse.subscriptions) != 1:
            return None
        subscription = warehouse.subscriptions[0]
        plugin = self._subscriptions[subscription.kind]
        artifact = await plugin.find(self._context(site), subscription.config, subscription.name, version)
        return make_freight(warehouse.name, [artifact], None) if artifact else None

    def _context(self, site: Site) -> DiscoveryContext:
        return DiscoveryContext(site.git, site.registry, self._clock)

    async def _one(self, repository: RepositoryName, warehouse: Warehouse, context: DiscoveryContext) -> Found:
        key, asked = (repository, warehouse.name), self._expired[repository]
        known = self._found.get(key)
        fresh = known is not None and known.again > self._clock.now() and known.asked == asked
        if known is not None and fresh and known.warehouse == warehouse:
            return known
        async with self._places:
            found = replace(await self._ask(warehouse, context), asked=asked)
        if known is not None and found.freight is not None and known.freight is not None:
            if known.freight.id == found.freight.id:  # found again: its age is that of the first time
                found = replace(found, freight=known.freight)
        elif known is not None and found.problem and known.warehouse == warehouse:
            found = replace(found, freight=known.freight)  # a failed poll takes nothing away
        self._found[key] = found
        return found

    async def _ask(self, warehouse: Warehouse, context: DiscoveryContext) -> Found:
        now = self._clock.now()
        again = now + max(warehouse.interval, timedelta(seconds=1))
        try:
            discovered = await asyncio.gather(
                *(self._discover(warehouse, i, context) for i in range(len(warehouse.subscriptions)))
            )
        except UserError as error:
            return Found(warehouse, None, str(error), again)
        except Retry as error:
            return Found(warehouse, None, error.because, max(error.at, now + timedelta(seconds=1)))
        except Exception:
            reference = uuid.uuid4().hex[:8]
            log.exception("discovering artifacts", extra={"warehouse": warehouse.name, "reference": reference})
            return Found(warehouse, None, f"An internal error occurred (reference {reference})", again)
        empty = next((i for i, one in enumerate(discovered) if not one.artifacts), None)
        if empty is not None:
            subscription = warehouse.subscriptions[empty]
            what = f"{subscription.kind} {subscription.config.get('repoURL', '')}".strip()
            return Found(warehouse, None, f"nothing found that fits the subscription to {what}", again)
        if warehouse.creation_policy is FreightCreation.MANUAL:
            return Found(warehouse, None, "", again)
        freight = make_freight(warehouse.name, [one.artifacts[0] for one in discovered], now)
        return Found(warehouse, freight, "", again)

    async def _discover(self, warehouse: Warehouse, index: int, context: DiscoveryContext) -> Discovered:
        subscription = warehouse.subscriptions[index]
        plugin = self._subscriptions[subscription.kind]
        return await plugin.discover(context, subscription.config, subscription.name)
