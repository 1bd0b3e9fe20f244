"""What the warehouses of a repository hold now, asked no more often than their interval says."""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Protocol

from bot.contracts import Clock, Discovered, DiscoveryContext, Git, Registry, Subscription
from bot.core import discoveries
from bot.core import freight as freight_data
from bot.core.discoveries import DiscoveryProblem, Finding
from bot.core.model import (
    Artifact,
    Freight,
    FreightCreation,
    Pipeline,
    RepositoryName,
    Warehouse,
    WarehouseName,
)
from bot.core.model import (
    Subscription as Spec,
)
from bot.engine.subscribers import Subscribers
from bot.errors import Retry, UserError

log = logging.getLogger(__name__)
_MOST_AT_ONCE = 16
_SOON = timedelta(seconds=1)
# What passes by itself is told once it has lasted: so many polls, or a wait as long as this.
_FAILED_OFTEN = 3
_LONG_WAIT = timedelta(minutes=10)


class Place(Protocol):
    """A repository, and what its warehouses are asked through."""

    @property
    def repository(self) -> RepositoryName: ...
    @property
    def git(self) -> Git: ...
    @property
    def registry(self) -> Registry: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a warehouse held when it was last asked.

    `freight` is the newest of each subscription together, where there may be such freight; `findings` is what each
    subscription found. Of a poll that failed, both are those of the poll before.
    """

    warehouse: Warehouse
    freight: Freight | None
    problem: DiscoveryProblem | None
    again: datetime
    findings: tuple[Finding, ...] = ()
    failures: int = 0  # polls in a row that failed for a reason that passes by itself
    asked: int = 0  # how often the warehouse had expired by then

    @property
    def lasting(self) -> DiscoveryProblem | None:
        """The problem, unless it may well be gone at the next poll."""
        return self.problem if not 0 < self.failures < _FAILED_OFTEN else None


class Discovery:
    """One cache for all repositories of this process; losing it costs a poll.

    `dates`: somebody wants to know when artifacts were made, not only those whose criteria ask for it.
    """

    def __init__(self, subscriptions: Mapping[str, Subscription], clock: Clock, *, dates: bool = False) -> None:
        self.subscribers = Subscribers(subscriptions)
        self._subscriptions = subscriptions
        self._clock = clock
        self._dates = dates
        self._found: dict[tuple[RepositoryName, WarehouseName], Found] = {}
        self._expired: Counter[tuple[RepositoryName, WarehouseName | None]] = Counter()
        self._expired_at: dict[tuple[RepositoryName, WarehouseName | None], float] = {}
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    def expire(self, repository: RepositoryName, warehouses: Iterable[WarehouseName] | None = None) -> None:
        """Something may be new: ask these warehouses (None: all) again at the next look, even where one is being
        asked just now."""
        for warehouse in (None,) if warehouses is None else warehouses:
            self._expired[repository, warehouse] += 1
            self._expired_at[repository, warehouse] = time.monotonic()

    async def of(self, place: Place, pipeline: Pipeline) -> dict[WarehouseName, Found]:
        """Every warehouse's latest, asked now where it is due. One that fails doesn't stop the others."""
        self.subscribers.take(place.repository, pipeline)
        found = await asyncio.gather(*(self.of_one(place, warehouse) for warehouse in pipeline.warehouses.values()))
        for key in [k for k in self._found if k[0] == place.repository and k[1] not in pipeline.warehouses]:
            del self._found[key]
        return {one.warehouse.name: one for one in found}

    async def find(self, place: Place, warehouse: Warehouse, versions: Mapping[int, str]) -> Freight | None:
        """Freight of exactly these versions, by the place of their subscriptions, newest or not; of subscriptions
        that none is named of, the newest.

        None where a warehouse's only subscription has no such version. It is of no age, lest it pass for the newest;
        where all freight is made by hand it is as old as the request. Raises UserError or Retry.
        """
        known = self._found.get((place.repository, warehouse.name))
        findings = known.findings if known is not None and known.warehouse == warehouse else ()
        chosen: list[Artifact] = []
        for index, subscription in enumerate(warehouse.subscriptions):
            finding = findings[index] if index < len(findings) else Finding(subscription, ())
            version = versions.get(index)
            artifact = await self._version(place, finding, version) if version else finding.newest
            if artifact is None and version and len(warehouse.subscriptions) == 1:
                return None
            if artifact is None:
                raise UserError(_missing(finding, version))
            chosen.append(artifact)
        by_hand = warehouse.creation_policy is FreightCreation.MANUAL
        return freight_data.make_freight(warehouse.name, chosen, self._clock.now() if by_hand else None)

    async def _version(self, place: Place, finding: Finding, version: str) -> Artifact | None:
        for artifact in finding.artifacts:
            if freight_data.has_version(artifact, version):
                return artifact
        subscription = finding.subscription
        plugin = self._subscriptions[subscription.kind]
        for spelling in freight_data.spellings(version):
            found = await plugin.find(self._context(place), subscription.config, subscription.name, spelling)
            if found is not None:
                return found
        return None

    def _context(self, place: Place) -> DiscoveryContext:
        return DiscoveryContext(place.git, place.registry, self._clock)

    async def of_one(self, place: Place, warehouse: Warehouse) -> Found:
        """One warehouse's latest, asked now if it is due."""
        key = (place.repository, warehouse.name)
        asked = self._expired[place.repository, None] + self._expired[key]
        since = max(self._expired_at.get(one, 0.0) for one in (key, (place.repository, None)))
        known = self._found.get(key)
        fresh = known is not None and known.again > self._clock.now() and known.asked == asked
        if known is not None and fresh and known.warehouse == warehouse:
            return known
        async with self._places:
            before = known.findings if known is not None and known.warehouse == warehouse else ()
            found = replace(await self._ask(place, warehouse, before, since), asked=asked)
        self._found[key] = found = _after(known, found) if known is not None else found
        return found

    async def _ask(self, place: Place, warehouse: Warehouse, before: Sequence[Finding], since: float) -> Found:
        previous = [Discovered(one.artifacts, one.created, one.state) for one in before]
        dates = self._dates or "createdat" in warehouse.creation_criteria.lower()
        context = replace(self._context(place), dates=dates, since=since)
        answers = await asyncio.gather(
            *(
                self._discover(subscription, replace(context, previous=known))
                for subscription, known in zip_longest(warehouse.subscriptions, previous)
            ),
            return_exceptions=True,
        )
        now = self._clock.now()
        again = discoveries.next_poll(place.repository, warehouse.interval, now)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        if failures:
            return _failed(warehouse, failures, now, again)
        findings = tuple(
            Finding(subscription, answer.artifacts, answer.created, answer.state)
            for subscription, answer in zip(warehouse.subscriptions, answers, strict=True)
            if isinstance(answer, Discovered)
        )
        newest = [finding.newest for finding in findings if finding.newest]
        problem = discoveries.empty(findings)
        if warehouse.creation_policy is FreightCreation.MANUAL or problem:
            return Found(warehouse, None, problem, again, findings)
        if problem := discoveries.unmet(warehouse, findings, now):
            return Found(warehouse, None, problem, again, findings)
        return Found(warehouse, freight_data.make_freight(warehouse.name, newest, now), None, again, findings)

    async def _discover(self, subscription: Spec, context: DiscoveryContext) -> Discovered:
        plugin = self._subscriptions[subscription.kind]
        return await plugin.discover(context, subscription.config, subscription.name)


