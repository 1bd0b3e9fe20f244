"""Code for lists and maps as they are written in an expression."""

from collections.abc import Sequence

from bot.expressions.errors import Fault, LocatedFault
from bot.expressions.frame import Code, Frame, located
from bot.expressions.values import kind_of


def array_code(elements: Sequence[Code], position: int) -> Code:
    """Code for `[a, b]`."""

    def array(frame: Frame) -> object:
        _grow(frame, len(elements), position)
        return [element(frame) for element in elements]

    return array


def map_code(entries: Sequence[tuple[Code, Code, int]], position: int) -> Code:
    """Code for `{a: 1}`, from the code of keys and values and the position of each entry."""

    def made(frame: Frame) -> object:
        _grow(frame, len(entries), position)
        found: dict[str, object] = {}
        for key_code, value_code, place in entries:
            key, value = key_code(frame), value_code(frame)
            if not isinstance(key, str):
                raise LocatedFault(f"a key must be text, not {kind_of(key)}", place)
            found.setdefault(key, value)  # of equal keys, the first one stays
        return found

    return made


def _grow(frame: Frame, count: int, position: int) -> None:
    try:
        frame.budget.grow(count)
    except Fault as fault:
        raise located(fault, position) from fault
