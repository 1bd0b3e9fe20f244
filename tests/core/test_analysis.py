"""The life of an analysis: from templates and arguments over rounds of measurements to its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.analysis import (
    Measurement,
    Phase,
    Run,
    Task,
    due,
    next_time,
    record,
    start,
    summary,
    terminate,
)
from bot.core.model import AnalysisTemplate, Argument, MeasurementRetention, Metric

T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def web(name: str, **fields: Any) -> Metric:
    return replace(Metric(name, "web", {"url": "https://a.test/"}), **fields)


def template(*metrics: Metric, **fields: Any) -> AnalysisTemplate:
    return replace(AnalysisTemplate("t", metrics), **fields)


def started(*metrics: Metric, **fields: Any) -> Run:
    run = start([template(*metrics, **fields)], {}, T0)
    assert run.message == ""
    return run


def measured(phase: str, seconds: float, message: str = "", value: str = "") -> Measurement:
    done = Phase(phase).completed
    return Measurement(
        Phase(phase), at(seconds), finished_at=at(seconds) if done else None, message=message, value=value
    )


def names(run: Run, seconds: float, task: Task = Task.MEASURE) -> list[str]:
    return [found.name for found in due(run, at(seconds)) if found.task is task]


def rounds(run: Run, *phases: str, step: float = 60) -> Run:
    """Measures the run's only metric again and again."""
    for number, phase in enumerate(phases):
        run = record(run, {run.metrics[0].rules.name: measured(phase, number * step)}, at(number * step))
    return run


# --- the ordinary life -------------------------------------------------------------------------------


def test_a_metric_without_interval_is_measured_once_and_that_is_the_verdict() -> None:
    run = started(web("one"))
    assert run.phase is Phase.PENDING
    assert names(run, 0) == ["one"]
    assert next_time(run, T0) == T0
    run = record(run, {"one": measured("Successful", 1)}, at(1))
    assert run.phase is Phase.SUCCESSFUL
    assert run.completed_at == at(1)
    assert due(run, at(1000)) == []
    assert next_time(run, at(1)) is None


def test_a_failure_ends_a_run_of_one_metric_at_once_and_says_why() -> None:
    run = record(started(web("one")), {"one": measured("Failed", 1)}, at(1))
    assert (run.phase, run.message) == (
        Phase.FAILED,
        'Metric "one" assessed Failed due to failed (1) > failureLimit (0)',
    )


def test_the_error_of_the_last_measurement_is_in_the_message() -> None:
    run = started(web("one", consecutive_error_limit=0))
    run = record(run, {"one": measured("Error", 1, message="received non 2xx response code: 503")}, at(1))
    assert run.phase is Phase.ERROR
    assert run.message == (
        'Metric "one" assessed Error due to consecutiveErrors (1) > consecutiveErrorLimit (0): '
        '"Error Message: received non 2xx response code: 503"'
    )


def test_measurements_follow_each_other_by_the_interval_from_the_end_of_the_last() -> None:
    run = record(started(web("one", interval="1m", count=2)), {"one": measured("Successful", 7)}, at(7))
    assert run.phase is Phase.RUNNING
    assert names(run, 66.9) == []
    assert next_time(run, at(7)) == at(67)
    assert names(run, 67) == ["one"]
    assert record(run, {"one": measured("Successful", 67)}, at(67)).phase is Phase.SUCCESSFUL


@pytest.mark.parametrize("fields", [{}, {"interval": "1h", "count": 3}])
def test_an_error_is_tried_again_after_ten_seconds_whatever_the_interval(fields: dict[str, Any]) -> None:
    run = record(started(web("one", **fields)), {"one": measured("Error", 0)}, at(0))
    assert (names(run, 9.9), names(run, 10), next_time(run, at(0))) == ([], ["one"], at(10))


def test_the_fifth_error_in_a_row_ends_it() -> None:
    assert rounds(started(web("one")), *["Error"] * 4).phase is Phase.RUNNING
    assert rounds(started(web("one")), *["Error"] * 5).phase is Phase.ERROR


