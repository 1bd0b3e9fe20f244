"""What is remembered of steps survives being written down, and no more is written than is worth it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import StepSpec, Variable
from bot.core.promotion import Severity
from bot.core.step_runs import StepRun, fingerprint, forgetting_attempts, from_json, to_json, worth_keeping

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WAITS = StepRun("ready", "http", "f" * 16, Severity.Running, NOW, output={"polls": 1})
OFTEN = timedelta(minutes=5)
MOMENTS = st.integers(1, 2**31).map(lambda number: datetime.fromtimestamp(number, UTC))
RUNS = st.builds(
    StepRun,
    alias=st.text(min_size=1),
    uses=st.text(),
    spec=st.text(),
    status=st.sampled_from(Severity),
    started=MOMENTS,
    ended=st.none() | MOMENTS,
    counts=st.booleans(),
    output=st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()),
    message=st.text(max_size=300),
    errors=st.integers(0, 99),
    kept=st.booleans(),
    settled=st.booleans(),
)


@given(st.lists(RUNS, max_size=8))
def test_what_is_written_is_read_again(runs: list[StepRun]) -> None:
    read = from_json(to_json(runs, outputs=True))
    assert [(one.alias, one.status, one.counts, one.output, one.errors, one.kept, one.settled) for one in read] == [
        (one.alias, one.status, one.counts, one.output, one.errors, one.kept, one.settled) for one in runs
    ]


def test_outputs_of_what_is_simply_done_again_are_left_out() -> None:
    done = replace(WAITS, status=Severity.Succeeded, ended=NOW)

    stays = (WAITS, replace(done, kept=True), replace(done, settled=True))

    read = from_json(to_json([done, *stays], outputs=False))

    assert [one.output for one in read] == [{}, *[{"polls": 1}] * 3]


def test_of_very_many_steps_only_the_end_is_told() -> None:
    many = [StepRun(f"s{n}", "copy", "f" * 16, Severity.Succeeded, NOW, NOW) for n in range(500)]

    read = from_json(to_json([*many, WAITS], outputs=False))

    assert [one.alias for one in read[:500]] == [one.alias for one in many]
    assert read[0].started is None
    assert read[500] == WAITS
    assert len(str(to_json([*many, WAITS], outputs=False))) < 30_000


@pytest.mark.parametrize(
    ("before", "now", "intent", "age", "worth"),
    [
        (None, WAITS, False, timedelta(0), True),
        (WAITS, WAITS, False, timedelta(days=9), False),
        (WAITS, WAITS, True, timedelta(0), True),
        (WAITS, replace(WAITS, output={"polls": 2}), False, timedelta(0), False),
        (WAITS, replace(WAITS, output={"polls": 2}), False, OFTEN, True),
        (WAITS, replace(WAITS, output={"polls": 2, "run": 7}), False, timedelta(0), True),
        (WAITS, replace(WAITS, errors=1), False, timedelta(0), True),
        (WAITS, replace(WAITS, message="still"), False, timedelta(days=9), False),
    ],
)
def test_polling_is_not_worth_writing_down(
    before: StepRun | None, now: StepRun, intent: bool, age: timedelta, worth: bool
) -> None:
    assert worth_keeping(before, now, intent=intent, age=age) is worth


def test_after_a_failure_only_what_was_done_for_good_is_left() -> None:
    sent = replace(WAITS, alias="sent", status=Severity.Succeeded, ended=NOW, kept=True)
    rendered = replace(sent, alias="rendered", kept=False)

    assert forgetting_attempts([sent, rendered, WAITS, replace(WAITS, kept=True)]) == (sent,)


def test_a_step_configured_otherwise_is_another() -> None:
    step = StepSpec("http", "ask", {"url": "${{ vars.url }}"})

    assert fingerprint(step) == fingerprint(StepSpec("http", "ask", {"url": "${{ vars.url }}"}))
    for other in (
        replace(step, config={"url": "${{ vars.other }}"}),
        replace(step, vars=(Variable("url", "x"),)),
        replace(step, condition="${{ always() }}"),
    ):
        assert fingerprint(step) != fingerprint(other)


def test_a_new_attempt_begins_with_what_must_not_be_done_twice_and_no_more() -> None:
    done = replace(WAITS, status=Severity.Succeeded, ended=NOW)
    once = replace(done, alias="post", kept=True)

    assert forgetting_attempts([WAITS, done, replace(done, settled=True), once]) == (once,)
