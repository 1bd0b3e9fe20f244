"""What warehouses were found to hold: which freight follows, by what rule none does, and when to ask again."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from bot.core.model import Artifact, Chart, Commit, Image, RepositoryName, Subscription, Warehouse
from bot.core.urls import image_repository, normalize_git, normalize_image, short_name
from bot.expressions import ExpressionError, evaluate
from bot.expressions.booleans import as_bool
from bot.expressions.common_functions import COMMON
from bot.expressions.discovered_functions import Newest, discovered_functions
from bot.expressions.values import Function

_SHORTEST_INTERVAL = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one subscription found, best first. `created` says when each was made, None where that is not known.

    As long as `state` would be the same, the same would be found; "" where nothing tells so.
    """

    subscription: Subscription
    artifacts: tuple[Artifact, ...]
    created: tuple[datetime | None, ...] = ()
    state: str = ""

    @property
    def newest(self) -> Artifact | None:
        return self.artifacts[0] if self.artifacts else None

    def dated(self) -> tuple[tuple[Artifact, datetime | None], ...]:
        """Every artifact with the time it was made."""
        return tuple(zip_longest(self.artifacts, self.created[: len(self.artifacts)]))


@dataclass(frozen=True, slots=True)
class DiscoveryProblem:
    """Why a warehouse makes no new freight. `is_fault` means that something is broken; else there is just nothing."""

    text: str
    is_fault: bool = True


def empty(found: Iterable[Finding]) -> DiscoveryProblem | None:
    """Subscriptions that found nothing make no freight, and nor do the others beside them (kargo.md §1.1)."""
    idle = [shown(one.subscription) for one in found if not one.artifacts]
    return DiscoveryProblem(f"nothing found that fits {' and '.join(idle)}", is_fault=False) if idle else None


def unmet(warehouse: Warehouse, found: Sequence[Finding], now: datetime) -> DiscoveryProblem | None:
    """Why the warehouse's `freightCreationCriteria` keep the newest of all from becoming freight, None if they don't.

    https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#freight-creation-criteria
    """
    code = warehouse.creation_criteria
    if not code:
        return None
    try:
        met = as_bool(evaluate(code, criteria_environment(found), now=lambda: now))
    except (ExpressionError, ValueError) as error:
        return DiscoveryProblem(f"freightCreationCriteria `{_flat(code)}` can't be told: {error}")
    return None if met else DiscoveryProblem(f"criteria not satisfied: `{_flat(code)}`", is_fault=False)


def criteria_environment(found: Iterable[Finding] = ()) -> dict[str, Function]:
    """What `freightCreationCriteria` may use."""
    newest = [dated[0] for one in found if (dated := one.dated())]
    return {
        **COMMON,
        **discovered_functions(
            Newest(
                commits=[(artifact, created) for artifact, created in newest if isinstance(artifact, Commit)],
                images=[(artifact, created) for artifact, created in newest if isinstance(artifact, Image)],
                charts=[(artifact, created) for artifact, created in newest if isinstance(artifact, Chart)],
            )
        ),
    }


def _flat(code: str) -> str:
    return " ".join(code.replace("`", "'").split())


# --- which subscription ------------------------------------------------------------------------------


def shown(subscription: Subscription) -> str:
    """A subscription as problems name it: its kind, its own name, its address."""
    name = f"`{subscription.name}`" if subscription.name else ""
    address = f"{_text(subscription, 'repoURL')} {_text(subscription, 'name')}".strip()
    return " ".join(filter(None, ("the", subscription.kind, "subscription", name, address and f"to {address}")))


def names_of(subscription: Subscription) -> tuple[str, ...]:
    """The names a subscription goes by in commands, the shortest first: those of its artifacts."""
    url = _text(subscription, "repoURL")
    repository = image_repository(url)
    names = (subscription.name, _text(subscription, "name") or short_name(url), repository, url)
    normal = normalize_git(url) if "://" in url else normalize_image(repository)
    return tuple(dict.fromkeys(filter(None, (*names, normal))))


def is_from(artifact: Artifact, subscription: Subscription) -> bool:
    """Whether this subscription found the artifact, or could have."""
    url = _text(subscription, "repoURL")
    chart = artifact.name if isinstance(artifact, Chart) else _text(subscription, "name")
    return (
        artifact.subscription_name == subscription.name
        and artifact.repo_url in {url, image_repository(url)}
        and chart == _text(subscription, "name")
    )


def _text(subscription: Subscription, key: str) -> str:
    value = subscription.config.get(key)
    return value.strip() if isinstance(value, str) else ""


# --- when ----------------------------------------------------------------------------------------------


def next_poll(repository: RepositoryName, interval: timedelta, now: datetime) -> datetime:
    """When to ask a warehouse again: on average after its interval, at a moment that is the repository's own.

    So the repositories of a process are spread over the interval, however many started together, while the warehouses
    of one repository are asked in one look.
    """
    period = max(interval, _SHORTEST_INTERVAL).total_seconds()
    share = int.from_bytes(hashlib.sha256(repository.lower().encode()).digest()[:8]) / 2**64
    first = now.timestamp() + period / 2
    turns = math.ceil(first / period - share)
    return datetime.fromtimestamp((turns + share) * period, UTC)
