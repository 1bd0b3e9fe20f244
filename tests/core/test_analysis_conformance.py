"""The state machine, the validation and the conditions of Argo Rollouts, case by case."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.analysis import (
    AnalysisError,
    Counts,
    Measurement,
    MetricState,
    Phase,
    assess_metric,
    broken_limit,
    judge,
    rules_of,
    validate_metric,
)
from bot.core.analysis.assess import counted
from bot.core.model import Metric
from bot.expressions import FloatList
from tests.conformance.cases import public, recorded

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FIELDS = {
    "interval": "interval",
    "initialDelay": "initial_delay",
    "count": "count",
    "failureLimit": "failure_limit",
    "inconclusiveLimit": "inconclusive_limit",
    "consecutiveErrorLimit": "consecutive_error_limit",
    "consecutiveSuccessLimit": "consecutive_success_limit",
}


def metric_of(fields: dict[str, Any]) -> Metric:
    return replace(Metric("m", "web", {}), **{FIELDS[name]: value for name, value in fields.items()})


@pytest.mark.parametrize("case", recorded("argo_assess_metric"), ids=lambda case: json.dumps(case["metric"]))
def test_a_metric_goes_through_the_recorded_phases(case: dict[str, Any]) -> None:
    metric = metric_of(case["metric"])
    state = MetricState(metric, rules_of(metric))
    trail = []
    used = 0
    for name in case["measurements"]:
        phase = Phase(name)
        finished_at = NOW if phase.completed else None
        counts = counted(state.counts, phase) if phase.completed else state.counts
        state = replace(
            state, counts=counts, measurements=(*state.measurements, Measurement(phase, NOW, finished_at=finished_at))
        )
        state = replace(state, phase=assess_metric(state, terminating=False))
        used += 1
        trail.append(state.phase)
        if state.phase.completed:
            break
    if not state.phase.completed and (case["terminating"] or not case["measurements"]):
        state = replace(state, phase=assess_metric(state, terminating=case["terminating"]))
        trail.append(state.phase)

    broken = broken_limit(state.rules, state.counts)
    assert trail == case["trail"]
    assert state.phase == case["phase"]
    assert used == case["measurements_used"]
    assert (broken[1] if broken else "") == case["message"]
    assert state.counts == Counts(
        count=case["counters"]["count"],
        successful=case["counters"]["successful"],
        failed=case["counters"]["failed"],
        inconclusive=case["counters"]["inconclusive"],
        error=case["counters"]["error"],
        consecutive_error=case["counters"]["consecutiveError"],
        consecutive_success=case["counters"]["consecutiveSuccess"],
    )


@pytest.mark.parametrize("case", recorded("argo_validate_metric"), ids=lambda case: json.dumps(case["metric"]))
def test_a_metric_is_valid_or_refused_in_the_recorded_words(case: dict[str, Any]) -> None:
    metric = metric_of(case["metric"])
    if case["error"] is None:
        validate_metric(metric)
    else:
        with pytest.raises(AnalysisError) as refused:
            validate_metric(metric)
        assert str(refused.value) == case["error"]


def result_of(case: dict[str, Any]) -> Any:
    """The result in the type that the provider gave it."""
    result, kind = case["result"], case["result_type"]
    if result is None:
        return None
    if kind == "floats":
        return FloatList(float(item) for item in result)
    if kind == "float":
        return float(result)
    return json.loads(json.dumps(result), parse_int=float) if kind == "any" else result


def judged(case: dict[str, Any]) -> None:
    metric = Metric(
        "m", "web", {}, success_condition=case["successCondition"], failure_condition=case["failureCondition"]
    )
    phase, message = judge(metric, result_of(case), NOW)
    assert phase == case["expected_phase"], message
    wanted = case.get("error", "")
    if not wanted or "no data returned" in wanted:
        assert message == wanted
    else:  # which condition it was is held; the words after that are the language's own
        field = "successCondition" if "successCondition" in wanted else "failureCondition"
        head = f'could not evaluate {field} "{case[field]}": '
        assert wanted.startswith(head)
        assert message.startswith(head)


@pytest.mark.parametrize(
    "case", recorded("argo_conditions"), ids=lambda case: f"{case['successCondition']}/{case['failureCondition']}"
)
def test_a_result_is_judged_as_recorded(case: dict[str, Any]) -> None:
    judged(case)


def test_a_result_is_judged_as_in_argo_rollouts_own_tests() -> None:
    for case in public("argo_conditions"):
        judged(case)
