"""Frozen dataclasses to JSON values and back, by their type hints, so that a record can be kept on disk."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Hashable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


def encode(value: object) -> Any:
    """The JSON value of a record or of anything a record may hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], data: Any) -> T:
    """The record of class `kind` whose `encode` gave `data`; a field `data` lacks takes its default.

    That default is what lets a directory written by an older sandbox be opened by a newer one.
    """
    record: Any = kind  # mypy does not see that a class is hashable
    hints = _hints(record)
    return kind(**{name: _value(hints[name], item) for name, item in data.items() if name in hints})


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, data: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(arg for arg in typing.get_args(hint) if arg is not type(None))
        return None if data is None else _value(inner, data)
    if origin is tuple:
        return tuple(_value(typing.get_args(hint)[0], item) for item in data)
    if origin is not None and issubclass(origin, Mapping):
        item_hint = typing.get_args(hint)[1]
        return {key: _value(item_hint, item) for key, item in data.items()}
    if hint is datetime:
        return datetime.fromisoformat(data)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(data)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, data)
    return data
