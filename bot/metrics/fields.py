"""Reads a provider's configuration: each function gives one field in its type, or a UserError that names it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.contracts import Schema
from bot.errors import UserError

TEXT: Schema = {"type": "string"}
HEADERS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"key": TEXT, "value": TEXT},
        "required": ["key", "value"],
        "additionalProperties": False,
    },
}


def text(config: Mapping[str, Any], name: str, default: str = "") -> str:
    value = config.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _wrong(name, "text", value)
    return value


def required(config: Mapping[str, Any], name: str) -> str:
    value = text(config, name)
    if not value:
        raise UserError(f"{name} is missing")
    return value


def number(config: Mapping[str, Any], name: str) -> float | None:
    value = config.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _wrong(name, "a number", value)
    return value


def flag(config: Mapping[str, Any], name: str) -> bool:
    value = config.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(name, "a mapping", value)
    return value


def items(config: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = config.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _wrong(name, "a list", value)
    return value


def headers(config: Mapping[str, Any]) -> dict[str, str]:
    """The `headers` list of `key` and `value`; of several with one name the last holds, as in Go's Header.Set."""
    found: dict[str, str] = {}
    for index, item in enumerate(items(config, "headers")):
        if not isinstance(item, Mapping):
            raise _wrong(f"headers[{index}]", "a mapping of key and value", item)
        found[required(item, "key").title()] = text(item, "value")
    return found


def _wrong(name: str, wanted: str, value: object) -> UserError:
    return UserError(f"{name} must be {wanted}, not a value of type {type(value).__name__}")
