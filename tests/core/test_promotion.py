"""What becomes of a step that has returned: its end, another try, or a later run. Kargo's rules, as a table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import StepSpec
from bot.core.promotion import IN_THE_RUN, Limits, Next, Severity, backoff, decide, limits

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = timedelta(minutes=10)
FOREVER = Limits(RUN, None, 1)
PATIENT = Limits(RUN, None, 20)
BOUNDED = Limits(RUN, timedelta(minutes=5), 3)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("status", "limit", "more", "next_one", "becomes"),
    [
        (Severity.Succeeded, FOREVER, {}, Next.END, Severity.Succeeded),
        (Severity.Skipped, FOREVER, {}, Next.END, Severity.Skipped),
        (Severity.Failed, PATIENT, {}, Next.END, Severity.Failed),
        (Severity.Errored, FOREVER, {}, Next.END, Severity.Errored),
        (Severity.Errored, PATIENT, {"terminal": True}, Next.END, Severity.Errored),
        (Severity.Errored, PATIENT, {}, Next.AGAIN, Severity.Running),
        (Severity.Errored, PATIENT, {"errors": 10}, Next.LATER, Severity.Running),
        (Severity.Errored, PATIENT, {"errors": 18}, Next.LATER, Severity.Running),
        (Severity.Errored, PATIENT, {"errors": 19}, Next.END, Severity.Errored),
        (Severity.Errored, BOUNDED, {"started": NOW - seconds(300)}, Next.END, Severity.Errored),
        (Severity.Running, FOREVER, {"started": NOW - timedelta(days=99)}, Next.LATER, Severity.Running),
        (Severity.Running, FOREVER, {"at": NOW, "intent": True}, Next.AGAIN, Severity.Running),
        (Severity.Running, BOUNDED, {"started": NOW - seconds(299)}, Next.LATER, Severity.Running),
        (Severity.Running, BOUNDED, {"started": NOW - seconds(300)}, Next.END, Severity.Errored),
        (Severity.Running, BOUNDED, {"started": NOW - seconds(300), "intent": True}, Next.END, Severity.Errored),
        (Severity.Succeeded, BOUNDED, {"started": NOW - seconds(301)}, Next.END, Severity.Succeeded),
    ],
)
def test_what_becomes_of_a_step(
    status: Severity, limit: Limits, more: dict[str, Any], next_one: Next, becomes: Severity
) -> None:
    decision = decide(status, "said", limit, **{"started": NOW, "now": NOW, **more})

    assert (decision.next, decision.status) == (next_one, becomes)


def test_over_its_time_it_is_told_what_it_said_last() -> None:
    decision = decide(Severity.Running, "app is Degraded", BOUNDED, started=NOW - seconds(400), now=NOW)

    assert decision.message == (
        "It has not come to its end within 5m0s (`retry.timeout`). It last said: app is Degraded"
    )


def test_a_step_that_runs_has_no_errors_in_a_row_any_more() -> None:
    assert decide(Severity.Running, "", BOUNDED, started=NOW, now=NOW, errors=2).errors == 0


def test_a_wait_ends_with_the_time_there_is() -> None:
    started = NOW - seconds(290)
    waits = decide(Severity.Running, "", BOUNDED, started=started, now=NOW, at=NOW + seconds(60))
    errs = decide(Severity.Errored, "", BOUNDED, started=NOW - seconds(299.5), now=NOW, errors=1)

    assert waits.at == started + seconds(300)
    assert errs.pause == seconds(0.5)
    assert decide(Severity.Running, "", FOREVER, started=NOW, now=NOW).at is None


@given(errors=st.integers(1, 10**6), jitter=st.floats(0, 1))
def test_pauses_grow_and_are_bounded(errors: int, jitter: float) -> None:
    pause = backoff(errors, jitter)

    assert timedelta(seconds=0.5) <= pause <= timedelta(minutes=5)
    assert backoff(errors + 1, 0) >= backoff(errors, 0)


@given(
    status=st.sampled_from(Severity),
    errors=st.integers(0, 30),
    age=st.integers(0, 10_000),
    threshold=st.integers(1, 30),
    total=st.none() | st.integers(1, 5_000),
    wait=st.none() | st.integers(0, 5_000),
    terminal=st.booleans(),
    intent=st.booleans(),
    jitter=st.floats(0, 1),
)
def test_no_step_goes_on_beyond_its_limits(
    status: Severity,
    errors: int,
    age: int,
    threshold: int,
    total: int | None,
    wait: int | None,
    terminal: bool,
    intent: bool,
    jitter: float,
) -> None:
    limit = Limits(RUN, seconds(total) if total else None, threshold)
    started = NOW - seconds(age)
    at = NOW + seconds(wait) if wait is not None else None

    decision = decide(
        status, "", limit, started=started, now=NOW, errors=errors, terminal=terminal, at=at, intent=intent,
        jitter=jitter,
    )  # fmt: skip

    if decision.next is not Next.END:
        assert status in {Severity.Running, Severity.Errored}
        assert decision.errors < threshold
        assert total is None or age < total
        assert decision.pause < IN_THE_RUN
    if decision.next is Next.LATER and total is not None:
        assert decision.at is not None
        assert decision.at <= started + seconds(total)
    if decision.next is Next.END:
        assert decision.status is not Severity.Running


@pytest.mark.parametrize(
    ("timeout", "threshold", "total", "expected"),
    [
        (None, None, None, Limits(RUN, None, 1)),
        (None, None, seconds(300), Limits(seconds(300), seconds(300), 1)),
        (seconds(7200), 3, seconds(300), Limits(RUN, seconds(7200), 3)),
        (seconds(1), 0, None, Limits(seconds(1), seconds(1), 1)),
    ],
)
def test_a_template_says_more_than_the_step(
    timeout: timedelta | None, threshold: int | None, total: timedelta | None, expected: Limits
) -> None:
    step = StepSpec("http", "ask", timeout=timeout, error_threshold=threshold)

    assert limits(step, RUN, total) == expected
