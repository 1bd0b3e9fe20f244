"""Analysis: the metrics that judge, as a state machine over plain data. Argo Rollouts' AnalysisRun, without a cluster.

`start` a run, then again and again: `due` says what to measure, `record` takes in what was measured, `next_time` says
when to look again. Nothing here waits, asks or reads a clock. `judge` turns one result into a phase.

Different from Argo Rollouts on purpose:

- a number field that holds other text (`count: "x"`) is refused; there it silently counts as 0, which is endless;
- a caller's value for an argument that a template takes from a secret is used; there the secret wins;
- argument values may hold control characters; there they make the metric unreadable;
- a measurement is due at its time, not after it; and a run of which every metric hangs on `consecutiveSuccessLimit`
  says so in its message, which is empty there.
"""

from bot.core.analysis.arguments import expand, resolve_metric
from bot.core.analysis.assess import assess_metric, broken_limit
from bot.core.analysis.conditions import judge
from bot.core.analysis.machine import due, next_time, record, start, terminate
from bot.core.analysis.rules import rules_of, validate_metric
from bot.core.analysis.state import (
    MASK,
    AnalysisError,
    Counts,
    Measurement,
    MetricRules,
    MetricState,
    MetricTask,
    Phase,
    Run,
    Task,
)
from bot.core.analysis.storage import from_json, to_json
from bot.core.analysis.summary import MetricSummary, RunSummary, Tally, summary

__all__ = [
    "MASK",
    "AnalysisError",
    "Counts",
    "Measurement",
    "MetricRules",
    "MetricState",
    "MetricSummary",
    "MetricTask",
    "Phase",
    "Run",
    "RunSummary",
    "Tally",
    "Task",
    "assess_metric",
    "broken_limit",
    "due",
    "expand",
    "from_json",
    "judge",
    "next_time",
    "record",
    "resolve_metric",
    "rules_of",
    "start",
    "summary",
    "terminate",
    "to_json",
    "validate_metric",
]
