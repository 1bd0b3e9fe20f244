"""Reading dates and durations from text (https://pkg.go.dev/time#Parse, https://pkg.go.dev/time#ParseDuration)."""

import re
from dataclasses import dataclass

from bot.expressions.errors import Fault, shortened
from bot.expressions.layouts import DEFAULTS, chunks, name_index
from bot.expressions.times import MONTHS, SECOND, UTC_ZONE, WEEKDAYS, Duration, Time, Zone, days_of, fixed_zone


class _NoDate(Exception):
    """The text does not have the layout; says why."""


@dataclass(slots=True)
class _Reading:
    """What has been read so far. Years and so on are None where the layout has none."""

    year: int = 0
    month: int | None = None
    day: int | None = None
    year_day: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanoseconds: int = 0
    afternoon: bool | None = None
    offset: int | None = None
    zone_name: str = ""
    utc: bool = False


def parse_date(text: str, layout: str | None = None, zone: Zone = UTC_ZONE) -> Time:
    """The moment a text says, in the zone unless the text names another. Without a layout, the usual ones are tried.

    Raises `Fault`.
    """
    if max(len(text), len(layout or "")) > _LONGEST:
        raise Fault(f"a date or its layout is longer than {_LONGEST} characters")
    if layout is not None:
        try:
            return _parse(text, layout, zone)
        except _NoDate as error:
            raise Fault(f"{shortened(text)} is not a date like {shortened(layout)}: {error}") from None
    for default in DEFAULTS:
        try:
            return _parse(text, default, zone)
        except _NoDate:
            continue
    raise Fault(f"{shortened(text)} is not a date; write for example 2006-01-02 or 2006-01-02T15:04:05Z")


def _parse(text: str, layout: str, zone: Zone) -> Time:
    reading = _Reading()
    pieces = chunks(layout)
    for index, (literal, element) in enumerate(pieces):
        text = _skip(text, literal)
        if not element:
            break
        text = _read(reading, element, text)
        following = pieces[index + 1]
        # Seconds may have a fraction even where the layout has none.
        if element in {"5", "05"} and following[1][:1] not in {".", ","}:
            fraction = re.match(r"[.,][0-9]+", text)
            if fraction:
                reading.nanoseconds = _fraction(fraction[0])
                text = text[fraction.end() :]
    if text:
        raise _NoDate(f"{shortened(text)} is too much")
    return _moment(reading, zone)


def _skip(text: str, literal: str) -> str:
    """The text after a literal; spaces in it stand for any number of spaces."""
    for index, character in enumerate(literal):
        if character == " ":
            if text and text[0] != " ":
                raise _NoDate(f"{shortened(text)} has no space")
            if literal[index : index + 2] != "  ":
                text = text.lstrip(" ")
            continue
        if not text.startswith(character):
            raise _NoDate(f"{shortened(literal[index:])} is missing")
        text = text[1:]
    return text


def _number(text: str, digits: str, low: int, high: int, what: str) -> tuple[int, str]:
    found = re.match(digits, text, re.ASCII)
    if found is None:
        raise _NoDate(f"the {what} is missing")
    number = int(found[0])
    if not low <= number <= high:
        raise _NoDate(f"the {what} is out of range")
    return number, text[found.end() :]


_LONGEST = 1000  # characters
_TWO, _ONE_OR_TWO = r"[0-9]{2}", r"[0-9]{1,2}"


def _read(reading: _Reading, element: str, text: str) -> str:
    """Read one element of the layout off the text, and give back the rest."""
    match element:
        case "2006":
            reading.year, text = _number(text, r"[0-9]{4}", 0, 9999, "year")
        case "06":
            year, text = _number(text, _TWO, 0, 99, "year")
            reading.year = year + (1900 if year >= 69 else 2000)
        case "January" | "Jan":
            length = 3 if element == "Jan" else None
            index = name_index(MONTHS, text, length)
            if index < 0:
                raise _NoDate("the month is missing")
            reading.month, text = index + 1, text[len(MONTHS[index][:length]) :]
        case "01" | "1":
            reading.month, text = _number(text, _digits(element), 1, 12, "month")
        case "Monday" | "Mon":
            length = 3 if element == "Mon" else None
            index = name_index(WEEKDAYS, text, length)
            if index < 0:
                raise _NoDate("the weekday is missing")
            text = text[len(WEEKDAYS[index][:length]) :]
        case "02" | "2" | "_2":
            text = text.removeprefix(" ") if element == "_2" else text
            reading.day, text = _number(text, _digits(element), 0, 99, "day")
        case "002" | "__2":
            spaces = 0 if element == "002" else min(2, len(text) - len(text.lstrip(" ")))
            reading.year_day, text = _number(text[spaces:], rf"[0-9]{{{3 - spaces}}}", 1, 366, "day of the year")
        case "15":
            reading.hour, text = _number(text, _ONE_OR_TWO, 0, 23, "hour")
        case "03" | "3":
            reading.hour, text = _number(text, _digits(element), 0, 12, "hour")
        case "04" | "4":
            reading.minute, text = _number(text, _digits(element), 0, 59, "minute")
        case "05" | "5":
            reading.second, text = _number(text, _digits(element), 0, 59, "second")
        case "PM" | "pm":
            marks = ("AM", "PM") if element == "PM" else ("am", "pm")
            if text[:2] not in marks:
                raise _NoDate("am or pm is missing")
            reading.afternoon, text = text[:2] == marks[1], text[2:]
        case "MST":
            text = _read_zone_name(reading, text)
        case _ if element[0] in ".,":
            text = _read_fraction(reading, element, text)
        case _:
            text = _read_offset(reading, element, text)
    return text


