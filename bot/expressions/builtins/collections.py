"""Functions for lists and maps, and what can be asked of any value."""

from collections.abc import Callable, Sequence

from bot.expressions import access
from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.frame import Frame
from bot.expressions.operations import equal
from bot.expressions.ordering import sorted_by
from bot.expressions.values import AnyMap, NilList, adopt, kind_of

_MOST_NESTED = 200


def _list(name: str, value: object) -> Sequence[object]:
    if isinstance(value, (list, bytes)):
        return value
    raise Fault(f"{name} takes a list, not {kind_of(value)}")


def _entries(name: str, frame: Frame, value: object) -> list[tuple[object, object]]:
    if not isinstance(value, (dict, AnyMap)):
        raise Fault(f"{name} takes a map, not {kind_of(value)}")
    frame.budget.grow(len(value))
    frame.budget.spend(len(value))
    return list(value.items())


def _len(frame: Frame, value: object) -> int:
    return access.length(value)


def _type(frame: Frame, value: object) -> str:
    return kind_of(value)


def _get(frame: Frame, value: object, name: object) -> object:
    _read(frame, value)
    return access.get(value, name)


def _first(frame: Frame, value: object) -> object:
    _read(frame, value)
    return _at(value, 0)


def _last(frame: Frame, value: object) -> object:
    _read(frame, value)
    return _at(value, -1)


def _read(frame: Frame, value: object) -> None:
    if isinstance(value, str) and not value.isascii():  # what stands where has to be counted in bytes
        frame.budget.read(value, each=64)


def _at(value: object, index: int) -> object:
    try:
        return access.fetch(value, index)
    except Fault:  # whatever it is, what it does not have is nil
        return None


def _take(frame: Frame, value: object, count: object) -> object:
    elements = _list("take", value)
    if not isinstance(count, int) or isinstance(count, bool):
        raise Fault(f"take cannot take {kind_of(count)} elements")
    if count < 0:
        raise Fault(f"take cannot take {count} elements")
    frame.budget.grow(min(count, len(elements)) >> 3)
    frame.budget.spend(min(count, len(elements)) >> 4)
    return elements[:count]


def _keys(frame: Frame, value: object) -> object:
    return [key for key, _ in _entries("keys", frame, value)]


def _values(frame: Frame, value: object) -> object:
    return [item for _, item in _entries("values", frame, value)]


def _to_pairs(frame: Frame, value: object) -> object:
    return [[key, item] for key, item in _entries("toPairs", frame, value)]


def _from_pairs(frame: Frame, value: object) -> object:
    made = AnyMap()
    pairs = _list("fromPairs", value)
    frame.budget.grow(len(pairs))
    frame.budget.spend(6 * len(pairs))
    for pair in map(adopt, pairs):
        if not isinstance(pair, (list, bytes)) or len(pair) != 2:
            raise Fault("fromPairs takes a list of lists of two: a key and a value")
        made.put(adopt(pair[0]), pair[1])
    return made


def _reverse(frame: Frame, value: object) -> object:
    elements = _list("reverse", value)
    frame.budget.grow(len(elements))
    frame.budget.spend(len(elements) >> 3)
    return list(reversed(elements))


_EXACT = 2**53  # up to here, whole numbers and floats are equal exactly if Python says so


def _uniq(frame: Frame, value: object) -> object:
    unique: list[object] = []
    seen: set[tuple[type, object]] = set()
    others: list[object] = []
    elements = _list("uniq", value)
    frame.budget.spend(6 * len(elements))
    for element in map(adopt, elements):
        if isinstance(element, (str, bool)) or (isinstance(element, (int, float)) and abs(element) < _EXACT):
            kind = type(element) if isinstance(element, (str, bool)) else float
            if (kind, element) in seen:
                continue
            seen.add((kind, element))
        else:
            frame.budget.spend(4 * len(others))
            if any(equal(element, other, frame.budget) for other in others):
                continue
            others.append(element)
        unique.append(element)
    frame.budget.grow(len(unique))
    return unique


def _concat(frame: Frame, *values: object) -> object:
    joined: list[object] = NilList()
    for value in values:
        elements = _list("concat", value)
        frame.budget.grow(len(elements))
        frame.budget.spend(len(elements) >> 3)
        if elements:
            joined = [] if isinstance(joined, NilList) else joined
            joined += elements
    return joined


def _flatten(frame: Frame, value: object) -> object:
    flat: list[object] = []
    _flatten_into(flat, _list("flatten", value), frame.budget, 0)
    return flat


def _flatten_into(flat: list[object], elements: Sequence[object], budget: Budget, depth: int) -> None:
    if depth > _MOST_NESTED:
        raise Fault("the list is nested too deeply")
    budget.grow(len(elements))
    budget.spend(4 * len(elements) + 10)
    for element in map(adopt, elements):
        if isinstance(element, (list, bytes)):
            _flatten_into(flat, element, budget, depth + 1)
        else:
            flat.append(element)


def _sort(frame: Frame, value: object, order: object = "asc") -> object:
    if not isinstance(value, list):  # whatever else it is, expr-lang sorts it to nothing
        return NilList()
    if order not in ("asc", "desc"):
        raise Fault('the order must be "asc" or "desc"')
    frame.budget.grow(len(value))
    frame.budget.spend(3 * len(value))
    elements = [adopt(element) for element in value]
    return [
        element for element, _ in sorted_by([(element, None) for element in elements], order == "desc", frame.budget)
    ]


COLLECTIONS: dict[str, Callable[..., object]] = {
    "len": _len,
    "type": _type,
    "get": _get,
    "first": _first,
    "last": _last,
    "take": _take,
    "keys": _keys,
    "values": _values,
    "toPairs": _to_pairs,
    "fromPairs": _from_pairs,
    "reverse": _reverse,
    "uniq": _uniq,
    "concat": _concat,
    "flatten": _flatten,
    "sort": _sort,
}
