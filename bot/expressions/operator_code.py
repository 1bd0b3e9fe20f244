"""Code for binary operators: the common case at once, everything else by the rules in `operations`."""

import operator as python
from collections.abc import Callable, Sequence
from typing import Any

from bot.expressions import operations, syntax
from bot.expressions.access import contains
from bot.expressions.errors import Fault, LocatedFault
from bot.expressions.frame import Code, Frame, located
from bot.expressions.numbers import LEAST, MOST
from bot.expressions.patterns import compile_pattern, matches
from bot.expressions.values import is_nil, kind_of

_Operation = Callable[[object, object, Frame], object]
_SLOW = 6  # steps that the general rule takes beside those of the common case


def _order(fast: Callable[[Any, Any], bool], slow: Callable[[object, object], bool]) -> _Operation:
    def compare(left: object, right: object, frame: Frame) -> object:
        kind = type(left)
        if kind is type(right) and (kind is int or kind is float):
            return fast(left, right)
        if isinstance(left, str) and type(right) is str:
            frame.budget.steps -= len(left) >> 10
            return fast(left, right)
        frame.budget.spend(_SLOW)
        return slow(left, right)

    return compare


def _arithmetic(fast: Callable[[Any, Any], Any], slow: Callable[[object, object], object]) -> _Operation:
    def compute(left: object, right: object, frame: Frame) -> object:
        if type(left) is int and type(right) is int:
            result = fast(left, right)
            if LEAST <= result <= MOST:
                return result
        frame.budget.spend(_SLOW)
        return slow(left, right)

    return compute


def _add(left: object, right: object, frame: Frame) -> object:
    if type(left) is int and type(right) is int:
        result = left + right
        if LEAST <= result <= MOST:
            return result
    frame.budget.spend(_SLOW)
    return operations.add(left, right, frame.budget)


def _equal(left: object, right: object, frame: Frame) -> bool:
    kind = type(left)
    if kind is type(right) and (kind is int or kind is bool or kind is float):
        return left == right
    if isinstance(left, str) and type(right) is str:
        frame.budget.steps -= len(left) >> 10
        return left == right
    return operations.equal(left, right, frame.budget)


def _text(name: str, test: Callable[[str, str], bool]) -> _Operation:
    def compare(left: object, right: object, frame: Frame) -> object:
        if isinstance(left, str) and isinstance(right, str):
            frame.budget.read(left, each=32)
            return test(left, right)
        if is_nil(left) or is_nil(right):
            return False
        raise Fault(f"cannot evaluate {kind_of(left)} {name} {kind_of(right)}")

    return compare


_OPERATIONS: dict[str, _Operation] = {
    "==": _equal,
    "!=": lambda left, right, frame: not _equal(left, right, frame),
    "<": _order(python.lt, operations.less),
    ">": _order(python.gt, lambda left, right: operations.less(right, left, ">")),
    "<=": _order(python.le, operations.at_most),
    ">=": _order(python.ge, lambda left, right: operations.at_most(right, left, ">=")),
    "+": _add,
    "-": _arithmetic(python.sub, operations.subtract),
    "*": _arithmetic(python.mul, operations.multiply),
    "/": lambda left, right, frame: operations.quotient(left, right),
    "%": lambda left, right, frame: operations.remainder(left, right),
    "**": lambda left, right, frame: operations.raised(left, right),
    "^": lambda left, right, frame: operations.raised(left, right),
    "..": lambda left, right, frame: operations.span(left, right, frame.budget),
    "in": lambda left, right, frame: contains(left, right, frame.budget),
    "contains": _text("contains", lambda left, right: right in left),
    "startsWith": _text("startsWith", str.startswith),
    "endsWith": _text("endsWith", str.endswith),
}


def operator_code(operator: str, left: Code, right: Code, position: int) -> Code:
    """Code for any binary operator but `matches`."""
    match operator:
        case "and" | "&&":
            return _short_circuit(left, right, False, position)
        case "or" | "||":
            return _short_circuit(left, right, True, position)
        case "??":
            return _coalesce(left, right)
    operation = _OPERATIONS[operator]

    def operate(frame: Frame) -> object:
        try:
            return operation(left(frame), right(frame), frame)
        except LocatedFault:
            raise
        except Fault as fault:
            raise located(fault, position) from fault

    return operate


def _short_circuit(left: Code, right: Code, decisive: bool, position: int) -> Code:
    def logic(frame: Frame) -> object:
        value = left(frame)
        if value is decisive:
            return value
        if value is (not decisive):
            return right(frame)  # whatever it is: only what decides has to be a bool
        raise LocatedFault(f"a condition must be true or false, not {kind_of(value)}", position)

    return logic


def _coalesce(left: Code, right: Code) -> Code:
    def coalesce(frame: Frame) -> object:
        value = left(frame)
        return right(frame) if is_nil(value) else value

    return coalesce


def comparison_code(operands: Sequence[Code], operators: Sequence[str], position: int) -> Code:
    """Code for `a < b < c`. What comes after the first pair that does not hold is not evaluated."""
    first, *others = operands
    steps = [(_OPERATIONS[operator], operand) for operator, operand in zip(operators, others, strict=True)]

    def compare(frame: Frame) -> object:
        left = first(frame)
        try:
            for operation, operand in steps:
                right = operand(frame)
                if not operation(left, right, frame):
                    return False
                left = right
        except LocatedFault:
            raise
        except Fault as fault:
            raise located(fault, position) from fault
        return True

    return compare


def range_membership_code(left: Code, first: Code, last: Code, position: int) -> Code:
    """Code for `x in a..b`, which need not make the list."""

    def membership(frame: Frame) -> object:
        needle = left(frame)
        try:
            start, stop = operations.as_index(first(frame)), operations.as_index(last(frame))
        except LocatedFault:
            raise
        except Fault as fault:
            raise located(fault, position) from fault
        if isinstance(needle, (int, float)) and not isinstance(needle, bool):
            return start <= needle <= stop and needle == int(needle)
        return False

    return membership


def membership_code(left: Code, right: Code, nodes: Sequence[syntax.Node], position: int) -> Code:
    """Code for `x in [...]`. A list of constant texts is a set: nil counts as "" then, other kinds are an error."""
    texts = frozenset(node.value for node in nodes if isinstance(node, syntax.String))
    if not nodes or not all(isinstance(node, syntax.String) for node in nodes):
        return operator_code("in", left, right, position)

    def membership(frame: Frame) -> object:
        needle = left(frame)
        if needle is None or isinstance(needle, str):
            return (needle or "") in texts
        raise LocatedFault(f"{kind_of(needle)} cannot be in a list of texts", position)

    return membership


def matches_code(left: Code, right: Code, pattern: str | None, position: int) -> Code:
    """Code for `text matches expression`; `pattern` is the expression if it is constant."""
    try:
        constant = None if pattern is None else compile_pattern(pattern)
    except ValueError as error:
        raise LocatedFault(str(error), position) from None

    def found(frame: Frame) -> object:
        text, expression = left(frame), pattern if constant else right(frame)
        if is_nil(text) or is_nil(expression):
            return False
        if not isinstance(text, (str, bytes)) or not isinstance(expression, str):
            raise LocatedFault(f"cannot evaluate {kind_of(text)} matches {kind_of(expression)}", position)
        try:
            if constant:
                return matches(constant, text, frame.budget)
            return matches(frame.pattern(expression), text, frame.budget)
        except (Fault, ValueError) as error:
            raise LocatedFault(str(error), position) from error

    return found
