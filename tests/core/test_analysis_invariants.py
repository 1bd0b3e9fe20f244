"""What holds for every analysis, whatever its rules and whatever is measured."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.analysis import Measurement, Phase, Run, due, from_json, next_time, record, start, terminate, to_json
from bot.core.model import AnalysisTemplate, Argument, MeasurementRetention, Metric

T0 = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
LIMITS = st.none() | st.integers(-1, 3) | st.sampled_from(["0", "1", "2"])


@st.composite
def metrics(draw: st.DrawFn, name: str) -> Metric:
    return Metric(
        name=name,
        provider="web",
        config={"url": "https://a.test/{{args.path}}", "n": [1, 2.5, None, {"a": True}]},
        interval=draw(st.sampled_from(["", "1s", "1m30s"])),
        initial_delay=draw(st.sampled_from(["", "0s", "1h"])),
        count=draw(LIMITS),
        success_condition=draw(st.sampled_from(["", "result == 1"])),
        failure_limit=draw(LIMITS),
        inconclusive_limit=draw(LIMITS),
        consecutive_error_limit=draw(LIMITS),
        consecutive_success_limit=draw(LIMITS),
    )


@st.composite
def runs(draw: st.DrawFn) -> Run:
    names = draw(st.sampled_from(["a", "ab", "abc"]))
    template = AnalysisTemplate(
        "t",
        tuple(draw(metrics(name)) for name in names),
        args=(Argument("path", "x"), Argument("token", secret=("vault", "key"))),
        dry_run=draw(st.sampled_from([(), ("a",), (".",)])),
        retention=draw(st.sampled_from([(), (MeasurementRetention("a", 1),)])),
    )
    return start([template], {}, T0)


PHASES = st.sampled_from([phase for phase in Phase if phase is not Phase.PENDING])


def lived(run: Run, data: st.DataObject, rounds: int) -> list[tuple[Run, datetime]]:
    """The run after every round of measuring what is due at the time the run itself names."""
    now = T0
    seen = [(run, now)]
    for _ in range(rounds):
        if run.phase.completed:
            break
        if data.draw(st.integers(0, 9)) == 0:
            run = terminate(run)
        wanted = next_time(run, now)
        assert wanted is not None
        assert wanted >= now
        now = wanted
        found: dict[str, Measurement] = {}
        for task in due(run, now):
            phase = data.draw(PHASES)
            found[task.name] = Measurement(
                phase, now, finished_at=now if phase.completed else None, value="1", metadata={"k": "v"}
            )
        assert found or run.terminating, "nothing is due at the time to look again"
        run = record(run, found, now + timedelta(milliseconds=5))
        seen.append((run, now))
    return seen


@given(runs(), st.data())
def test_a_run_is_the_same_after_being_stored(run: Run, data: st.DataObject) -> None:
    for seen, _ in lived(run, data, rounds=4):
        assert from_json(to_json(seen)) == seen


@given(runs(), st.data())
def test_counters_add_up_and_the_end_is_the_end(run: Run, data: st.DataObject) -> None:
    story = lived(run, data, rounds=12)
    for seen, now in story:
        for metric in seen.metrics:
            counts = metric.counts
            assert counts.count == counts.successful + counts.failed + counts.inconclusive
            assert counts.consecutive_error <= counts.error
            assert counts.consecutive_success <= counts.successful
            assert len(metric.measurements) <= metric.rules.keep
            assert all(one.finished_at is not None for one in metric.measurements[:-1])
        assert (seen.completed_at is not None) == seen.phase.completed == (next_time(seen, now) is None)
        assert not (seen.phase.completed and due(seen, now + timedelta(days=9)))
    last = story[-1][0]
    if last.phase is Phase.SUCCESSFUL:
        # A terminated run ends without waiting for a provider that doesn't end its measurement (analysis.md §4).
        fine = {Phase.SUCCESSFUL, Phase.PENDING} | ({Phase.RUNNING} if last.terminated else set())
        assert all(metric.rules.dry_run or metric.phase in fine for metric in last.metrics)


@given(runs(), st.data())
def test_a_terminated_run_ends_within_two_rounds_once_nothing_is_in_flight(run: Run, data: st.DataObject) -> None:
    run, now = lived(run, data, rounds=3)[-1]
    run = terminate(run)
    stopped: dict[str, Any] = {
        task.name: Measurement(Phase.INCONCLUSIVE, now, finished_at=now, message="Metric Terminated")
        for task in due(run, now)
    }
    assert record(run, stopped, now).phase.completed
