"""Values as YAML, as gopkg.in/yaml.v3 writes it: block style, four spaces, quotation marks only where needed."""

import io
import re
from typing import Any

import yaml
from yaml.emitter import Emitter
from yaml.resolver import Resolver

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.formatting import float_text, to_json, value_entries
from bot.expressions.layouts import RFC3339_NANO, format_time
from bot.expressions.numbers import parse_float
from bot.expressions.times import Duration, Month, Time, Weekday
from bot.expressions.values import AnyMap, Record, adopt, is_nil, kind_of

_DEEPEST = 200
_OLD_BOOLS = frozenset(
    word for base in ("y", "n", "yes", "no", "on", "off") for word in (base, base.title(), base.upper())
)
_NUMBER = re.compile(r"[-+]?(?:0[xob])?[0-9a-f_]+", re.IGNORECASE)


def to_yaml(value: object, budget: Budget) -> str:
    """A YAML document, with a newline at its end. Raises `Fault` for what YAML has no form for."""
    lines: list[str] = []
    _write(value, "", "", lines, budget, 0)
    return budget.text("\n".join(lines) + "\n")


def _write(value: object, prefix: str, indent: str, lines: list[str], budget: Budget, depth: int) -> None:
    """Append the lines of a value. `prefix` is what stands before it on its first line."""
    value = adopt(value)
    budget.spend(80)
    if depth > _DEEPEST:
        raise Fault("the value is nested too deeply")
    if isinstance(value, list) and value:
        first, inner = _opening(prefix, indent, lines)
        for index, item in enumerate(value):
            _write(item, (inner if index else first) + "- ", inner + "  ", lines, budget, depth + 1)
        return
    entries = _entries(value)
    if entries:
        first, inner = _opening(prefix, indent, lines)
        for index, (key, item) in enumerate(entries):
            start = inner if index else first
            _write(item, f"{start}{_priced(key, '', budget)}:", inner, lines, budget, depth + 1)
        return
    space = " " if prefix.endswith(":") else ""
    lines.append(prefix + space + _scalar(value, indent, budget))


def _opening(prefix: str, indent: str, lines: list[str]) -> tuple[str, str]:
    """What stands before the first line of a list or map, and before its other lines."""
    if not prefix.endswith(":"):  # it begins on the line of a dash, or at the very start
        return prefix, indent
    lines.append(prefix)
    return _deeper(indent), _deeper(indent)


def _deeper(indent: str) -> str:
    """The next multiple of four."""
    return " " * (len(indent) // 4 * 4 + 4)


def _entries(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Record) and value.text is None:
        return value_entries(value)
    if isinstance(value, AnyMap):
        if not all(isinstance(key, str) for key, _ in value.items()):
            raise Fault("a map whose keys are not text cannot be written as YAML")
        value = {str(key): item for key, item in value.items()}
    return sorted(value_entries(value), key=lambda entry: _natural(entry[0])) if isinstance(value, dict) else []


def _natural(key: str) -> list[tuple[bool, int, str]]:
    """Numbers in keys count as numbers: a2 before a10."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]", key)
    return [(not part.isdigit(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _scalar(value: object, indent: str, budget: Budget) -> str:
    match value:
        case _ if is_nil(value) and not isinstance(value, list):
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            special = {"NaN": ".nan", "+Inf": ".inf", "-Inf": "-.inf"}
            return special.get(float_text(value), float_text(value))
        case str():
            return _priced(value, indent, budget)
        case Record(text=str(text)):
            return _priced(text, indent, budget)
        case list():
            return "[]"
        case dict() | AnyMap() | Record():
            return "{}"
        case Time():
            return format_time(value, RFC3339_NANO)
        case Duration():
            return str(value)
        case int() | Month() | Weekday():
            return to_json(value, budget)
    raise Fault(f"{kind_of(value)} cannot be written as YAML")


def _priced(text: str, indent: str, budget: Budget) -> str:
    budget.spend(5 * len(text))  # PyYAML looks at each character
    budget.reserve(len(text) + text.count("\n") * (len(indent) + 4))
    return _text(text, indent)


def _text(text: str, indent: str) -> str:
    analysis: Any = Emitter(io.StringIO(), allow_unicode=True).analyze_scalar(text)
    if "\n" in text and analysis.allow_block:
        ending = "" if text.endswith("\n") else "-"
        if text.endswith("\n\n") or text == "\n":
            ending = "+"
        hint = "4" if text[0] in " \n" else ""
        body = text[:-1] if text.endswith("\n") else text
        lines = [f"{_deeper(indent)}{line}" if line else "" for line in body.split("\n")]
        return "\n".join([f"|{hint}{ending}", *lines])
    if _means_something_else(text) or not analysis.allow_single_quoted:
        return yaml.dump(text, default_style='"', width=2**31, allow_unicode=True).rstrip("\n")
    if analysis.allow_block_plain and not analysis.multiline:
        return text
    return "'" + text.replace("'", "''") + "'"


def _means_something_else(text: str) -> bool:
    """Whether the text without quotation marks would be read as another kind of value."""
    if not text or text in _OLD_BOOLS or _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) != _PLAIN_TEXT:
        return True
    if _NUMBER.fullmatch(text) and text[:1] in "+-0123456789" and text.lower().startswith(("0x", "0o", "0b")):
        return True
    try:
        parse_float(text)
    except ValueError:
        return False
    return text[0] in "+-.0123456789"


_RESOLVER: Any = Resolver()
_PLAIN_TEXT = "tag:yaml.org,2002:str"
