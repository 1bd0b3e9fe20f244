"""What the operators do with values whose kinds are known only now."""

import math

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.numbers import divide, power, to_int, wrap
from bot.expressions.times import Duration, Time
from bot.expressions.values import AnyMap, Function, NilList, Record, adopt, is_nil, kind_of

Number = (int, float)
_MOST_NESTED = 200


def is_number(value: object) -> bool:
    """Whether the value is an int or a float; bools are neither."""
    return isinstance(value, Number) and not isinstance(value, bool)


def _failed(operator: str, left: object, right: object) -> Fault:
    return Fault(f"cannot evaluate {kind_of(left)} {operator} {kind_of(right)}")


def equal(left: object, right: object, budget: Budget, depth: int = 0) -> bool:
    """`==`: numbers by value, lists by their elements, maps and records only if the kinds inside agree too."""
    left, right = adopt(left), adopt(right)
    if is_number(left) and is_number(right):
        return _numbers_equal(left, right)
    if isinstance(left, list) and isinstance(right, list):
        if is_nil(left) and is_nil(right):
            return True
        if len(left) != len(right):
            return False
        if depth > _MOST_NESTED:
            raise Fault("the values are nested too deeply")
        budget.spend(8 * len(left) + 8)
        return all(equal(a, b, budget, depth + 1) for a, b in zip(left, right, strict=True))
    if isinstance(left, Time) and isinstance(right, Time):
        return left.same(right)
    if is_nil(left) and is_nil(right):
        return True
    return identical(left, right, budget, depth)


def _numbers_equal(left: object, right: object) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        return float(left) == float(right)  # type: ignore[arg-type]
    return left == right


def identical(left: object, right: object, budget: Budget, depth: int = 0) -> bool:
    """Go's reflect.DeepEqual: like `==`, but 1 and 1.0 differ, and so do a date and the same one elsewhere."""
    left, right = adopt(left), adopt(right)
    budget.spend(12)
    if depth > _MOST_NESTED:
        raise Fault("the values are nested too deeply")
    if isinstance(left, (list, dict, AnyMap, Record)):
        if type(left) is not type(right) and not (isinstance(left, list) and isinstance(right, list)):
            return False
        if isinstance(left, list) and isinstance(right, list):
            return (
                len(left) == len(right)
                and isinstance(left, NilList) == isinstance(right, NilList)
                and all(identical(a, b, budget, depth + 1) for a, b in zip(left, right, strict=True))
            )
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(
                identical(item, right[key], budget, depth + 1) for key, item in left.items()
            )
        if isinstance(left, AnyMap) and isinstance(right, AnyMap):
            return len(left) == len(right) and all(
                key in right and identical(item, right.get(key), budget, depth + 1) for key, item in left.items()
            )
        if isinstance(left, Record) and isinstance(right, Record):
            own, others = dict(left.fields), dict(right.fields)
            return (
                left.name == right.name
                and own.keys() == others.keys()
                and all(identical(item, others[name], budget, depth + 1) for name, item in own.items())
            )
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) >> 10)
        return left == right
    if isinstance(left, Function) or isinstance(right, Function):
        return False
    return type(left) is type(right) and left == right


def less(left: object, right: object, operator: str = "<") -> bool:
    """`left < right`. Raises `Fault` unless both are numbers, text, dates or durations."""
    if is_number(left) and is_number(right):
        if isinstance(left, float) or isinstance(right, float):
            return float(left) < float(right)  # type: ignore[arg-type]
        return left < right  # type: ignore[operator, no-any-return]
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if isinstance(left, Time) and isinstance(right, Time):
        return left.total() < right.total()
    if isinstance(left, Duration) and isinstance(right, Duration):
        return left.nanoseconds < right.nanoseconds
    raise _failed(operator, left, right)


def at_most(left: object, right: object, operator: str = "<=") -> bool:
    """`left <= right`, which for NaN is not the opposite of `right < left`."""
    if isinstance(left, float) and math.isnan(left) and is_number(right):
        return False
    if isinstance(right, float) and math.isnan(right) and is_number(left):
        return False
    return not less(right, left, operator)