def _digits(element: str) -> str:
    return _TWO if element.startswith("0") else _ONE_OR_TWO


def _read_fraction(reading: _Reading, element: str, text: str) -> str:
    wanted = r"[.,][0-9]+" if element[1] == "9" else rf"[.,][0-9]{{{len(element) - 1}}}"
    found = re.match(wanted, text, re.ASCII)
    if found is None:
        if element[1] == "9":  # a fraction of nines may be missing
            return text
        raise _NoDate("the fraction of the second is missing")
    reading.nanoseconds = _fraction(found[0])
    return text[found.end() :]


def _fraction(text: str) -> int:
    return int(text[1:10].ljust(9, "0"))


def _read_zone_name(reading: _Reading, text: str) -> str:
    if text.startswith("UTC"):
        reading.utc = True
        return text[3:]
    name = _ZONE_NAME.match(text)
    if name is None:
        raise _NoDate("the time zone is missing")
    reading.zone_name = name[0]
    return text[name.end() :]


_ZONE_NAME = re.compile(r"ChST|MeST|WITA|GMT(?:[+-][0-9]{1,2})?|(?:[A-Z]{3}|[A-Z]{3,4}T)(?![A-Z])")


def _read_offset(reading: _Reading, element: str, text: str) -> str:
    if element[0] == "Z" and text.startswith("Z"):
        reading.utc = True
        return text[1:]
    colon = ":" if ":" in element else ""
    parts = len(element.replace(":", "")[1:]) // 2
    found = re.match(r"([+-])([0-9]{2})" + rf"{colon}([0-9]{{2}})" * (parts - 1), text, re.ASCII)
    if found is None:
        raise _NoDate("the offset from UTC is missing")
    hours, minutes, seconds = [int(part) for part in found.groups()[1:]] + [0] * (3 - parts)
    if hours > 24 or minutes > 60 or seconds > 60:
        raise _NoDate("the offset from UTC is out of range")
    reading.offset = (hours * 3600 + minutes * 60 + seconds) * (-1 if found[1] == "-" else 1)
    return text[found.end() :]


def _moment(reading: _Reading, zone: Zone) -> Time:
    hour = reading.hour
    if reading.afternoon is not None:
        hour = hour % 12 + 12 if reading.afternoon else hour % 12 if hour == 12 else hour
    year, month, day = reading.year, reading.month, reading.day
    if reading.year_day is not None and month is None:
        if reading.year_day > days_of(year + 1, 1) - days_of(year, 1):
            raise _NoDate("the day of the year is out of range")
        month, day = 1, reading.year_day
    else:
        month, day = (1 if month is None else month), (1 if day is None else day)
        if not 1 <= day <= days_of(year + month // 12, month % 12 + 1) - days_of(year, month):
            raise _NoDate("the day is out of range")
    date, clock = (year, month, day), (hour, reading.minute, reading.second)
    if reading.utc:
        return Time.at(date, clock, reading.nanoseconds, UTC_ZONE)
    if reading.offset is not None:
        told = _zone_at(zone, date, clock, reading.offset, reading.zone_name)
        local = Time.at(date, clock, reading.nanoseconds, UTC_ZONE)
        return Time(local.seconds - reading.offset, local.nanoseconds, told)
    if reading.zone_name:
        return _in_named_zone(date, clock, reading, zone)
    return Time.at(date, clock, reading.nanoseconds, zone)


def _zone_at(zone: Zone, date: tuple[int, int, int], clock: tuple[int, int, int], offset: int, name: str) -> Zone:
    """The given zone if the offset is its own at that time, else a fixed one."""
    moment = Time.at(date, clock, 0, UTC_ZONE).seconds - offset
    own, own_name = zone.offset(moment)
    return zone if own == offset and name in {"", own_name} else fixed_zone(name, offset)


def _in_named_zone(date: tuple[int, int, int], clock: tuple[int, int, int], reading: _Reading, zone: Zone) -> Time:
    moment = Time.at(date, clock, reading.nanoseconds, zone)
    if zone.offset(moment.seconds)[1] == reading.zone_name:
        return moment
    # A name alone says nothing about the offset, but for GMT+3 and the like.
    hours = int(reading.zone_name[3:]) if reading.zone_name.startswith("GMT") and reading.zone_name[3:] else 0
    return Time.at(date, clock, reading.nanoseconds, fixed_zone(reading.zone_name, hours * 3600))


_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000}
_UNITS |= {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_DURATION = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def parse_duration(text: str) -> Duration:
    """A length of time such as 1h30m, 1.5h or -300ms. Raises `Fault`."""
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return Duration(0)
    total, position = 0, 0
    while position < len(rest):
        found = _DURATION.match(rest, position)
        # Twenty digits are more than 64 bits hold, whatever the unit.
        if found is None or len(found[1].partition(".")[0].lstrip("0")) > 20:
            break
        whole, _, fraction = found[1].partition(".")
        unit = _UNITS[found[2]]
        total += int(whole or "0") * unit + int(fraction[:18].ljust(18, "0")) * unit // 10**18
        position = found.end()
    if not rest or position < len(rest) or total > 2**63 - (0 if text[0] == "-" else 1):
        raise Fault(f"{shortened(text)} is not a duration; write for example 300ms, 1.5h or 1h30m")
    return Duration(-total if text[0] == "-" else total)
