"""What leaves an expression: copies of plain data, of a size and depth that anybody can handle."""

from collections.abc import Mapping

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.values import AnyMap, Byte, Function, Record, adopt

DEEPEST = 200
_COPIED = frozenset((type(None), bool, int, float, str))  # what is its own copy


def exported(value: object, budget: Budget, depth: int = 0) -> object:
    """The value as callers get it: lists and dicts are copies, so nothing shares the environment's.

    A map whose keys are not text becomes a dict with those keys. Raises `Fault` for a result that is too large: small
    expressions can make lists in which the same list stands a million times.
    """
    value = adopt(value)
    budget.spend(14)
    if depth > DEEPEST:
        raise Fault("the result is nested too deeply")
    match value:
        case list():
            budget.spend(len(value))
            return [item if type(item) in _COPIED else exported(item, budget, depth + 1) for item in value]
        case dict() | AnyMap():
            budget.spend(3 * len(value))
            return {
                key: item if type(item) in _COPIED else exported(item, budget, depth + 1) for key, item in value.items()
            }
        case Record(fields=fields):
            return Record(value.name, _fields(fields, budget, depth), value.keys, value.omit_empty, value.text)
        case Byte():
            return int(value)
    return value


def handed(value: object, budget: Budget) -> object:
    """The value as a function gets it: a copy, and text paid for by its length. Raises `Fault`."""
    if not isinstance(value, str):
        return exported(value, budget)
    budget.read(value, each=8)
    return value


def _fields(fields: Mapping[str, object], budget: Budget, depth: int) -> Mapping[str, object]:
    return {
        name: item if isinstance(item, Function) else exported(item, budget, depth + 1) for name, item in fields.items()
    }
