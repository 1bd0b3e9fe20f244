"""Values as text: Go's `%v` for `string()`, and JSON as encoding/json writes it."""

import base64
import math
import re
from typing import Any

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.layouts import RFC3339_NANO, VERBOSE, format_time
from bot.expressions.times import Duration, Month, Time, Weekday
from bot.expressions.values import AnyMap, Function, NilList, Record, adopt, kind_of

_DEEPEST = 200


def to_text(value: object, budget: Budget) -> str:
    """What `string()` makes of a value (https://pkg.go.dev/fmt, the verb %v)."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    parts: list[str] = []
    _text(value, budget, parts, 0)
    return budget.text("".join(parts))


def _text(value: object, budget: Budget, parts: list[str], depth: int) -> None:
    value = adopt(value)
    budget.spend(12)
    if depth > _DEEPEST:
        raise Fault("the value is nested too deeply")
    match value:
        case str():
            budget.reserve(len(value))
            parts.append(value)
        case list():
            parts.append("[")
            for index, item in enumerate(value):
                if index:
                    parts.append(" ")
                _text(item, budget, parts, depth + 1)
            parts.append("]")
        case dict() | AnyMap():
            entries = sorted(value.items(), key=_by_key) if isinstance(value, AnyMap) else sorted(_named(value).items())
            parts.append("map[")
            for index, (key, item) in enumerate(entries):
                parts.append(" " if index else "")
                _text(key, budget, parts, depth + 1)
                parts.append(":")
                _text(item, budget, parts, depth + 1)
            parts.append("]")
        case Record(text=None, fields=fields):
            parts.append("{")
            for index, item in enumerate(item for item in fields.values() if not isinstance(item, Function)):
                parts.append(" " if index else "")
                _text(item, budget, parts, depth + 1)
            parts.append("}")
        case float() | Time():
            budget.spend(150 if isinstance(value, Time) else 12)
            parts.append(_scalar_text(value))
        case _:
            parts.append(budget.text(_scalar_text(value)))


def _scalar_text(value: object) -> str:
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return float_text(value)
        case bytes():
            return "[" + " ".join(map(str, value)) + "]"
        case Time():
            return format_time(value, VERBOSE)
        case Record(text=text):
            return text or ""
        case Function():
            return f"func {value.name}"
    return str(value)


def float_text(number: float) -> str:
    """The shortest digits that say the number, with an exponent below 1e-4 and from 1e6 on."""
    special = _special(number)
    if special:
        return special
    sign, digits, exponent = _digits(number)
    if exponent < -4 or exponent >= 6:
        return sign + _scientific(digits, exponent)
    return sign + _positional(digits, exponent)


def json_float(number: float) -> str:
    """A float as JSON has it: an exponent only below 1e-6 and from 1e21 on."""
    if not math.isfinite(number):
        raise Fault(f"{_special(number)} cannot be written as JSON")
    sign, digits, exponent = _digits(number)
    if number != 0 and not 1e-6 <= abs(number) < 1e21:
        written = _scientific(digits, exponent)
        return sign + re.sub(r"e-0(\d)$", r"e-\1", written)
    return sign + _positional(digits, exponent)


def _special(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "" if math.isfinite(number) else "+Inf" if number > 0 else "-Inf"


def _digits(number: float) -> tuple[str, str, int]:
    """Sign, shortest digits without zeros at the end, and the power of ten of the first one."""
    sign = "-" if math.copysign(1, number) < 0 else ""
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = len(whole) - 1 - (len(whole + fraction) - len(digits)) + int(exponent or 0) if digits else 0
    return sign, digits.rstrip("0") or "0", power


def _scientific(digits: str, exponent: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{digits[exponent + 1 :]}" if len(digits) > exponent + 1 else whole


def to_json(value: object, budget: Budget, *, indent: int = 0, escape_html: bool = True) -> str:
    """JSON with sorted keys, compact or indented.

    `<`, `>` and `&` are escaped, for that is what Go does, unless told otherwise. Raises `Fault` for NaN,
    infinities, functions, and maps whose keys are not text.
    """
    parts: list[str] = []
    _json(value, budget, indent, 0, parts, escape_html)
    return budget.text("".join(parts))


def _json(value: object, budget: Budget, indent: int, depth: int, parts: list[str], html: bool) -> None:
    value = adopt(value)
    budget.spend(12)
    if depth > _DEEPEST:
        raise Fault("the value is nested too deeply")
    match value:
        case None | NilList():
            parts.append("null")
        case bool():
            parts.append("true" if value else "false")
        case int():
            parts.append(str(int(value)))
        case float():
            budget.spend(12)
            parts.append(json_float(value))
        case str():
            parts.append(_json_text(value, budget, html))
        case bytes():
            parts.append(budget.text(f'"{base64.b64encode(value).decode()}"'))
        case Time():
            budget.spend(150)
            parts.append(f'"{format_time(value, RFC3339_NANO)}"')
        case Duration():
            parts.append(str(value.nanoseconds))
        case Month() | Weekday():
            parts.append(str(value.number))
        case Record(text=str(text)):
            parts.append(json_string(text, html))
        case list():
            _json_items("[]", [("", item) for item in value], budget, indent, depth, parts, html)
        case dict() | Record():
            entries = value_entries(value)
            named = [(_json_text(key, budget, html) + (": " if indent else ":"), item) for key, item in entries]
            _json_items("{}", named, budget, indent, depth, parts, html)
        case _:
            raise Fault(f"{kind_of(value)} cannot be written as JSON")


def _json_items(
    brackets: str,
    items: list[tuple[str, object]],
    budget: Budget,
    indent: int,
    depth: int,
    parts: list[str],
    html: bool,
) -> None:
    newline = "\n" + " " * (indent * (depth + 1)) if indent and items else ""
    budget.reserve((len(newline) + 1) * len(items))
    parts.append(brackets[0])
    for index, (name, item) in enumerate(items):
        parts.append(("," if index else "") + newline + name)
        _json(item, budget, indent, depth + 1, parts, html)
    if newline:
        parts.append("\n" + " " * (indent * depth))
    parts.append(brackets[1])


def value_entries(value: "dict[str, object] | Record") -> list[tuple[str, object]]:
    """Names and values as JSON has them: of a map by name, of a record in its own order."""
    if isinstance(value, Record):
        return [
            (value.keys.get(name, name), item)
            for name, item in value.fields.items()
            if not isinstance(item, Function) and not (value.omit_empty and item in (None, "", [], {}))
        ]
    return sorted(_named(value).items())


def _named(value: "dict[Any, object]") -> "dict[str, object]":
    # YAML can give a map keys that are numbers; JSON has none, and Kargo reads YAML as JSON.
    return {key if isinstance(key, str) else str(key): item for key, item in value.items()}


def _by_key(entry: tuple[object, object]) -> tuple[str, object, str]:
    key = entry[0]
    number = key if isinstance(key, (int, float)) else 0
    return (type(key).__name__, number, str(key))


def _json_text(text: str, budget: Budget, html: bool) -> str:
    budget.read(text, each=32)
    written = json_string(text, html)
    budget.spend(3 * (len(written) - len(text)))  # most of the time goes into what is escaped
    return budget.text(written)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile('[\x00-\x1f"\\\\\u2028\u2029\ud800-\udfff]')
_SPECIAL_HTML = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')


def json_string(text: str, html: bool = True) -> str:
    """Text as a JSON string."""
    return '"' + (_SPECIAL_HTML if html else _SPECIAL).sub(_escape, text) + '"'


def _escape(found: "re.Match[str]") -> str:
    character = found[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    return "\\ufffd" if 0xD800 <= ord(character) <= 0xDFFF else f"\\u{ord(character):04x}"
