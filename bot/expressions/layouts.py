"""Dates as text, both ways, by Go's layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` as it should look.

https://pkg.go.dev/time#pkg-constants
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.expressions.times import MONTHS, SECOND, WEEKDAYS, Time

RFC3339 = "2006-01-02T15:04:05Z07:00"
RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00"
VERBOSE = "2006-01-02 15:04:05.999999999 -0700 MST"
# What `date(text)` tries, in this order.
DEFAULTS = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    RFC3339,
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
)

CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|_(?=2006)|2|_2|__2|3|4|5|PM|pm"
    r"|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?![0-9])"
)


def chunks(layout: str) -> Sequence[tuple[str, str]]:
    """The layout in pieces: the literal text before each element, and the element; "" as the last one."""
    return _remembered(layout) if len(layout) <= _SHORT else _pieces(layout)


_SHORT = 100  # characters of a layout that is worth keeping in pieces


@lru_cache(maxsize=256)
def _remembered(layout: str) -> Sequence[tuple[str, str]]:
    return _pieces(layout)


def _pieces(layout: str) -> Sequence[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    literal, position = "", 0
    for found in CHUNK.finditer(layout):
        literal += layout[position : found.start()]
        position = found.end()
        if found[0] == "_":  # _2006 is an underscore and a year
            literal += "_"
            continue
        pieces.append((literal, found[0]))
        literal = ""
    pieces.append((literal + layout[position:], ""))
    return pieces


def format_time(time: Time, layout: str) -> str:
    """The time as the layout says."""
    date, clock = time.date(), time.clock()
    return "".join(literal + _element(time, date, clock, element) for literal, element in chunks(layout))


def _element(time: Time, date: tuple[int, int, int], clock: tuple[int, int, int], element: str) -> str:
    year, month, day = date
    hour, minute, second = clock
    match element:
        case "2006":
            return f"{year:04d}" if year >= 0 else f"-{-year:04d}"
        case "06":
            return f"{year % 100:02d}"
        case "January":
            return MONTHS[month - 1]
        case "Jan":
            return MONTHS[month - 1][:3]
        case "1" | "01":
            return f"{month:0{len(element)}d}"
        case "Monday":
            return str(time.weekday())
        case "Mon":
            return str(time.weekday())[:3]
        case "2" | "02":
            return f"{day:0{len(element)}d}"
        case "_2":
            return f"{day:2d}"
        case "002":
            return f"{time.year_day():03d}"
        case "__2":
            return f"{time.year_day():3d}"
        case "15":
            return f"{hour:02d}"
        case "3" | "03":
            return f"{hour % 12 or 12:0{len(element)}d}"
        case "4" | "04":
            return f"{minute:0{len(element)}d}"
        case "5" | "05":
            return f"{second:0{len(element)}d}"
        case "PM":
            return "PM" if hour >= 12 else "AM"
        case "pm":
            return "pm" if hour >= 12 else "am"
    return _zone_or_fraction(time, element)


def _zone_or_fraction(time: Time, element: str) -> str:
    if not element:
        return ""
    offset, name = time.zone.offset(time.seconds)
    if element == "MST" and name:
        return name
    if element[0] in ".,":
        digits = f"{time.nanoseconds:09d}".ljust(len(element) - 1, "0")[: len(element) - 1]
        if element[1] == "9":
            digits = digits.rstrip("0")
        return element[0] + digits if digits else ""
    if element[0] == "Z" and offset == 0:
        return "Z"
    return offset_text(offset, "-0700" if element == "MST" else element)


def offset_text(offset: int, element: str) -> str:
    """An offset from UTC in seconds, with as many parts as the element has."""
    colon = ":" if ":" in element else ""
    parts = len(element.replace(":", "")[1:]) // 2
    seconds = abs(offset)
    numbers = (seconds // 3600, seconds // 60 % 60, seconds % 60)[:parts]
    return ("-" if offset < 0 else "+") + colon.join(f"{number:02d}" for number in numbers)


def name_index(names: list[str], text: str, length: int | None = None) -> int:
    """Which of the names (or their first letters) the text begins with, in any case; -1 if none."""
    for index, name in enumerate(names):
        if text[: len(name[:length])].lower() == name[:length].lower():
            return index
    return -1


WEEKDAY_NAMES, MONTH_NAMES = WEEKDAYS, MONTHS
NANOSECONDS = SECOND
