"""What a benchmark gives: figures, each with what it is held against."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured. `value` is ours, in `unit`; `peer` is that of `against`, measured in the same run.

    `aim` is the most that their ratio should be or, without a peer, the most that the value itself should be.
    """

    what: str
    value: float
    unit: str
    against: str = ""
    peer: float | None = None
    aim: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as much as the peer; less is better."""
        return self.value / self.peer if self.peer else None

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is; None where there is none."""
        held = self.value if self.peer is None else self.ratio
        return None if self.aim is None or held is None else held <= self.aim

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.is_met}


Say = Callable[[str], None]
"""Tells whoever waits how far it is."""


class Benchmark(Protocol):
    """A module held to this, and listed in `benchmarks/__main__.py`."""

    @property
    def NAME(self) -> str: ...
    @property
    def ABOUT(self) -> str:
        """What is measured, against what."""
        ...

    def run(self, say: Say) -> Iterable[Figure]:
        """Measure, for a bounded time. Raises Unavailable where something it needs isn't there."""
        ...


class Unavailable(Exception):
    """The benchmark can't run here; the text says what it needs."""


def best(work: Callable[[], object], *, times: int = 5, rounds: int = 1) -> float:
    """Seconds that so many rounds take, at best of several times: what is longer was somebody else's doing."""
    took = []
    for _ in range(times):
        began = perf_counter()
        for _ in range(rounds):
            work()
        took.append(perf_counter() - began)
    return min(took)
