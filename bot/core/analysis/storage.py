"""A run as JSON text and back, so that the work store can hold it."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from bot.core.analysis.state import Run
from bot.core.durations import format_duration, parse_duration


def to_json(run: Run) -> str:
    """Times as ISO 8601, durations as Go writes them, everything else as JSON has it."""
    return json.dumps(_encode(run), ensure_ascii=False)


def from_json(text: str) -> Run:
    """The run that `to_json` wrote. Raises ValueError, TypeError or KeyError for other text."""
    run = _decode(Run, json.loads(text))
    if not isinstance(run, Run):
        raise TypeError(f"not a run: {text[:80]!r}")
    return run


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    return value


def _decode(kind: Any, value: Any) -> Any:
    """`value` as `kind`, the annotation of the field it is for."""
    if value is None or kind is Any:
        return value
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        choices = [choice for choice in inside if choice is not type(None)]
        return _decode(choices[0], value) if len(choices) == 1 else value  # str | int: JSON knows which
    if origin is tuple:
        return tuple(_decode(inside[0], item) for item in value)
    if not isinstance(kind, type):
        return value  # a Mapping of plain JSON
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _decode(hints[name], item) for name, item in value.items()})
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is timedelta:
        return parse_duration(value)
    return kind(value) if issubclass(kind, Enum) else value
