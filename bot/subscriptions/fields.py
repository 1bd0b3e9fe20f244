"""Fields of a subscription's configuration, read with their types. What is wrong with one is a UserError."""

from collections.abc import Mapping
from typing import Any

from bot.errors import UserError

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": {"type": "string"}}
REGEXES = {
    **TEXTS,
    "description": "RE2 expressions, searched for anywhere in the tag.",
}
LIMIT = {
    "type": "integer",
    "minimum": 1,
    "maximum": 100,
    "default": 20,
    "description": "How many artifacts to discover at most.",
}
DEFAULT_LIMIT = 20


def text(config: Mapping[str, Any], key: str, default: str = "") -> str:
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _wrong(config, key, "a text")
    return value.strip()


def required(config: Mapping[str, Any], key: str) -> str:
    if value := text(config, key):
        return value
    raise _wrong(config, key, "given")


def texts(config: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = config.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _wrong(config, key, "a list of texts")
    return tuple(value)


def flag(config: Mapping[str, Any], key: str, default: bool = False) -> bool:
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong(config, key, "true or false")
    return value


def choice(config: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`, of which the first is the default."""
    value = text(config, key, allowed[0])
    if value not in allowed:
        raise _wrong(config, key, f"one of {', '.join(allowed)}")
    return value


def limit(config: Mapping[str, Any]) -> int:
    value = config.get("discoveryLimit")
    if value is None:
        return DEFAULT_LIMIT
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100:
        raise _wrong(config, "discoveryLimit", "a whole number from 1 to 100")
    return value


def mistake(config: Mapping[str, Any], message: str) -> UserError:
    """A UserError that says which subscription it is about."""
    url = config.get("repoURL")
    return UserError(f"subscription to {url if isinstance(url, str) and url else 'a repository'}: {message}")


def _wrong(config: Mapping[str, Any], key: str, wanted: str) -> UserError:
    value = config.get(key)
    return mistake(config, f"{key} must be {wanted}" + ("" if value is None else f", not {value!r}"))