def test_an_initial_delay_counts_from_the_start() -> None:
    run = started(web("one", initial_delay="30s"))
    assert (names(run, 29), names(run, 30), next_time(run, T0)) == ([], ["one"], at(30))
    waiting = record(run, {}, at(1))
    assert waiting.phase is Phase.RUNNING
    assert names(waiting, 30) == ["one"]


def test_a_metric_without_count_goes_on_until_somebody_ends_it() -> None:
    run = rounds(started(web("one", interval="1m")), *["Successful"] * 30)
    assert run.phase is Phase.RUNNING
    ended = terminate(run)
    assert next_time(ended, at(1800)) == at(1800)
    assert due(ended, at(5000)) == []
    ended = record(ended, {}, at(1801))
    assert (ended.phase, ended.message) == (Phase.SUCCESSFUL, "Run Terminated")


def test_a_run_ended_before_anything_was_measured_is_successful() -> None:
    ended = record(terminate(started(web("one", initial_delay="1h"))), {}, at(1))
    assert (ended.phase, ended.message) == (Phase.SUCCESSFUL, "Run Terminated")
    assert terminate(ended) is ended


# --- several metrics ---------------------------------------------------------------------------------


def test_a_failure_lets_the_round_finish_and_the_next_one_ends_the_run() -> None:
    run = started(web("bad"), web("slow"), web("late", initial_delay="1h"), web("often", interval="1m"))
    assert names(run, 0) == ["bad", "slow", "often"]
    run = record(
        run, {"bad": measured("Failed", 1), "slow": measured("Running", 1), "often": measured("Successful", 1)}, at(1)
    )
    assert run.phase is Phase.RUNNING
    assert next_time(run, at(1)) == at(1)
    assert [(task.name, task.task) for task in due(run, at(4000))] == [("slow", Task.TERMINATE)]
    run = record(run, {"slow": measured("Inconclusive", 2, message="Metric Terminated")}, at(2))
    assert run.phase is Phase.FAILED
    assert run.message == 'Metric "bad" assessed Failed due to failed (1) > failureLimit (0)'
    assert [metric.phase for metric in run.metrics] == [
        Phase.FAILED,
        Phase.INCONCLUSIVE,
        Phase.PENDING,
        Phase.SUCCESSFUL,
    ]


def test_the_worst_metric_decides() -> None:
    order = ["Successful", "Inconclusive", "Error", "Failed"]
    for better in range(4):
        for worse in range(better, 4):
            run = started(web("a", consecutive_error_limit=0), web("b", consecutive_error_limit=0))
            phases = {"a": measured(order[better], 0), "b": measured(order[worse], 0)}
            run = record(record(run, phases, at(0)), {}, at(1))
            assert run.phase == order[worse]


def test_a_dry_run_metric_is_measured_but_has_no_say() -> None:
    run = started(web("watch"), web("judge"), dry_run=("^watch$",))
    run = record(run, {"watch": measured("Failed", 0), "judge": measured("Successful", 0)}, at(0))
    assert run.phase is Phase.SUCCESSFUL
    watch = summary(run).metrics[0]
    assert (watch.phase, watch.dry_run) == (Phase.FAILED, True)
    assert run.metrics[0].message == "Metric assessed Failed due to failed (1) > failureLimit (0)"
    assert (summary(run).tally.count, summary(run).dry_run.count, summary(run).dry_run.failed) == (1, 1, 1)


def test_a_failed_dry_run_metric_does_not_stop_the_others() -> None:
    run = started(web("watch"), web("judge", interval="1m", count=2), dry_run=("watch",))
    run = record(run, {"watch": measured("Failed", 0), "judge": measured("Successful", 0)}, at(0))
    assert run.phase is Phase.RUNNING
    assert names(run, 60) == ["judge"]
    assert record(run, {"judge": measured("Failed", 60)}, at(60)).phase is Phase.FAILED


def test_a_run_of_dry_run_metrics_only_is_successful() -> None:
    run = started(web("a"), web("b"), dry_run=(".*",))
    assert record(run, {"a": measured("Failed", 0), "b": measured("Failed", 0)}, at(0)).phase is Phase.SUCCESSFUL


