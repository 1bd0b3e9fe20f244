"""Methods of dates, durations and the like, and of the records that have any."""

from collections.abc import Callable
from typing import Any

from bot.expressions.budget import Budget
from bot.expressions.layouts import VERBOSE, format_time
from bot.expressions.natures import (
    BOOL,
    DURATION,
    FLOAT,
    INT,
    INT64,
    LOCATION,
    MONTH,
    STRING,
    TIME,
    WEEKDAY,
    Kind,
    Nature,
    Signature,
    function,
)
from bot.expressions.numbers import wrap
from bot.expressions.times import SECOND, UTC_ZONE, Duration, Month, Time, Weekday, Zone
from bot.expressions.values import Function

_Method = tuple[Callable[..., object], tuple[Nature, ...], Nature]
_HOUR = 3600 * SECOND
_LAYOUT = 8  # steps for each character of a layout


def _rounded(nanoseconds: int, unit: int) -> int:
    """To the nearest multiple, halves away from zero."""
    if unit <= 0:
        return nanoseconds
    whole, rest = divmod(abs(nanoseconds), unit)
    rounded = (whole + (rest * 2 >= unit)) * unit
    return wrap(-rounded if nanoseconds < 0 else rounded)


def _truncated(nanoseconds: int, unit: int) -> int:
    """To the next multiple towards zero."""
    if unit <= 0:
        return nanoseconds
    rest = abs(nanoseconds) % unit
    return nanoseconds + rest if nanoseconds < 0 else nanoseconds - rest


def _in_units(duration: Duration, unit: int) -> float:
    # Whole units and the rest apart, so that nothing is lost before the point.
    whole = _truncated(duration.nanoseconds, unit)
    return whole // unit + (duration.nanoseconds - whole) / unit


# Multiples of a duration are counted from the year 1, as Go counts them.
_SINCE_YEAR_1 = 62_135_596_800 * SECOND


def _time_truncated(time: Time, unit: Duration) -> Time:
    if unit.nanoseconds <= 0:
        return time
    return time.plus(-((time.total() + _SINCE_YEAR_1) % unit.nanoseconds))


def _time_rounded(time: Time, unit: Duration) -> Time:
    if unit.nanoseconds <= 0:
        return time
    rest = (time.total() + _SINCE_YEAR_1) % unit.nanoseconds
    return time.plus(unit.nanoseconds - rest if rest * 2 >= unit.nanoseconds else -rest)


def _add_date(time: Time, years: int, months: int, days: int) -> Time:
    year, month, day = time.date()
    limit = 10**6  # years; beyond it nothing is a date any more
    years, months, days = (max(min(int(number), limit), -limit) for number in (years, months, days))
    return Time.at((year + years, month + months, day + days), time.clock(), time.nanoseconds, time.zone)


def _iso_week(time: Time) -> int:
    # The week of a day is that of its Thursday.
    weekday = (time.weekday().number + 6) % 7
    thursday = time.plus((3 - weekday) * 24 * _HOUR)
    return thursday.date()[0]