def add(left: object, right: object, budget: Budget) -> object:
    """`left + right`: numbers, text, and dates or durations."""
    if is_number(left) and is_number(right):
        return wrap(left + right) if _whole(left, right) else float(left) + float(right)  # type: ignore[operator, arg-type]
    if isinstance(left, str) and isinstance(right, str):
        budget.reserve(len(left) + len(right))
        return left + right
    if isinstance(left, Duration):
        if isinstance(right, Duration):
            return Duration(wrap(left.nanoseconds + right.nanoseconds))
        if isinstance(right, Time):
            return right.plus(left.nanoseconds)
    if isinstance(left, Time) and isinstance(right, Duration):
        return left.plus(right.nanoseconds)
    raise _failed("+", left, right)


def subtract(left: object, right: object) -> object:
    """`left - right`: numbers, and dates or durations."""
    if is_number(left) and is_number(right):
        return wrap(left - right) if _whole(left, right) else float(left) - float(right)  # type: ignore[operator, arg-type]
    if isinstance(left, Time):
        if isinstance(right, Time):
            return left.minus(right)
        if isinstance(right, Duration):
            return left.plus(-right.nanoseconds)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrap(left.nanoseconds - right.nanoseconds))
    raise _failed("-", left, right)


def multiply(left: object, right: object) -> object:
    """`left * right`: numbers and durations; a duration times a float is a float of nanoseconds."""
    a = left.nanoseconds if isinstance(left, Duration) else left
    b = right.nanoseconds if isinstance(right, Duration) else right
    if not (is_number(a) and is_number(b)):
        raise _failed("*", left, right)
    if not _whole(a, b):
        return float(a) * float(b)  # type: ignore[arg-type]
    product = wrap(a * b)  # type: ignore[operator]
    return Duration(product) if isinstance(left, Duration) or isinstance(right, Duration) else product


def quotient(left: object, right: object) -> float:
    """`left / right`, always a float."""
    if not (is_number(left) and is_number(right)):
        raise _failed("/", left, right)
    return divide(float(left), float(right))  # type: ignore[arg-type]


def remainder(left: object, right: object) -> int:
    """`left % right` of whole numbers, with the sign of the left one."""
    if not (is_number(left) and is_number(right) and _whole(left, right)):
        raise _failed("%", left, right)
    if right == 0:
        raise Fault("division by zero")
    rest: int = abs(left) % abs(right)  # type: ignore[arg-type]
    return -rest if left < 0 else rest  # type: ignore[operator]


def raised(left: object, right: object) -> float:
    """`left ** right`, always a float."""
    if not (is_number(left) and is_number(right)):
        raise _failed("**", left, right)
    return power(float(left), float(right))  # type: ignore[arg-type]


def negate(value: object) -> object:
    """`-value`"""
    if not is_number(value):
        raise Fault(f"cannot evaluate -{kind_of(value)}")
    return -value if isinstance(value, float) else wrap(-value)  # type: ignore[operator]


def _whole(left: object, right: object) -> bool:
    return not isinstance(left, float) and not isinstance(right, float)


def as_index(value: object) -> int:
    """A number as an index: what follows the point is cut off. Raises `Fault`."""
    if not is_number(value):
        raise Fault(f"{kind_of(value)} cannot be an index")
    return to_int(value) if isinstance(value, float) else int(value)  # type: ignore[call-overload]


def span(first: object, last: object, budget: Budget) -> list[object]:
    """`first..last`, both included."""
    start, stop = as_index(first), as_index(last)
    length = max(wrap(stop - start + 1), 0)
    budget.grow(length)
    budget.spend(length >> 2)
    return list(range(start, start + length))


def as_bool(value: object) -> bool:
    """A condition. Nothing but true and false is one. Raises `Fault`."""
    if value is True or value is False:
        return value
    raise Fault(f"a condition must be true or false, not {kind_of(value)}")
