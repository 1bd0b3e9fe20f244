"""What an analysis is made of, as immutable data: phases, measurements, metrics with their counters, the run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.model import Argument, Metric

MASK = "*****"  # what stands wherever the value of a secret would


class AnalysisError(ValueError):
    """An analysis that can't run as written. The message says what is wrong."""


class Phase(StrEnum):
    """Of a run, a metric or a measurement; Argo Rollouts' AnalysisPhase."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"

    @property
    def completed(self) -> bool:
        return self not in (Phase.PENDING, Phase.RUNNING)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One look at one metric. `finished_at` None: still in flight, to be looked at again at `resume_at`."""

    phase: Phase
    started_at: datetime
    finished_at: datetime | None = None
    resume_at: datetime | None = None
    value: str = ""
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """`count` is the number of measurements that gave an answer: all but the errors."""

    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0


@dataclass(frozen=True, slots=True)
class MetricRules:
    """A metric's rules, with arguments resolved, defaults applied and durations read.

    `count` None: endless. `failure_limit` -1: failures don't count. `consecutive_success_limit` 0: off.
    Conditions have secrets masked: they are for people; `judge` takes the metric itself.
    """

    name: str
    interval: timedelta | None = None
    initial_delay: timedelta = timedelta(0)
    count: int | None = 1
    failure_limit: int = 0
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    success_condition: str = ""
    failure_condition: str = ""
    dry_run: bool = False
    keep: int = 10  # measurements kept in the history


@dataclass(frozen=True, slots=True)
class MetricState:
    """One metric of a run: as written (`spec`, secrets and arguments unresolved), its rules, and how it stands."""

    spec: Metric
    rules: MetricRules
    phase: Phase = Phase.PENDING
    message: str = ""
    counts: Counts = Counts()
    measurements: tuple[Measurement, ...] = ()

    @property
    def last(self) -> Measurement | None:
        return self.measurements[-1] if self.measurements else None


@dataclass(frozen=True, slots=True)
class Run:
    """One analysis under way or done. It never holds the value of a secret, only where to find it."""

    metrics: tuple[MetricState, ...]
    args: tuple[Argument, ...]
    started_at: datetime
    phase: Phase = Phase.PENDING
    message: str = ""
    completed_at: datetime | None = None
    terminated: bool = False  # somebody asked for the end

    @property
    def terminating(self) -> bool:
        """No new measurements: somebody asked, or a metric that counts has already gone wrong."""
        return self.terminated or any(
            metric.phase in (Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE) and not metric.rules.dry_run
            for metric in self.metrics
        )


class Task(StrEnum):
    MEASURE = "measure"
    RESUME = "resume"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class MetricTask:
    """What to do for one metric now. `spec` is unresolved (see `resolve_metric`); `previous` is in flight."""

    name: str
    task: Task
    spec: Metric
    previous: Measurement | None = None
