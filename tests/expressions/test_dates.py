"""Dates, durations and zones against what Go's time package says of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.expressions import Duration, ExpressionError, Time, evaluate
from bot.expressions.dates import parse_date, parse_duration
from bot.expressions.layouts import RFC3339_NANO, format_time
from bot.expressions.times import date_of, days_of


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("date('2023-08-14').Weekday().String()", "Monday"),
        ("date('2023-08-14').YearDay()", 226),
        ("date('2023-08-14 00:00:00').Unix()", 1691971200),
        ("string(date('2023-08-14T10:20:30.5+02:00'))", "2023-08-14 10:20:30.5 +0200 +0200"),
        ("string(date('Mon, 14 Aug 2023 10:20:30 UTC'))", "2023-08-14 10:20:30 +0000 UTC"),
        ("string(date('14 Aug 23 10:20 CEST'))", "2023-08-14 10:20:00 +0000 CEST"),
        ("date('10:20:30').Hour()", 10),
        ("string(date('10:20:30'))", "0000-01-01 10:20:30 +0000 UTC"),
        ("date('14.8.2023 3:04PM', '2.1.2006 3:04PM').Hour()", 15),
        ("date('2023/226', '2006/002').Format('Jan _2')", "Aug 14"),
        ("date('2023-03-26 02:30:00', '2006-01-02 15:04:05', 'Europe/Berlin').Format('15:04 MST')", "03:30 CEST"),
        (
            "date('2023-08-14').In(timezone('America/New_York')).Format('Mon Jan 2 15:04:05 -0700 MST 2006')",
            "Sun Aug 13 20:00:00 -0400 EDT 2023",
        ),
        ("date('2023-08-14T10:20:30.123456789Z').Format('15:04:05.000 .999999 05,00')", "10:20:30.123 .123456 30,12"),
        ("date('2023-01-31').AddDate(0, 1, 0).Format('2006-01-02')", "2023-03-03"),
        (
            "date('2023-08-14').Add(duration('-1ns')).Format('2006-01-02T15:04:05.999999999Z07:00')",
            "2023-08-13T23:59:59.999999999Z",
        ),
        ("(date('2023-08-15') - date('2023-08-14')).Hours()", 24.0),
        ("date('2023-08-14') + duration('1h') == date('2023-08-14T01:00:00Z')", True),
        ("date('2023-08-14T02:00:00+02:00') == date('2023-08-14')", True),
        ("date('2023-08-14').Month().String()", "August"),
        ("date('2024-12-30').ISOWeek()", 2025),
        ("date('2023-08-14T10:20:30Z').Truncate(duration('1h')).Format('15:04')", "10:00"),
        ("string(duration('1h') * 2)", "2h0m0s"),
        ("duration('1m') * 1.5", 90_000_000_000.0),
        ("string(duration('90m') - duration('1h'))", "30m0s"),
        ("duration('1.5h').Minutes()", 90.0),
        ("toJSON([duration('1s'), date('2023-08-14T00:00:00Z')])", '[\n  1000000000,\n  "2023-08-14T00:00:00Z"\n]'),
        ("timezone('Europe/Berlin').String()", "Europe/Berlin"),
    ],
)
def test_a_value(code: str, expected: object) -> None:
    assert evaluate(code, {}) == expected


@pytest.mark.parametrize(
    "code",
    [
        "date('2023-02-29')",
        "date('2023-08-14', '02.01.2006')",
        "date('2023-13-01', '2006-01-02')",
        "date('2023-08-14T25:00:00Z')",
        "date('2023-08-14').Month() == 8",
        "timezone('Mars/Olympus')",
        "timezone('../../etc/passwd')",
        "date('2023-08-14').Nope()",
        "date('2023-08-14').Format(1)",
        "date('2023-08-14') + 1",
    ],
)
def test_what_is_no_date_is_refused(code: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(code, {})


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("1h30m", 5_400_000_000_000),
        ("-1.5s", -1_500_000_000),
        ("300ms", 300_000_000),
        (".5us", 500),
        ("+1µs", 1000),
    ],
)
def test_a_duration_is_read_and_written(text: str, nanoseconds: int) -> None:
    duration = parse_duration(text)

    assert duration == Duration(nanoseconds)
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize("text", ["", "1", "1d", "h", "-", "1h 30m", "9999999h", "1.2.3s", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="is not a duration"):
        evaluate("duration(x)", {"x": text})


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_every_duration_survives_being_written(nanoseconds: int) -> None:
    assert parse_duration(str(Duration(nanoseconds))) == Duration(nanoseconds)


@given(st.datetimes(timezones=st.just(UTC)))
def test_dates_are_python_s_where_python_has_them(moment: datetime) -> None:
    time = Time.of(moment)

    assert time.date() == (moment.year, moment.month, moment.day)
    assert time.clock() == (moment.hour, moment.minute, moment.second)
    assert time.weekday().number == moment.isoweekday() % 7
    assert time.year_day() == moment.timetuple().tm_yday
    assert parse_date(format_time(time, RFC3339_NANO)).same(time)


@given(st.integers(min_value=-5_000_000, max_value=5_000_000))
def test_days_and_dates_are_each_other_s_inverse(days: int) -> None:
    year, month, day = date_of(days)

    assert days_of(year, month) + day - 1 == days


@given(st.timedeltas(min_value=timedelta(days=-(10**4)), max_value=timedelta(days=10**4)))
def test_python_s_durations_survive(delta: timedelta) -> None:
    assert Duration.of(delta).to_timedelta() == delta
