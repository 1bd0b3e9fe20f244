"""Which kinds the binary operators take, and what comes of them."""

from collections.abc import Callable

from bot.expressions.natures import (
    ANY,
    BOOL,
    DURATION,
    FLOAT,
    INT,
    MAP,
    NIL,
    STRING,
    TIME,
    UNTYPED,
    Kind,
    Nature,
    array_of,
    assignable,
    both,
    comparable,
    element_of,
    wider,
)

_Rule = Callable[[Nature, Nature], Nature | None]
_NUMBERS = (Kind.INT, Kind.FLOAT)


def binary_nature(operator: str, left: Nature, right: Nature) -> Nature | None:
    """The nature of the result, or None if the operator can never work for these."""
    return _RULES[operator](left, right)


def _equality(left: Nature, right: Nature) -> Nature | None:
    return BOOL if comparable(left, right) else None


def _logic(left: Nature, right: Nature) -> Nature | None:
    if left.kind is right.kind is Kind.BOOL or both(left, right, Kind.BOOL):
        return BOOL
    return None


def _order(left: Nature, right: Nature) -> Nature | None:
    if left.number and right.number:
        return BOOL
    if left.kind is right.kind and left.kind in {Kind.STRING, Kind.TIME, Kind.DURATION}:
        return BOOL
    return BOOL if both(left, right, *_NUMBERS, Kind.STRING, Kind.TIME, Kind.DURATION) else None


def _sum(left: Nature, right: Nature) -> Nature | None:
    if left.number and right.number:
        return wider(left, right)
    match left.kind, right.kind:
        case Kind.STRING, Kind.STRING:
            return STRING
        case (Kind.TIME, Kind.DURATION) | (Kind.DURATION, Kind.TIME):
            return TIME
        case Kind.DURATION, Kind.DURATION:
            return DURATION
    return UNTYPED if both(left, right, *_NUMBERS, Kind.STRING, Kind.TIME, Kind.DURATION) else None


def _difference(left: Nature, right: Nature) -> Nature | None:
    if left.number and right.number:
        return wider(left, right)
    match left.kind, right.kind:
        case (Kind.TIME, Kind.TIME) | (Kind.DURATION, Kind.DURATION):
            return DURATION
        case Kind.TIME, Kind.DURATION:
            return TIME
    return UNTYPED if both(left, right, *_NUMBERS, Kind.TIME, Kind.DURATION) else None


def _product(left: Nature, right: Nature) -> Nature | None:
    if left.number and right.number:
        return wider(left, right)
    durations = (left.kind is Kind.DURATION, right.kind is Kind.DURATION)
    if all(durations) or (any(durations) and (left.number or right.number)):
        return DURATION
    return UNTYPED if both(left, right, *_NUMBERS, Kind.DURATION) else None


def _float(left: Nature, right: Nature) -> Nature | None:
    if (left.number and right.number) or both(left, right, *_NUMBERS):
        return FLOAT
    return None


def _remainder(left: Nature, right: Nature) -> Nature | None:
    return INT if left.kind is right.kind is Kind.INT or both(left, right, Kind.INT) else None


def _range(left: Nature, right: Nature) -> Nature | None:
    return array_of(INT) if left.kind is right.kind is Kind.INT or both(left, right, Kind.INT) else None


def _membership(left: Nature, right: Nature) -> Nature | None:
    if right.kind is Kind.RECORD:
        return BOOL if left.kind is Kind.STRING or left.unknown else None
    if right.kind is Kind.MAP:
        key = STRING if right.type == MAP.type else ANY
        return BOOL if left.unknown or assignable(left, key) else None
    if right.listlike:
        return BOOL if comparable(left, element_of(right)) else None
    return BOOL if right.unknown or (left.unknown and right.kind is Kind.STRING) else None


def _text(left: Nature, right: Nature) -> Nature | None:
    return BOOL if left.kind is right.kind is Kind.STRING or both(left, right, Kind.STRING) else None


def _matches(left: Nature, right: Nature) -> Nature | None:
    return BOOL if left.kind is Kind.BYTES and right.kind is Kind.STRING else _text(left, right)


def _coalesce(left: Nature, right: Nature) -> Nature | None:
    if left.kind is Kind.NIL:
        return NIL if right.kind is Kind.NIL else right
    if right.kind is Kind.NIL or assignable(right, left):
        return left
    return UNTYPED


_RULES: dict[str, _Rule] = {
    "==": _equality,
    "!=": _equality,
    "or": _logic,
    "||": _logic,
    "and": _logic,
    "&&": _logic,
    "<": _order,
    ">": _order,
    "<=": _order,
    ">=": _order,
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _float,
    "**": _float,
    "^": _float,
    "%": _remainder,
    "..": _range,
    "in": _membership,
    "matches": _matches,
    "contains": _text,
    "startsWith": _text,
    "endsWith": _text,
    "??": _coalesce,
}
