"""Functions for dates, durations and time zones (https://pkg.go.dev/time)."""

from collections.abc import Callable

from bot.expressions.dates import parse_date, parse_duration
from bot.expressions.errors import Fault
from bot.expressions.frame import Frame
from bot.expressions.times import UTC_ZONE, Duration, Time, Zone, load_zone
from bot.expressions.values import kind_of

_COST = 200  # steps that reading a date takes, beside 8 for each character


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Fault(f"{name} takes text, not {kind_of(value)}")


def _now(frame: Frame, zone: object = UTC_ZONE) -> Time:
    if not isinstance(zone, Zone):
        raise Fault(f"now takes a time zone, not {kind_of(zone)}")
    now = Time.of(frame.now())
    return Time(now.seconds, now.nanoseconds, zone)


def _date(frame: Frame, *arguments: object) -> Time:
    zone = UTC_ZONE
    if arguments and isinstance(arguments[0], Zone):
        zone, arguments = arguments[0], arguments[1:]
    if not arguments or len(arguments) > 3:
        raise Fault("date takes text, and if need be a layout and a time zone")
    text, *rest = (_text("date", argument) for argument in arguments)
    frame.budget.spend(_COST + 8 * (len(text) + sum(map(len, rest))))
    if len(rest) == 2:
        zone = load_zone(rest[1])
    return parse_date(text, rest[0] if rest else None, zone)


def _duration(frame: Frame, text: object) -> Duration:
    written = _text("duration", text)
    frame.budget.spend(40 + 4 * len(written))
    return parse_duration(written)


def _timezone(frame: Frame, name: object) -> Zone:
    frame.budget.spend(_COST)
    return load_zone(_text("timezone", name))


DATES: dict[str, Callable[..., object]] = {
    "now": _now,
    "date": _date,
    "duration": _duration,
    "timezone": _timezone,
}
