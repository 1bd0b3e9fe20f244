"""Carries out a round of an analysis: asks the providers, all at once, judges what they read, and records it."""

import asyncio
import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from bot.contracts import MeasurementPhase, MetricContext, MetricProvider, Reading, Secrets
from bot.core.analysis import (
    MASK,
    AnalysisError,
    Measurement,
    MetricTask,
    Phase,
    Run,
    Task,
    due,
    judge,
    record,
    resolve_metric,
)
from bot.core.model import Argument, Metric
from bot.errors import Retry, UserError

_log = logging.getLogger(__name__)
_LONGEST = 2000  # characters kept of a text that is only shown: a measured page may be megabytes long


async def measure_due(run: Run, providers: Mapping[str, MetricProvider], context: MetricContext, now: datetime) -> Run:
    """One round of an analysis: what is due at `now` is measured, all of it at once, and recorded.

    What goes wrong with one metric is an Error measurement of that metric: with the fault's own words where a person
    could mend it, else with an id under which the log has the whole chain. Secrets are read here, and masked in all
    that is kept.
    """
    tasks = due(run, now)
    known = _Arguments(run.args, context.secrets)
    done = await asyncio.gather(*(_carry_out(task, known, providers, context) for task in tasks))
    measurements = dict(zip((task.name for task in tasks), done, strict=True))
    return record(run, measurements, context.clock.now())


class _Arguments:
    """The values of a run's arguments, secrets included, for as long as a round of measurements takes."""

    def __init__(self, args: Sequence[Argument], secrets: Secrets) -> None:
        self._values: dict[str, str] = {}
        self._missing: list[str] = []
        self._secret: list[str] = []
        for arg in args:
            if arg.secret is None:
                self._values[arg.name] = arg.value or ""
                continue
            name, key = arg.secret
            try:
                value = secrets.get(name, key)
            except UserError as error:
                self._missing.append(f'for argument "{arg.name}", {error}')
                continue
            if value is None:
                self._missing.append(f'there is no key "{key}" of secret "{name}" for argument "{arg.name}"')
            else:
                self._values[arg.name] = value
                self._secret.append(value)

    def resolve(self, metric: Metric) -> Metric:
        """The metric with its arguments; only what refers to a secret that is missing fails."""
        try:
            return resolve_metric(metric, self._values)
        except AnalysisError as error:
            raise UserError("; ".join((str(error), *self._missing))) from error

    def mask(self, text: str) -> str:
        """The text without secrets."""
        for secret in sorted(filter(None, self._secret), key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text


async def _carry_out(
    task: MetricTask, known: _Arguments, providers: Mapping[str, MetricProvider], context: MetricContext
) -> Measurement:
    started_at = task.previous.started_at if task.previous else context.clock.now()
    try:
        measurement = await _measure(task, started_at, known, providers, context)
    except (UserError, Retry) as error:
        measurement = Measurement(Phase.ERROR, started_at, message=str(error))
    except Exception as error:  # noqa: BLE001 - the border: no fault of one provider may stop the other measurements
        number = uuid4().hex[:8]
        chain = "".join(traceback.format_exception(error))
        _log.error("measuring metric %r failed (%s)\n%s", task.name, number, known.mask(chain))
        measurement = Measurement(Phase.ERROR, started_at, message=f"internal error {number}: the log tells more")
    return replace(
        measurement,
        value=_cut(context.secrets.mask(known.mask(measurement.value))),
        message=_cut(context.secrets.mask(known.mask(measurement.message))),
        metadata={key: _cut(context.secrets.mask(known.mask(value))) for key, value in measurement.metadata.items()},
        finished_at=context.clock.now() if measurement.phase.completed else None,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


async def _measure(
    task: MetricTask,
    started_at: datetime,
    known: _Arguments,
    providers: Mapping[str, MetricProvider],
    context: MetricContext,
) -> Measurement:
    if task.task is Task.TERMINATE:
        return Measurement(Phase.INCONCLUSIVE, started_at, message="Metric Terminated")
    provider = providers.get(task.spec.provider)
    if provider is None:
        raise UserError(f'there is no provider "{task.spec.provider}"; there are {", ".join(sorted(providers))}')
    metric = known.resolve(task.spec)
    previous = task.previous
    if previous is not None:
        before = Reading(
            value=previous.value,
            phase=MeasurementPhase.RUNNING,
            resume_at=previous.resume_at,
            metadata=previous.metadata,
        )
        context = replace(context, previous=before)
    reading = await provider.measure(context, metric.config)
    phase, message = (Phase(reading.phase), "") if reading.phase else judge(metric, reading.result, context.clock.now())
    return Measurement(
        phase, started_at, resume_at=reading.resume_at, value=reading.value, message=message, metadata=reading.metadata
    )
