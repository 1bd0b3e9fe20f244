"""Reaching into values: members, indexes, slices, and what is `in` what."""

from collections.abc import Sequence

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.methods import method
from bot.expressions.operations import as_index, equal, is_number
from bot.expressions.text import byte_slice, to_bytes
from bot.expressions.values import AnyMap, Byte, Record, adopt, kind_of


def fetch(value: object, name: object) -> object:
    """`value[name]` or `value.name`. A key that a map does not have gives nil.

    Raises `Fault` for an index out of range, and for anything that has no members.
    """
    if isinstance(value, dict):
        return adopt(value.get(_key(name)))
    value = adopt(value)
    if isinstance(name, str):
        bound = method(value, name)
        if bound is not None:
            return bound
    match value:
        case list() | str() | bytes():
            elements = _bytes(value) if isinstance(value, str) else value
            index = as_index(name)
            place = index + len(elements) if index < 0 else index
            if not 0 <= place < len(elements):
                raise Fault(f"index {index} is out of range: there are {len(elements)} elements")
            return _element(elements, place)
        case dict():
            return adopt(value.get(_key(name)))
        case AnyMap():
            return value.get(name)
        case Record(fields=fields) if isinstance(name, str) and name in fields:
            return adopt(fields[name], name)
        case Record(fields=fields):
            raise Fault(f"{value.name} has no field {name}; it has {', '.join(fields)}")
    hint = "; write ?. if it may be nil" if value is None else ""
    raise Fault(f"cannot get {_shown(name)} from {kind_of(value)}{hint}")


def _bytes(text: str) -> Sequence[object]:
    return text if text.isascii() else to_bytes(text)


def _element(elements: Sequence[object], place: int) -> object:
    element = elements[place]
    if isinstance(elements, str) and isinstance(element, str):
        return Byte(ord(element))
    return Byte(element) if isinstance(elements, bytes) and isinstance(element, int) else adopt(element)


def _key(name: object) -> str:
    if isinstance(name, str):
        return name
    if name is None:  # nil as a key is Go's empty string
        return ""
    raise Fault(f"a key must be text, not {kind_of(name)}")


def _shown(name: object) -> str:
    return name if isinstance(name, str) and len(name) <= 80 else f"[{kind_of(name)}]"


def get(value: object, name: object) -> object:
    """`get(value, name)`: as `fetch`, with nil for what is not there."""
    value = adopt(value)
    if isinstance(name, str):
        bound = method(value, name)
        if bound is not None:
            return bound
    match value:
        case list() | str() | bytes():
            elements = _bytes(value) if isinstance(value, str) else value
            index = as_index(name)
            place = index + len(elements) if index < 0 else index
            return _element(elements, place) if 0 <= place < len(elements) else None
        case dict():
            return adopt(value.get(_key(name)))
        case AnyMap():
            return value.get(name) if name in value else None
        case Record(fields=fields):
            return adopt(fields.get(_key(name)))
    return None


END = object()  # the upper bound of a slice that has none


def cut(value: object, start: object, stop: object, budget: Budget) -> object:
    """`value[start:stop]`. Bounds beyond the ends are the ends; text is cut between bytes."""
    if not isinstance(value, (list, str, bytes)):
        raise Fault(f"cannot slice {kind_of(value)}")
    length = len(value) if not isinstance(value, str) or value.isascii() else len(to_bytes(value))
    first = as_index(start)
    last = length if stop is END else as_index(stop)
    last = min(max(last + length if last < 0 else last, 0), length)
    first = min(max(first + length if first < 0 else first, 0), last)
    budget.spend((last - first) >> 4)
    if isinstance(value, list):
        budget.grow((last - first) >> 3)
    elif isinstance(value, str) and length != len(value):
        budget.spend(length >> 4)
    return byte_slice(value, first, last) if isinstance(value, str) else value[first:last]


def length(value: object) -> int:
    """`len(value)`: characters of text, elements of lists, entries of maps. Raises `Fault`."""
    if isinstance(value, (list, str, dict, bytes, AnyMap)):
        return len(value)
    raise Fault(f"len cannot take {kind_of(value)}")


def contains(needle: object, haystack: object, budget: Budget) -> bool:
    """`needle in haystack`: an element of a list, a key of a map, a field of a record; nothing is in nil."""
    haystack = adopt(haystack)
    match haystack:
        case None:
            return False
        case list():
            if isinstance(needle, str) or type(needle) is bool:
                budget.spend(len(haystack) * (1 + (len(needle) >> 10 if isinstance(needle, str) else 0)))
                kind = bool if isinstance(needle, bool) else str
                return any(isinstance(item, kind) and item == needle for item in haystack)
            budget.spend(6 * len(haystack))
            return any(equal(item, needle, budget) for item in haystack)
        case bytes():
            budget.spend(len(haystack) >> 3)
            return is_number(needle) and needle in list(haystack)
        case dict():
            return _key(needle) in haystack
        case AnyMap():
            return needle in haystack
        case Record(fields=fields) if isinstance(needle, str):
            return needle in fields
    raise Fault(f"nothing can be in {kind_of(haystack)}")