_TIME: dict[str, _Method] = {
    "Year": (lambda time: time.date()[0], (), INT),
    "Month": (lambda time: Month(time.date()[1]), (), MONTH),
    "Day": (lambda time: time.date()[2], (), INT),
    "Hour": (lambda time: time.clock()[0], (), INT),
    "Minute": (lambda time: time.clock()[1], (), INT),
    "Second": (lambda time: time.clock()[2], (), INT),
    "Nanosecond": (lambda time: time.nanoseconds, (), INT),
    "Weekday": (lambda time: time.weekday(), (), WEEKDAY),
    "YearDay": (lambda time: time.year_day(), (), INT),
    "ISOWeek": (_iso_week, (), INT),
    "Unix": (lambda time: time.seconds, (), INT64),
    "UnixMilli": (lambda time: wrap(time.total() // 1_000_000), (), INT64),
    "UnixMicro": (lambda time: wrap(time.total() // 1000), (), INT64),
    "UnixNano": (lambda time: wrap(time.total()), (), INT64),
    "Format": (format_time, (STRING,), STRING),
    "String": (lambda time: format_time(time, VERBOSE), (), STRING),
    "Add": (lambda time, duration: time.plus(duration.nanoseconds), (DURATION,), TIME),
    "AddDate": (_add_date, (INT, INT, INT), TIME),
    "Sub": (lambda time, other: time.minus(other), (TIME,), DURATION),
    "Truncate": (_time_truncated, (DURATION,), TIME),
    "Round": (_time_rounded, (DURATION,), TIME),
    "UTC": (lambda time: Time(time.seconds, time.nanoseconds), (), TIME),
    "Local": (lambda time: Time(time.seconds, time.nanoseconds, UTC_ZONE), (), TIME),
    "In": (lambda time, zone: Time(time.seconds, time.nanoseconds, zone), (LOCATION,), TIME),
    "Location": (lambda time: time.zone, (), LOCATION),
    "Before": (lambda time, other: time.total() < other.total(), (TIME,), BOOL),
    "After": (lambda time, other: time.total() > other.total(), (TIME,), BOOL),
    "Equal": (lambda time, other: time.same(other), (TIME,), BOOL),
    "Compare": (
        lambda time, other: (time.total() > other.total()) - (time.total() < other.total()),
        (TIME,),
        INT,
    ),
    "IsZero": (lambda time: time.total() == -_SINCE_YEAR_1, (), BOOL),
}

_DURATION: dict[str, _Method] = {
    "Hours": (lambda duration: _in_units(duration, _HOUR), (), FLOAT),
    "Minutes": (lambda duration: _in_units(duration, 60 * SECOND), (), FLOAT),
    "Seconds": (lambda duration: _in_units(duration, SECOND), (), FLOAT),
    "Milliseconds": (lambda duration: _truncated(duration.nanoseconds, 1_000_000) // 1_000_000, (), INT64),
    "Microseconds": (lambda duration: _truncated(duration.nanoseconds, 1000) // 1000, (), INT64),
    "Nanoseconds": (lambda duration: duration.nanoseconds, (), INT64),
    "String": (str, (), STRING),
    "Round": (lambda duration, unit: Duration(_rounded(duration.nanoseconds, unit.nanoseconds)), (DURATION,), DURATION),
    "Truncate": (
        lambda duration, unit: Duration(_truncated(duration.nanoseconds, unit.nanoseconds)),
        (DURATION,),
        DURATION,
    ),
    "Abs": (lambda duration: Duration(min(abs(duration.nanoseconds), 2**63 - 1)), (), DURATION),
}

_NAMED: dict[str, _Method] = {"String": (str, (), STRING)}

_BY_TYPE: dict[type, dict[str, _Method]] = {
    Time: _TIME,
    Duration: _DURATION,
    Month: _NAMED,
    Weekday: _NAMED,
    Zone: _NAMED,
}
_BY_KIND = {
    Kind.TIME: _TIME,
    Kind.DURATION: _DURATION,
    Kind.MONTH: _NAMED,
    Kind.WEEKDAY: _NAMED,
    Kind.LOCATION: _NAMED,
}
# The kinds of arguments as `Function` names them.
_PARAMETERS = {
    STRING: "string",
    INT: "int",
    TIME: "time.Time",
    DURATION: "time.Duration",
    LOCATION: "*time.Location",
}


def method(value: object, name: str) -> Function | None:
    """The method of that name, bound to the value; None if there is none."""
    methods = _BY_TYPE.get(type(value))
    if methods is None or name not in methods:
        return None
    call, parameters, _ = methods[name]

    def bound(budget: Budget, *arguments: Any) -> object:
        budget.spend(sum(_LAYOUT * len(argument) for argument in arguments if isinstance(argument, str)))
        return call(value, *arguments)

    steps = _LAYOUT * len(VERBOSE) if name == "String" else 80
    return Function(name, bound, tuple(map(_PARAMETERS.__getitem__, parameters)), steps=steps, metered=True)


def method_nature(base: Nature, name: str) -> Nature | None:
    """What is known about a method before it is called; None if there is none."""
    methods = _BY_KIND.get(base.kind)
    if methods is None or name not in methods:
        return None
    _, parameters, result = methods[name]
    return function(Signature(parameters, result))