def _failed(warehouse: Warehouse, failures: list[BaseException], now: datetime, again: datetime) -> Found:
    """What to say and when to ask again after failures of some subscriptions; what a person can mend goes first."""
    strange = [error for error in failures if not isinstance(error, UserError | Retry)]
    for error in strange:
        if not isinstance(error, Exception):  # the task is being cancelled
            raise error
    if strange:
        # The same fault has the same reference each time: what is said of it doesn't change from poll to poll.
        what = f"{warehouse.name} {type(strange[0]).__name__} {strange[0]}"
        reference = hashlib.sha256(what.encode()).hexdigest()[:8]
        more = {"warehouse": warehouse.name, "reference": reference}
        log.error("discovering artifacts", exc_info=strange[0], extra=more)
        return Found(warehouse, None, DiscoveryProblem(f"An internal error occurred (reference {reference})"), again)
    if mistakes := [str(error) for error in failures if isinstance(error, UserError)]:
        return Found(warehouse, None, DiscoveryProblem("; ".join(dict.fromkeys(mistakes))), again)
    passing = [error for error in failures if isinstance(error, Retry)]
    at = max(error.at for error in passing)
    problem = DiscoveryProblem("; ".join(dict.fromkeys(error.because for error in passing)))
    often = _FAILED_OFTEN if at - now > _LONG_WAIT else 1
    return Found(warehouse, None, problem, max(at, now + _SOON), failures=often)


def _after(known: Found, found: Found) -> Found:
    """What was found, seen with what was known: a poll without a result takes nothing away, and what is found again
    is as old as it was."""
    if known.warehouse != found.warehouse:
        known = replace(known, freight=known.freight if found.freight else None, findings=(), failures=0)
    freight, findings = found.freight, found.findings or known.findings
    before = known.freight
    if before is not None and (freight.id == before.id if freight else found.problem is not None):
        freight = before
    failures = found.failures and min(known.failures + found.failures, _FAILED_OFTEN)
    return replace(found, freight=freight, findings=findings, failures=failures)


def _missing(finding: Finding, version: str | None) -> str:
    what = discoveries.shown(finding.subscription)
    newest = ", ".join(f"`{freight_data.version(one)}`" for one in finding.artifacts[:5])
    if version:
        there = f" Newest there: {newest}." if newest else ""
        return f"There is no `{version}` that fits {what}.{there}"
    name = discoveries.names_of(finding.subscription)[0]
    return f"Nothing was found that fits {what}, so there is nothing to go with it. Name a version: `{name}=…`."
