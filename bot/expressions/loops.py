"""Code for the functions that evaluate a predicate per element."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault, LocatedFault
from bot.expressions.frame import Code, Frame, located
from bot.expressions.operations import add
from bot.expressions.ordering import sorted_by
from bot.expressions.text import to_bytes
from bot.expressions.values import AnyMap, Byte, NilList, adopt, kind_of

_NO_ELEMENT = object()  # a map has entries to count, but no element for `#`

# Given code for the arguments, the position, and what one round costs.
_Loop = Callable[[Sequence[Code], int, int], Code]
_Body = Callable[[Frame, Sequence[object], Sequence[Code], int], object]


def pointer(name: str, position: int) -> Code:
    """Code for `#`, `#index` and `#acc`."""
    if name == "index":
        return lambda frame: frame.index
    if name == "acc":
        return lambda frame: frame.accumulated

    def element(frame: Frame) -> object:
        if frame.item is _NO_ELEMENT:
            raise LocatedFault("a map has no elements: use keys(), values() or toPairs()", position)
        return frame.item

    return element


def _elements(value: object, budget: Budget) -> Sequence[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, (dict, AnyMap)):
        return [_NO_ELEMENT] * len(value)
    if isinstance(value, (str, bytes)):
        budget.grow(len(value))
        budget.spend(2 * len(value))
        return [Byte(byte) for byte in (to_bytes(value) if isinstance(value, str) else value)]
    raise Fault(f"cannot go through {kind_of(value)}")


@contextmanager
def _scope(frame: Frame) -> Iterator[None]:
    """Keep what an outer predicate is looking at. (After an error nobody looks any more.)"""
    outer = frame.item, frame.index, frame.accumulated
    yield
    frame.item, frame.index, frame.accumulated = outer


# The optimizer gives `filter` and `find` a third argument: what becomes of an element that passes.
def _loop(body: _Body) -> _Loop:
    def code(arguments: Sequence[Code], position: int, weight: int) -> Code:
        collection, *rest = arguments

        def run(frame: Frame) -> object:
            try:
                elements = _elements(collection(frame), frame.budget)
                frame.budget.spend(len(elements) >> 4)
                with _scope(frame):
                    return body(frame, elements, rest, weight)
            except LocatedFault:
                raise
            except Fault as fault:
                raise located(fault, position) from fault

        return run

    return code


def _values(frame: Frame, elements: Sequence[object], predicate: Code, weight: int) -> Iterator[object]:
    """What the predicate gives for each element, in order, as far as somebody asks."""
    budget = frame.budget
    for index, element in enumerate(elements):
        budget.steps -= weight
        if budget.steps < 0:
            raise Fault("the expression takes too long")
        frame.item = adopt(element) if element is not _NO_ELEMENT else element
        frame.index = index
        yield predicate(frame)


def _tests(frame: Frame, elements: Sequence[object], predicate: Code, weight: int) -> Iterator[bool]:
    for value in _values(frame, elements, predicate, weight):
        if value is not True and value is not False:
            raise Fault(f"a predicate must give true or false, not {kind_of(value)}")
        yield value


def _all(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    return all(_tests(frame, elements, rest[0], weight))


def _any(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    return any(_tests(frame, elements, rest[0], weight))


def _none(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    return not any(_tests(frame, elements, rest[0], weight))


def _one(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    return sum(_tests(frame, elements, rest[0], weight)) == 1


def _element(frame: Frame) -> object:
    if frame.item is _NO_ELEMENT:
        raise Fault("a map has no elements: use keys(), values() or toPairs()")
    return frame.item


def _count(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    return sum(_tests(frame, elements, rest[0] if rest else _element, weight))


def _filter(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    result = rest[1] if len(rest) > 1 else _element
    found = [result(frame) for passed in _tests(frame, elements, rest[0], weight) if passed]
    frame.budget.grow(len(found))
    return found


def _map(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    frame.budget.grow(len(elements))
    return list(_values(frame, elements, rest[0], weight))


def _search(index_only: bool, backwards: bool, required: bool = False) -> _Body:
    def search(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
        order = elements[::-1] if backwards else elements
        for passed in _tests(frame, order, rest[0], weight):
            if passed:
                if index_only:
                    return len(elements) - 1 - frame.index if backwards else frame.index
                return rest[1](frame) if len(rest) > 1 else _element(frame)
        if required:
            raise Fault("index is out of range: nothing passes the filter")
        return None

    return search


def _sum(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    total: object = 0
    frame.budget.spend(5 * len(elements))
    for value in _values(frame, elements, rest[0] if rest else _element, weight):
        total = add(value, total, frame.budget)
    return total


def _reduce(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    predicate, *initial = rest
    skipped = 0
    if initial:
        frame.item, frame.index = (elements[0] if elements else _NO_ELEMENT), 0
        frame.accumulated = initial[0](frame)
    elif not elements:
        raise Fault("reduce of an empty list needs an initial value")
    else:
        frame.item, skipped = elements[0], 1
        frame.accumulated = _element(frame)
    budget = frame.budget
    for index in range(skipped, len(elements)):
        budget.spend(weight)
        element = elements[index]
        frame.item = adopt(element) if element is not _NO_ELEMENT else element
        frame.index = index
        frame.accumulated = predicate(frame)
    return frame.accumulated


def _group_by(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    groups = AnyMap(missing=NilList())
    frame.budget.grow(len(elements))
    frame.budget.spend(3 * len(elements))
    for key in _values(frame, elements, rest[0], weight):
        if key in groups:
            group = groups.get(key)
        else:
            group = []
            groups.put(key, group)
        if isinstance(group, list):
            group.append(_element(frame))
    return groups


def _sort_by(frame: Frame, elements: Sequence[object], rest: Sequence[Code], weight: int) -> object:
    predicate, *order = rest
    frame.item, frame.index = (elements[0] if elements else _NO_ELEMENT), 0
    direction = order[0](frame) if order else "asc"
    if direction not in ("asc", "desc"):
        raise Fault('the order must be "asc" or "desc"')
    keys = [(key, _element(frame)) for key in _values(frame, elements, predicate, weight)]
    frame.budget.grow(len(elements))
    return [element for _, element in sorted_by(keys, direction == "desc", frame.budget)]


LOOPS: dict[str, _Loop] = {
    "all": _loop(_all),
    "any": _loop(_any),
    "none": _loop(_none),
    "one": _loop(_one),
    "count": _loop(_count),
    "filter": _loop(_filter),
    "map": _loop(_map),
    "find": _loop(_search(index_only=False, backwards=False)),
    "find!": _loop(_search(index_only=False, backwards=False, required=True)),
    "findIndex": _loop(_search(index_only=True, backwards=False)),
    "findLast": _loop(_search(index_only=False, backwards=True)),
    "findLast!": _loop(_search(index_only=False, backwards=True, required=True)),
    "findLastIndex": _loop(_search(index_only=True, backwards=True)),
    "sum": _loop(_sum),
    "reduce": _loop(_reduce),
    "groupBy": _loop(_group_by),
    "sortBy": _loop(_sort_by),
}
