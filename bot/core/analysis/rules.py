"""A metric's rules: read from its fields, and refused where they contradict one another.

Rules and wording: Argo Rollouts' utils/analysis/factory.go (ValidateMetric) and analysis_types.go (EffectiveCount).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

import re2

from bot.core.analysis.state import AnalysisError, MetricRules
from bot.core.durations import DurationError, parse_duration
from bot.core.model import MeasurementRetention, Metric

_NUMBER = re.compile(r"[+-]?[0-9]+")
_NUMBER_FIELDS = {
    "count": "count",
    "failure_limit": "failureLimit",
    "inconclusive_limit": "inconclusiveLimit",
    "consecutive_error_limit": "consecutiveErrorLimit",
    "consecutive_success_limit": "consecutiveSuccessLimit",
}


def rules_of(metric: Metric, *, dry_run: bool = False, keep: int = 10) -> MetricRules:
    """The rules of one metric whose arguments are resolved. Raises DurationError; contradictions are let pass."""
    count = _number(metric.count)
    interval = parse_duration(metric.interval) if metric.interval else None
    if count == 0 and interval is None:
        count = 1
    return MetricRules(
        name=metric.name,
        interval=interval,
        initial_delay=parse_duration(metric.initial_delay) if metric.initial_delay else timedelta(0),
        count=count or None,
        failure_limit=_number(metric.failure_limit),
        inconclusive_limit=_number(metric.inconclusive_limit),
        consecutive_error_limit=_number(metric.consecutive_error_limit, default=4),
        consecutive_success_limit=_number(metric.consecutive_success_limit),
        success_condition=metric.success_condition,
        failure_condition=metric.failure_condition,
        dry_run=dry_run,
        keep=keep,
    )


def validate_metrics(metrics: Sequence[Metric]) -> None:
    """All metrics of an analysis, arguments resolved. Raises AnalysisError naming the first that is wrong."""
    if not metrics:
        raise AnalysisError("no metrics specified")
    names = set()
    for index, metric in enumerate(metrics):
        if metric.name in names:
            raise AnalysisError(f"metrics[{index}]: duplicate name '{metric.name}'")
        names.add(metric.name)
        try:
            validate_metric(metric)
        except AnalysisError as error:
            raise AnalysisError(f"metrics[{index}]: {error}") from error


def validate_metric(metric: Metric) -> None:
    """One metric, arguments resolved. Raises AnalysisError."""
    for field, spelling in _NUMBER_FIELDS.items():
        value = getattr(metric, field)
        if isinstance(value, str) and value and not _NUMBER.fullmatch(value):
            raise AnalysisError(f'{spelling} must be a whole number, not "{value}"')
    count = _number(metric.count)
    failures = _number(metric.failure_limit)
    successes = _number(metric.consecutive_success_limit)
    inconclusive = _number(metric.inconclusive_limit)
    if successes < 0:
        raise AnalysisError("consecutiveSuccessLimit must be >= 0")
    if failures < -1:
        raise AnalysisError("failureLimit must be >= 0, or -1 to be disabled")
    if successes == 0 and failures == -1:
        raise AnalysisError("failureLimit and consecutiveSuccessLimit cannot both be disabled")
    if inconclusive < 0:
        raise AnalysisError("inconclusiveLimit must be >= 0")
    if _number(metric.consecutive_error_limit, default=4) < 0:
        raise AnalysisError("consecutiveErrorLimit must be >= 0")
    if count > 0:
        if failures >= 0 and count < failures + successes:
            raise AnalysisError(
                f"count ({count}) must be >= failureLimit + consecutiveSuccessLimit "
                f"({failures} + {successes}) if both >= 0"
            )
        if failures < 0 and count < successes:
            raise AnalysisError("count must be >= consecutiveSuccessLimit")
        if count < inconclusive:
            raise AnalysisError("count must be >= inconclusiveLimit")
    if count > 1 and not metric.interval:
        raise AnalysisError("interval must be specified when count > 1")
    _check_duration(metric.interval, "interval")
    _check_duration(metric.initial_delay, "startDelay")
    if not metric.provider:
        raise AnalysisError("no provider specified")


def dry_run_names(rules: Sequence[str], names: Sequence[str]) -> frozenset[str]:
    """The metrics that dry-run rules match: Go regular expressions, unanchored. Raises AnalysisError if one is idle."""
    found: set[str] = set()
    for index, rule in enumerate(rules):
        found.update(_matching(rule, names, f"dryRun[{index}]"))
    return frozenset(found)


def retention_limits(rules: Sequence[MeasurementRetention], names: Sequence[str]) -> dict[str, int]:
    """How many measurements to keep, for the metrics that a rule matches; the last rule that matches wins."""
    found: dict[str, int] = {}
    for index, rule in enumerate(rules):
        matching = _matching(rule.metric_name, names, f"measurementRetention[{index}]")
        if rule.limit > 0:
            found.update(dict.fromkeys(matching, rule.limit))
    return found


def _matching(rule: str, names: Iterable[str], where: str) -> list[str]:
    options = re2.Options()
    options.log_errors = False
    try:
        pattern = re2.compile(rule, options)
        found = [name for name in names if pattern.search(name)]
    except (re2.error, UnicodeEncodeError):
        found = []  # as there: `*` is no regular expression and so matches nothing
    if not found:
        raise AnalysisError(f"{where}: Rule didn't match any metric name(s)")
    return found


def _check_duration(text: str, field: str) -> None:
    try:
        if text:
            parse_duration(text)
    except DurationError as error:
        raise AnalysisError(f"invalid {field} string: {error}") from error


def _number(value: str | int | None, default: int = 0) -> int:
    """Kubernetes' IntOrString: text that is no number counts as 0 (validate_metric refuses it before it gets here)."""
    if value is None:
        return default
    if isinstance(value, str):
        return int(value) if _NUMBER.fullmatch(value) else 0
    return value
