"""When promotion windows open: rules and times of RFC 5545, judged as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.configuration.recurrence import complain_of_order, complain_of_rule, complain_of_time


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "RRULE:FREQ=WEEKLY;BYDAY=SA,SU",
        "freq=weekly;byday=mo",
        "FREQ=MONTHLY;BYDAY=1MO,-1FR;INTERVAL=2",
        "FREQ=YEARLY;BYMONTH=1,12;BYMONTHDAY=-1;COUNT=3",
        "FREQ=YEARLY;BYWEEKNO=-53,53;BYYEARDAY=366;WKST=SU",
        "FREQ=HOURLY;BYMINUTE=0,30;BYSECOND=0;UNTIL=20261231T235959Z",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;BYHOUR=23;UNTIL=20261231",
    ],
)
def test_rules_of_the_standard_are_taken(rule: str) -> None:
    assert complain_of_rule(rule) is None


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("", "no part of a recurrence rule"),
        ("daily", "no part of a recurrence rule"),
        ("FREQ=FORTNIGHTLY", "`FREQ` wants one of YEARLY"),
        ("BYDAY=MO", "`FREQ` is missing"),
        ("FREQ=DAILY;BYDAYS=MO", "did you mean `BYDAY`?"),
        ("FREQ=DAILY;FREQ=DAILY", "`FREQ` is given twice"),
        ("FREQ=DAILY;INTERVAL=0", "at least 1"),
        ("FREQ=DAILY;COUNT=-1", "at least 1"),
        ("FREQ=DAILY;BYMONTH=13", "1 to 12, not `13`"),
        ("FREQ=DAILY;BYMONTH=-1", "1 to 12, not `-1`"),
        ("FREQ=DAILY;BYHOUR=24", "0 to 23"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "1 to 31 or -31 to -1"),
        ("FREQ=MONTHLY;BYDAY=99MO", "1 to 53"),
        ("FREQ=WEEKLY;BYDAY=XX", "days such as MO"),
        ("FREQ=WEEKLY;BYDAY=1MO", "only with FREQ=MONTHLY"),
        ("FREQ=DAILY;UNTIL=20261301", "a date or a time"),
        ("FREQ=DAILY;UNTIL=20260101;COUNT=2", "keep one of them"),
        ("FREQ=DAILY;" * 500, "1000 is the most"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(rule: str, complaint: str) -> None:
    assert complaint in (complain_of_rule(rule) or "")


@pytest.mark.parametrize(
    ("time", "complaint"),
    [
        ("20260101T090000", ""),
        ("20260101T090000Z", ""),
        ("TZID=America/New_York:20260101T090000", ""),
        ("2026-01-01", "is not a time"),
        ("20260230T090000", "no such time"),
        ("20260101T250000", "no such time"),
        ("TZID=Europe/Berln:20260101T090000", "no time zone `Europe/Berln`"),
        ("TZID=../../etc/passwd:20260101T090000", "no time zone"),
        ("TZID=Europe/Berlin:20260101T090000Z", "keep one of them"),
    ],
)
def test_times_are_in_zones_that_exist(time: str, complaint: str) -> None:
    assert complaint in (complain_of_time(time) or "")
    assert (complain_of_time(time) is None) == (not complaint)


def test_a_window_opens_before_it_closes() -> None:
    assert "before it opens" in (complain_of_order("20260102T000000", "20260101T000000") or "")
    assert complain_of_order("20260101T000000", "20260102T000000") is None
    assert complain_of_order("20260102T000000Z", "TZID=Europe/Berlin:20260101T000000") is None


@given(st.text() | st.from_regex(r"[A-Z]{1,9}=[0-9A-Z,+-]{0,9}(;[A-Z]{1,9}=[0-9A-Z,+-]{0,9})*", fullmatch=True))
def test_any_text_is_judged(text: str) -> None:
    for judge in (complain_of_rule, complain_of_time):
        complaint = judge(text)
        assert complaint is None or complaint
