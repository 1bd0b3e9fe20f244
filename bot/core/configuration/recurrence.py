"""When promotion windows open: recurrence rules and times of RFC 5545, judged as they are written.

https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.core.configuration.formats import Complaint
from bot.core.configuration.problems import names, suggestion

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LONGEST = 1000
_EXAMPLE = "write for example FREQ=WEEKLY;BYDAY=SA,SU"
_DAY = re.compile(rf"(?P<number>[+-]?[0-9]{{1,2}})?(?:{'|'.join(_DAYS)})")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_UNTIL = re.compile(r"[0-9]{8}(?:T[0-9]{6}Z?)?")
_TIME = re.compile(r"(?:TZID=(?P<zone>[^:]+):)?(?P<time>[0-9]{8}T[0-9]{6})(?P<utc>Z)?")


def complain_of_rule(text: str) -> Complaint:
    """What is wrong with a recurrence rule, None when nothing is."""
    if len(text) > _LONGEST:
        return f"the recurrence rule has {len(text)} characters; {_LONGEST} is the most"
    given: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            return f"`{part}` is no part of a recurrence rule; {_EXAMPLE}"
        if name not in _PARTS:
            near = suggestion(name, _PARTS) or f"; known are {names(_PARTS, 20)}"
            return f"a recurrence rule has no `{name[:40]}`{near}"
        if name in given:
            return f"`{name}` is given twice; keep one of them"
        given[name] = value
        if (complaint := _PARTS[name](value)) is not None:
            return f"`{name}` {complaint}"
    if "FREQ" not in given:
        return f"`FREQ` is missing in the recurrence rule; {_EXAMPLE}"
    if "COUNT" in given and "UNTIL" in given:
        return "a recurrence rule ends by `COUNT` or by `UNTIL`; keep one of them"
    is_numbered = any(character.isdigit() for character in given.get("BYDAY", ""))
    if is_numbered and given["FREQ"] not in {"MONTHLY", "YEARLY"}:
        return "`BYDAY` may number days (1MO) only with FREQ=MONTHLY and FREQ=YEARLY"
    return None


def complain_of_time(text: str) -> Complaint:
    """What is wrong with `dtstart` or `dtend`, None when nothing is."""
    found = _TIME.fullmatch(text)
    if found is None:
        return f"`{text[:60]}` is not a time; write for example TZID=Europe/Berlin:20260101T090000"
    if not _exists(found["time"]):
        return f"there is no such time as {found['time']}"
    if found["zone"] is None:
        return None
    if found["utc"]:
        return "a time has a zone (TZID=…) or ends with Z (UTC); keep one of them"
    return None if _is_zone(found["zone"]) else f"there is no time zone `{found['zone'][:60]}`; as in Europe/Berlin"


def complain_of_order(start: str, end: str) -> Complaint:
    """Whether a window closes before it opens, as far as two times in the same zone tell."""
    first, last = _TIME.fullmatch(start), _TIME.fullmatch(end)
    if first is None or last is None or (first["zone"], first["utc"]) != (last["zone"], last["utc"]):
        return None
    return None if first["time"] < last["time"] else f"the window would close ({end}) before it opens ({start})"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _one_of(choices: tuple[str, ...], value: str) -> Complaint:
    return None if value in choices else f"wants one of {', '.join(choices)}, not `{value[:40]}`"


def _whole(lowest: int, highest: int, value: str, *, below: bool = False) -> Complaint:
    """A whole number from `lowest` to `highest`, with `below` also the same counted from the end."""
    number = int(value) if _NUMBER.fullmatch(value) else None
    if number is not None and (lowest <= number <= highest or (below and lowest <= -number <= highest)):
        return None
    end = f" or -{highest} to -{lowest}" if below else ""
    most = f"{lowest} to {highest}" if highest < _ENDLESS else f"at least {lowest}"
    return f"wants a number, {most}{end}, not `{value[:40]}`"


def _numbers(lowest: int, highest: int, below: bool, value: str) -> Complaint:
    complaints = (_whole(lowest, highest, each, below=below) for each in value.split(","))
    return next((each for each in complaints if each is not None), None)


def _days(value: str) -> Complaint:
    for each in value.split(","):
        found = _DAY.fullmatch(each)
        if found is None:
            return f"wants days such as MO,TU or 1MO, not `{each[:40]}`"
        if found["number"] and not 1 <= abs(int(found["number"])) <= 53:
            return f"wants a number from 1 to 53 before the day, not `{each[:40]}`"
    return None


def _until(value: str) -> Complaint:
    if _UNTIL.fullmatch(value) and _exists(value.removesuffix("Z")):
        return None
    return f"wants a date or a time such as 20261231T235959Z, not `{value[:40]}`"


def _exists(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


_ENDLESS = 999_999_999
_PARTS: dict[str, Callable[[str], Complaint]] = {
    "FREQ": partial(_one_of, _FREQUENCIES),
    "INTERVAL": partial(_whole, 1, _ENDLESS),
    "COUNT": partial(_whole, 1, _ENDLESS),
    "UNTIL": _until,
    "BYSECOND": partial(_numbers, 0, 60, False),
    "BYMINUTE": partial(_numbers, 0, 59, False),
    "BYHOUR": partial(_numbers, 0, 23, False),
    "BYDAY": _days,
    "BYMONTHDAY": partial(_numbers, 1, 31, True),
    "BYYEARDAY": partial(_numbers, 1, 366, True),
    "BYWEEKNO": partial(_numbers, 1, 53, True),
    "BYMONTH": partial(_numbers, 1, 12, False),
    "BYSETPOS": partial(_numbers, 1, 366, True),
    "WKST": partial(_one_of, _DAYS),
}
