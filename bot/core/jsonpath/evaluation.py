"""Applies a JSONPath template to data. Follows client-go's util/jsonpath/jsonpath.go, its faults word for word."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.core.jsonpath.nodes import (
    Field,
    Filter,
    JsonPathError,
    Literal,
    Recursive,
    Slice,
    Step,
    Steps,
    Template,
    Union,
    Wildcard,
    Word,
)

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_RANGE, _END = Word("range"), Word("end")


def find(template: Template, data: Any) -> tuple[tuple[Any, ...], ...]:
    """What each part of the template finds in JSON data, in order; inside a range once per value.

    Raises JsonPathError where the template doesn't fit the data: a missing key, an index out of bounds, …
    """
    return tuple(_parts(template.parts, data, in_range=False))


def _parts(parts: tuple[Literal | Steps, ...], data: Any, *, in_range: bool) -> Iterator[tuple[Any, ...]]:
    position = 0
    while position < len(parts):
        part = parts[position]
        position += 1
        if isinstance(part, Literal):
            yield (part.value,)
        elif _END in part:
            if not in_range:
                raise JsonPathError("not in range, nothing to end")
            return
        elif _RANGE in part:
            for value in _walk(part, [data]):
                yield from _parts(parts[position:], value, in_range=True)
            position = _after_end(parts, position)
        else:
            yield tuple(_walk(part, [data]))


def _after_end(parts: tuple[Literal | Steps, ...], position: int) -> int:
    depth = 1
    while position < len(parts) and depth:
        part = parts[position]
        if not isinstance(part, Literal):
            depth += (_RANGE in part) - (_END in part)
        position += 1
    return position


def _walk(steps: Steps, values: list[Any]) -> list[Any]:
    for step in steps:
        values = _take(step, values)
    return values


def _take(step: Step, values: list[Any]) -> list[Any]:
    match step:
        case Literal(value):
            return [value for _ in values]
        case Field(name):
            return _field(name, values)
        case Slice():
            return [item for value in values if value is not None for item in _slice(step, value)]
        case Union(parts):
            return [item for part in parts for item in _walk(part, values)]
        case Filter():
            return [item for value in values for item in _items(value, " and cannot be filtered") if _holds(step, item)]
        case Wildcard():
            return [item for value in values for item in _children(value)]
        case Recursive():
            return [item for value in values for item in _descend(value)]
        case Word("range"):
            return values
        case Word(name):
            raise JsonPathError(f"unrecognized identifier {name}")


def _field(name: str, values: list[Any]) -> list[Any]:
    found = [value[name] for value in values if isinstance(value, Mapping) and name in value]
    if values and not found:
        raise JsonPathError(f"{name} is not found")
    return found


def _items(value: Any, rest: str = "") -> list[Any]:
    if not isinstance(value, list):
        raise JsonPathError(f"{_go_type(value)} is not array or slice{rest}")
    return value


def _slice(step: Slice, value: Any) -> list[Any]:
    items = _items(value)
    length = len(items)
    start = step.start or 0
    start += length if start < 0 else 0
    if step.single:
        stop = start + 1
    else:
        stop = length if step.stop is None else step.stop
        stop += length if stop < 0 else 0
    if start == stop:
        return []
    for index, outside in ((start, not 0 <= start < length), (stop - 1, not 0 <= stop <= length)):
        if outside:
            raise JsonPathError(f"array index out of bounds: index {index}, length {length}")
    if start > stop:
        raise JsonPathError(f"starting index {start} is greater than ending index {stop}")
    if step.step is not None and step.step <= 0:
        raise JsonPathError("step must be > 0")
    return items[start : stop : step.step or 1]


def _children(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def _descend(value: Any) -> list[Any]:
    """The value and all it contains that contains something itself, in the order of the document."""
    found = []
    waiting = [value]
    while waiting:
        children = _children(item := waiting.pop())
        if children:
            found.append(item)
            waiting += reversed(children)
    return found


def _holds(condition: Filter, item: Any) -> bool:
    left = _tolerant(condition.left, item)
    if not condition.operator:
        return bool(left)
    right = _tolerant(condition.right, item)
    if not left or not right:
        return False
    if len(left) > 1 or len(right) > 1:
        raise JsonPathError("can only compare one element at a time")
    kinds = _kind(left[0]), _kind(right[0])
    ordered = condition.operator not in ("==", "!=")
    if None in kinds or (ordered and bool in kinds):
        raise JsonPathError("invalid type for comparison")
    if kinds[0] is not kinds[1]:
        raise JsonPathError("incompatible types for comparison")
    return _COMPARE[condition.operator](left[0], right[0])


def _tolerant(steps: Steps, item: Any) -> list[Any]:
    """What a side of a comparison finds: nothing, where the element has no such key."""
    values = [item]
    for step in steps:
        if isinstance(step, Field):
            values = [value[step.name] for value in values if isinstance(value, Mapping) and step.name in value]
        else:
            values = _take(step, values)
    return values


def _kind(value: Any) -> type | None:
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float):
        return float
    return str if isinstance(value, str) else None


def _go_type(value: Any) -> str:
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    names: dict[type | None, str] = {bool: "bool", float: "float64", str: "string"}
    return names.get(_kind(value), "null")
