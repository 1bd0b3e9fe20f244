"""The life of an analysis: start, what is due, record what was measured, when to look again, terminate.

The engine's loop is: `due` → measure → `record` (also when nothing was due) → wait until `next_time`.
Rules: reconcileAnalysisRun and generateMetricTasks in Argo Rollouts' analysis/analysis.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.analysis.arguments import flatten, merge, resolve_metric
from bot.core.analysis.assess import assess_run, counted
from bot.core.analysis.rules import dry_run_names, retention_limits, rules_of, validate_metrics
from bot.core.analysis.state import (
    MASK,
    AnalysisError,
    Measurement,
    MetricState,
    MetricTask,
    Phase,
    Run,
    Task,
)
from bot.core.model import AnalysisTemplate, Argument

RETRY_AFTER = timedelta(seconds=10)  # after an error, and where no interval or resume time is given
HISTORY = 10  # measurements kept per metric, unless a retention rule says otherwise


def start(templates: Sequence[AnalysisTemplate], args: Mapping[str, str], now: datetime) -> Run:
    """A run of these templates with the caller's argument values (leave out what is to keep its default).

    What makes no sense becomes a run that is over at once: phase Error, with the reason as its message.
    """
    arguments: tuple[Argument, ...] = ()
    try:
        template = flatten(templates)
        arguments = merge(template.args, args)
        metrics = _states(template, arguments)
    except AnalysisError as error:
        return Run((), arguments, now, phase=Phase.ERROR, message=str(error), completed_at=now)
    return Run(metrics, arguments, now)


def _states(template: AnalysisTemplate, arguments: Sequence[Argument]) -> tuple[MetricState, ...]:
    values = {arg.name: MASK if arg.secret else arg.value or "" for arg in arguments}
    try:
        resolved = [resolve_metric(metric, values) for metric in template.metrics]
    except AnalysisError as error:
        raise AnalysisError(f"Unable to resolve metric arguments: {error}") from error
    try:
        validate_metrics(resolved)
        names = [metric.name for metric in resolved]
        dry = dry_run_names(template.dry_run, names)
        limits = retention_limits(template.retention, names)
    except AnalysisError as error:
        raise AnalysisError(f"Analysis spec invalid: {error}") from error
    return tuple(
        MetricState(spec, rules_of(metric, dry_run=metric.name in dry, keep=limits.get(metric.name, HISTORY)))
        for spec, metric in zip(template.metrics, resolved, strict=True)
    )


def due(run: Run, now: datetime) -> list[MetricTask]:
    """What to measure, resume or terminate now, in the order of the metrics."""
    if run.phase.completed:
        return []
    tasks = []
    for metric in run.metrics:
        at, task = _next_task(run, metric)
        if at is not None and at <= now:
            previous = None if task is Task.MEASURE else metric.last
            tasks.append(MetricTask(metric.rules.name, task, metric.spec, previous))
    return tasks


def next_time(run: Run, now: datetime) -> datetime | None:
    """When to look at this run again: never before `now`; None when it is over."""
    if run.phase.completed:
        return None
    times = [at for at, _ in (_next_task(run, metric) for metric in run.metrics) if at is not None]
    if run.terminating or not times:
        return now  # nothing to wait for: the next `record` ends it
    return max(now, min(times))


def terminate(run: Run) -> Run:
    """Ask for the end: no new measurements, those in flight are stopped, and the next `record` completes the run."""
    return run if run.phase.completed else replace(run, terminated=True)


def record(run: Run, measurements: Mapping[str, Measurement], now: datetime) -> Run:
    """The run after this round's measurements, by metric name. A completed run or metric stays as it is.

    A measurement stands in for the one in flight, if there is one. Raises KeyError for an unknown metric.
    """
    unknown = measurements.keys() - {metric.rules.name for metric in run.metrics}
    if unknown:
        raise KeyError(f"measurements of metrics this run does not have: {sorted(unknown)}")
    if run.phase.completed:
        return run
    taken = [_taken(metric, measurements.get(metric.rules.name), now) for metric in run.metrics]
    assessed, phase, message = assess_run(run, taken)
    metrics = tuple(replace(metric, measurements=metric.measurements[-metric.rules.keep :]) for metric in assessed)
    if phase is run.phase:
        return replace(run, metrics=metrics)
    return replace(run, metrics=metrics, phase=phase, message=message, completed_at=now if phase.completed else None)


def _next_task(run: Run, metric: MetricState) -> tuple[datetime | None, Task]:
    """When something is to be done for this metric, and what; None: nothing, unless a measurement changes that."""
    rules, last = metric.rules, metric.last
    if metric.phase.completed:
        return None, Task.MEASURE
    if last is not None and last.finished_at is None:
        if run.terminating:
            return run.started_at, Task.TERMINATE
        return last.resume_at, Task.RESUME
    if run.terminating:
        return None, Task.MEASURE
    if last is None:
        return run.started_at + rules.initial_delay, Task.MEASURE
    wait = rules.interval if rules.interval is not None and last.phase is not Phase.ERROR else RETRY_AFTER
    return (last.finished_at or run.started_at) + wait, Task.MEASURE


def _taken(metric: MetricState, measurement: Measurement | None, now: datetime) -> MetricState:
    if measurement is None or metric.phase.completed:
        return metric
    counts = metric.counts
    if measurement.phase.completed:
        measurement = replace(measurement, finished_at=measurement.finished_at or now, resume_at=None)
        counts = counted(counts, measurement.phase)
    else:
        measurement = replace(measurement, finished_at=None, resume_at=measurement.resume_at or now + RETRY_AFTER)
    earlier = metric.measurements
    if earlier and earlier[-1].finished_at is None:
        earlier = earlier[:-1]
    return replace(
        metric,
        # From here on it is under way: only a later change of phase brings a measurement's message to the metric.
        phase=Phase.RUNNING,
        counts=counts,
        measurements=(*earlier, measurement),
    )