# --- measurements in flight --------------------------------------------------------------------------


def test_a_measurement_in_flight_is_resumed_at_its_time_and_replaced_by_its_outcome() -> None:
    flying = Measurement(Phase.RUNNING, at(0), resume_at=at(20))
    run = record(started(web("one")), {"one": flying}, at(0))
    assert (names(run, 19, Task.RESUME), next_time(run, at(0))) == ([], at(20))
    (task,) = due(run, at(20))
    assert (task.task, task.previous) == (Task.RESUME, flying)
    run = record(run, {"one": measured("Successful", 21)}, at(21))
    assert [one.phase for one in run.metrics[0].measurements] == [Phase.SUCCESSFUL]
    assert run.metrics[0].counts.count == 1


def test_a_measurement_in_flight_without_a_time_is_looked_at_after_ten_seconds() -> None:
    run = record(started(web("one")), {"one": Measurement(Phase.RUNNING, at(0))}, at(0))
    assert next_time(run, at(0)) == at(10)


# --- history and what people see ---------------------------------------------------------------------


def test_ten_measurements_are_kept_unless_a_rule_says_otherwise_and_all_are_counted() -> None:
    metrics = (web("one", interval="1m"), web("two", interval="1m"))
    run = started(*metrics, retention=(MeasurementRetention("tw", 3),))
    for number in range(15):
        found = measured("Successful", number * 60, value=str(number))
        run = record(run, {"one": found, "two": found}, at(number * 60))
    one, two = run.metrics
    assert [len(one.measurements), len(two.measurements)] == [10, 3]
    assert two.measurements[-1].value == "14"
    assert (one.counts.count, two.counts.count) == (15, 15)


def test_a_metric_under_way_carries_no_message_of_an_error_that_was_mended() -> None:
    run = started(web("one", interval="1m", count=2))
    run = record(run, {"one": measured("Error", 0, message="gone")}, at(0))
    run = record(run, {"one": measured("Successful", 10)}, at(10))
    assert run.metrics[0].message == ""
    assert summary(run).metrics[0].message == ""


def test_a_summary_tells_each_metric_with_its_condition_last_value_and_reason() -> None:
    run = started(web("one", success_condition="result > {{args.least}}"), args=(Argument("least", "1"),))
    run = record(run, {"one": measured("Failed", 3, value="0.5")}, at(3))
    told = summary(run)
    assert (told.phase, told.completed_at, told.tally.failed) == (Phase.FAILED, at(3), 1)
    (one,) = told.metrics
    assert (one.name, one.provider, one.phase, one.value) == ("one", "web", Phase.FAILED, "0.5")
    assert (one.success_condition, one.measured_at) == ("result > 1", at(3))
    assert one.because == "failed (1) > failureLimit (0)"


def test_too_few_successes_in_a_row_are_told() -> None:
    run = started(web("one", interval="1m", count=2, consecutive_success_limit=2))
    run = rounds(run, "Failed")
    assert run.phase is Phase.FAILED
    run = started(web("one", interval="1m", count=3, failure_limit=1, consecutive_success_limit=2))
    run = rounds(run, "Successful", "Failed", "Successful")
    assert run.phase is Phase.INCONCLUSIVE
    assert (
        run.message == 'Metric "one" assessed Inconclusive due to consecutiveSuccess (1) < consecutiveSuccessLimit (2)'
    )


# --- doing things twice ------------------------------------------------------------------------------


def test_a_completed_run_and_a_completed_metric_stay_as_they_are() -> None:
    run = record(started(web("one")), {"one": measured("Successful", 0)}, at(0))
    assert record(run, {"one": measured("Failed", 9)}, at(9)) is run
    run = started(web("one"), web("two", initial_delay="1m"))
    run = record(run, {"one": measured("Successful", 0)}, at(0))
    assert record(run, {"one": measured("Failed", 9)}, at(9)).metrics == run.metrics


def test_a_measurement_of_an_unknown_metric_is_our_mistake() -> None:
    with pytest.raises(KeyError, match="two"):
        record(started(web("one")), {"two": measured("Failed", 0)}, at(0))
