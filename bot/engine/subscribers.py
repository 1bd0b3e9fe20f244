"""Who wants to hear what: every warehouse this process knows, by what it watches, and the doors for senders.

It knows the pipelines that were looked at, and no others: after a start nobody is woken before their first look, which
asks everything anyway. Losing it costs a poll.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from bot.contracts import Subscription
from bot.core.model import Pipeline, Receiver, RepositoryName, Warehouse, WarehouseName
from bot.core.model import Subscription as Spec
from bot.core.news import News, Refresh, Told
from bot.errors import UserError

_Address = tuple[str, str]  # of a kind, and where
_Key = tuple[str, WarehouseName]  # a repository in lower case, and a warehouse of its
_NOTHING = Pipeline({}, {})


class Subscribers:
    """Made of pipelines as they are looked at. Addresses are read when somebody first asks."""

    def __init__(self, subscriptions: Mapping[str, Subscription]) -> None:
        self._subscriptions = subscriptions
        self._names: dict[str, RepositoryName] = {}
        self._pipelines: dict[str, Pipeline] = {}
        self._unread: set[str] = set()
        self._addresses: dict[str, frozenset[_Address]] = {}
        self._watching: defaultdict[_Address, set[_Key]] = defaultdict(set)
        self._seen: set[str] = set()

    def take(self, repository: RepositoryName, pipeline: Pipeline) -> None:
        """The pipeline that now holds there."""
        key = repository.lower()
        self._seen.add(key)
        self._names[key] = repository
        if self._pipelines.get(key) is not pipeline:
            self._pipelines[key] = pipeline
            self._unread.add(key)

    @contextmanager
    def looking(self, repository: RepositoryName) -> Iterator[None]:
        """A look that ends well without a pipeline leaves none: the file is gone, or the App is."""
        key = repository.lower()
        self._seen.discard(key)
        yield
        if key not in self._seen and key in self._pipelines:
            self.take(repository, _NOTHING)

    def receiver(self, repository: str, kind: str, name: str) -> tuple[RepositoryName, Receiver] | None:
        """The door of this name, and its repository as GitHub spells it."""
        pipeline = self._pipelines.get(repository.lower())
        for one in pipeline.receivers if pipeline else ():
            if (one.kind, one.name) == (kind, name):
                return self._names[repository.lower()], one
        return None

    def of_all(self, told: Iterable[News]) -> dict[RepositoryName, frozenset[WarehouseName]]:
        """Warehouses, in whatever repository, that the news may concern."""
        found: defaultdict[RepositoryName, set[WarehouseName]] = defaultdict(set)
        for news in told:
            for key, name in self._watchers((news.kind, address) for address in news.addresses):
                if self._concerned(self._pipelines[key].warehouses[name], news):
                    found[self._names[key]].add(name)
        return {repository: frozenset(names) for repository, names in found.items()}

    def of_one(self, repository: RepositoryName, told: Iterable[Told]) -> frozenset[WarehouseName]:
        """Warehouses of one repository that the news may concern, or that were chosen."""
        key = repository.lower()
        pipeline = self._pipelines.get(key)
        return frozenset(
            name
            for one in told
            for name, warehouse in (pipeline.warehouses.items() if pipeline else ())
            if (self._chosen(warehouse, one) if isinstance(one, Refresh) else self._concerned(warehouse, one))
        )

    def _watchers(self, addresses: Iterable[_Address]) -> set[_Key]:
        for key in self._unread:
            self._read(key)
        self._unread.clear()
        return {key for address in addresses for key in self._watching.get(address, ())}

    def _read(self, key: str) -> None:
        for address in self._addresses.pop(key, ()):
            left = {one for one in self._watching[address] if one[0] != key}
            if left:
                self._watching[address] = left
            else:
                del self._watching[address]
        addresses = set()
        for name, warehouse in self._pipelines[key].warehouses.items():
            for subscription in warehouse.subscriptions:
                address = (subscription.kind, self._address(subscription))
                self._watching[address].add((key, name))
                addresses.add(address)
        self._addresses[key] = frozenset(addresses)

    def _address(self, subscription: Spec) -> str:
        try:
            return self._subscriptions[subscription.kind].address(subscription.config)
        except UserError:  # the next look says so
            return ""

    def _concerned(self, warehouse: Warehouse, news: News) -> bool:
        return any(
            subscription.kind == news.kind
            and self._address(subscription) in news.addresses
            and self._wants(subscription, news)
            for subscription in warehouse.subscriptions
        )

    def _wants(self, subscription: Spec, news: News) -> bool:
        try:
            return self._subscriptions[subscription.kind].concerned(subscription.config, news)
        except UserError:  # the next look says so
            return True

    def _chosen(self, warehouse: Warehouse, refresh: Refresh) -> bool:
        if refresh.name not in {"", warehouse.name}:
            return False
        watched = {self._address(subscription) for subscription in warehouse.subscriptions}
        return watched.issuperset(refresh.watching) and watched.isdisjoint(refresh.not_watching)
