"""What to tell people of a run, as data: the words around it are written elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.analysis.assess import reason
from bot.core.analysis.state import Counts, MetricState, Phase, Run


@dataclass(frozen=True, slots=True)
class Tally:
    """How many metrics came to which phase; `count` includes those still under way."""

    count: int
    successful: int
    failed: int
    inconclusive: int
    error: int


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric. `value`, `message` and `measured_at` are the last measurement's; `because` explains the phase.

    `measured` False: nothing was measured yet, or the run ended before its turn came.
    """

    name: str
    provider: str
    phase: Phase
    dry_run: bool
    counts: Counts
    count_wanted: int | None
    success_condition: str
    failure_condition: str
    measured: bool
    value: str
    message: str
    measured_at: datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """`tally` counts the metrics that decide, `dry_run` those that only watch."""

    phase: Phase
    message: str
    started_at: datetime
    completed_at: datetime | None
    tally: Tally
    dry_run: Tally
    metrics: tuple[MetricSummary, ...]


def summary(run: Run) -> RunSummary:
    return RunSummary(
        phase=run.phase,
        message=run.message,
        started_at=run.started_at,
        completed_at=run.completed_at,
        tally=_tally(metric for metric in run.metrics if not metric.rules.dry_run),
        dry_run=_tally(metric for metric in run.metrics if metric.rules.dry_run),
        metrics=tuple(_metric(metric) for metric in run.metrics),
    )


def _metric(metric: MetricState) -> MetricSummary:
    last = metric.last
    return MetricSummary(
        name=metric.rules.name,
        provider=metric.spec.provider,
        phase=metric.phase,
        dry_run=metric.rules.dry_run,
        counts=metric.counts,
        count_wanted=metric.rules.count,
        success_condition=metric.rules.success_condition,
        failure_condition=metric.rules.failure_condition,
        measured=last is not None,
        value=last.value if last else "",
        message=last.message if last else "",
        measured_at=(last.finished_at or last.started_at) if last else None,
        because=reason(metric) if metric.phase.completed else "",
    )


def _tally(metrics: Iterable[MetricState]) -> Tally:
    phases = [metric.phase for metric in metrics]
    return Tally(
        count=len(phases),
        successful=phases.count(Phase.SUCCESSFUL),
        failed=phases.count(Phase.FAILED),
        inconclusive=phases.count(Phase.INCONCLUSIVE),
        error=phases.count(Phase.ERROR),
    )
