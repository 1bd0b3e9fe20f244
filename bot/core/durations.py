"""Go's durations (`1h30m`, `300ms`, `1.5h`), as Kargo and Argo Rollouts write them.

The grammar and the wording of faults are Go's: https://pkg.go.dev/time#ParseDuration
"""

import re
from datetime import timedelta

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LARGEST = 2**63 - 1  # Go keeps a duration in an int64 of nanoseconds
_TERM = re.compile(r"(?P<whole>[0-9]*)(?P<fraction>\.[0-9]*)?(?P<unit>[^0-9.]*)")


class DurationError(ValueError):
    """The text is no duration. The message is Go's own."""


def parse_duration(text: str) -> timedelta:
    """A Go duration as a timedelta; below a microsecond it is cut off. Raises DurationError.

    A unit is required (`60` is an error) and days don't exist (`1d` is an error); only `0` stands alone.
    """
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    if unsigned == "0":
        return timedelta(0)
    total = 0
    position = 0
    while position < len(unsigned):
        term = _TERM.match(unsigned, position)
        if term is None or not (term["whole"] or len(term["fraction"] or "") > 1):
            raise DurationError(f"time: invalid duration {_quote(text)}")
        if not term["unit"]:
            raise DurationError(f"time: missing unit in duration {_quote(text)}")
        scale = _NANOSECONDS.get(term["unit"])
        if scale is None:
            raise DurationError(f"time: unknown unit {_quote(term['unit'])} in duration {_quote(text)}")
        digits = (term["fraction"] or ".")[1:]
        total += int(term["whole"] or "0") * scale + int(digits or "0") * scale // 10 ** len(digits)
        if total > _LARGEST:
            raise DurationError(f"time: invalid duration {_quote(text)}")
        position = term.end()
    if position == 0:
        raise DurationError(f"time: invalid duration {_quote(text)}")
    duration = timedelta(microseconds=total // 1_000)
    return -duration if text.startswith("-") else duration


def format_duration(duration: timedelta) -> str:
    """As Go prints it (https://pkg.go.dev/time#Duration.String): `1h30m0s`, `1.5s`, `300ms`, `0s`."""
    microseconds = duration // timedelta(microseconds=1)
    sign = "-" if microseconds < 0 else ""
    microseconds = abs(microseconds)
    if microseconds == 0:
        return "0s"
    if microseconds < 1_000:
        return f"{sign}{microseconds}µs"
    if microseconds < 1_000_000:
        return f"{sign}{_decimal(microseconds, 1_000)}ms"
    minutes, rest = divmod(microseconds, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, 1_000_000)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _decimal(amount: int, unit: int) -> str:
    whole, part = divmod(amount, unit)
    return f"{whole}.{part:0{len(str(unit)) - 1}d}".rstrip("0") if part else str(whole)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
