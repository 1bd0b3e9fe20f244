"""How a metric stands after its measurements, and a run after its metrics.

Rules, their order and wording: assessMetricStatus and assessRunStatus in Argo Rollouts' analysis/analysis.go.
"""

from collections.abc import Iterable
from dataclasses import replace

from bot.core.analysis.state import Counts, MetricRules, MetricState, Phase, Run

_BEST_FIRST = (Phase.SUCCESSFUL, Phase.INCONCLUSIVE, Phase.ERROR, Phase.FAILED)


def counted(counts: Counts, phase: Phase) -> Counts:
    """The counters after one more completed measurement."""
    if phase is Phase.ERROR:
        return replace(
            counts,
            error=counts.error + 1,
            consecutive_error=counts.consecutive_error + 1,
            consecutive_success=0,
        )
    return replace(
        counts,
        count=counts.count + 1,
        successful=counts.successful + (phase is Phase.SUCCESSFUL),
        failed=counts.failed + (phase is Phase.FAILED),
        inconclusive=counts.inconclusive + (phase is Phase.INCONCLUSIVE),
        consecutive_error=0,
        consecutive_success=counts.consecutive_success + 1 if phase is Phase.SUCCESSFUL else 0,
    )


def broken_limit(rules: MetricRules, counts: Counts) -> tuple[Phase, str] | None:
    """The limit that was exceeded, the last in the order Failed, Inconclusive, Error; None when all hold."""
    broken = None
    if 0 <= rules.failure_limit < counts.failed:
        broken = Phase.FAILED, f"failed ({counts.failed}) > failureLimit ({rules.failure_limit})"
    if counts.inconclusive > rules.inconclusive_limit:
        broken = (
            Phase.INCONCLUSIVE,
            f"inconclusive ({counts.inconclusive}) > inconclusiveLimit ({rules.inconclusive_limit})",
        )
    if counts.consecutive_error > rules.consecutive_error_limit:
        broken = (
            Phase.ERROR,
            f"consecutiveErrors ({counts.consecutive_error}) > consecutiveErrorLimit ({rules.consecutive_error_limit})",
        )
    return broken


def assess_metric(metric: MetricState, *, terminating: bool) -> Phase:
    """The phase of a metric now."""
    rules, counts = metric.rules, metric.counts
    if metric.phase.completed:
        return metric.phase
    if metric.last is None:
        return Phase.SUCCESSFUL if terminating else Phase.PENDING
    if not metric.last.phase.completed:
        return Phase.RUNNING
    broken = broken_limit(rules, counts)
    if broken:
        return broken[0]
    needed = rules.consecutive_success_limit
    if 0 < needed <= counts.consecutive_success:
        return Phase.SUCCESSFUL
    if rules.count is not None and counts.count >= rules.count:
        if needed == 0:
            return Phase.SUCCESSFUL
        return Phase.INCONCLUSIVE if rules.failure_limit >= 0 else Phase.FAILED
    return Phase.SUCCESSFUL if terminating else Phase.RUNNING


def reason(metric: MetricState) -> str:
    """Why a completed metric came to its phase; "" where there is nothing to explain."""
    broken = broken_limit(metric.rules, metric.counts)
    if broken:
        return broken[1]
    if metric.phase in (Phase.INCONCLUSIVE, Phase.FAILED):
        reached, needed = metric.counts.consecutive_success, metric.rules.consecutive_success_limit
        return f"consecutiveSuccess ({reached}) < consecutiveSuccessLimit ({needed})"
    return ""


def assess_run(run: Run, metrics: Iterable[MetricState]) -> tuple[tuple[MetricState, ...], Phase, str]:
    """The metrics with their new phases, the phase of the whole run, and its message.

    `run` is how it stood before this round: a metric that goes wrong in this round ends a run of several metrics
    in the next, so that the others' measurements in flight can be stopped.
    """
    terminating = run.terminating
    assessed = []
    all_done = True
    worst: Phase | None = None
    message = "Run Terminated" if run.terminated else ""
    for before in metrics:
        metric = _moved(before, terminating)
        assessed.append(metric)
        if not metric.phase.completed:
            all_done = False
        elif metric.rules.dry_run:
            worst = worst or Phase.SUCCESSFUL
        elif worst is None or _BEST_FIRST.index(metric.phase) > _BEST_FIRST.index(worst):
            worst = metric.phase
            if because := reason(metric):
                message = f'Metric "{metric.rules.name}" assessed {metric.phase} due to {because}'
                message += f': "Error Message: {metric.message}"' if metric.message else ""
    if terminating:
        return tuple(assessed), worst or Phase.SUCCESSFUL, message
    if worst is None or not all_done:
        return tuple(assessed), Phase.RUNNING, ""
    return tuple(assessed), worst, message


def _moved(metric: MetricState, terminating: bool) -> MetricState:
    if metric.last is None:
        return metric  # never started: it has no say in how a run ends
    phase = assess_metric(metric, terminating=terminating)
    if phase is metric.phase:
        return metric
    moved = replace(metric, phase=phase, message=metric.last.message)
    if metric.rules.dry_run and (because := reason(moved)):
        return replace(moved, message=f"Metric assessed {phase} due to {because}")
    return moved
