"""Functions for numbers."""

import math
from collections.abc import Callable
from typing import TypeVar

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.frame import Frame
from bot.expressions.numbers import parse_float, parse_int, round_half_away, to_int, wrap
from bot.expressions.operations import is_number, less, negate
from bot.expressions.times import Duration, Month, Weekday
from bot.expressions.values import kind_of

_MOST_NESTED = 200

T = TypeVar("T", int, float)


def _number(name: str, value: object) -> int | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise Fault(f"{name} takes a number, not {kind_of(value)}")


def _abs(frame: Frame, value: object) -> object:
    number = _number("abs", value)
    return negate(number) if number < 0 else number


def _rounding(name: str, rounded: Callable[[float], float]) -> Callable[..., object]:
    def rounding(frame: Frame, value: object) -> float:
        number = float(_number(name, value))
        return rounded(number) if math.isfinite(number) else number

    return rounding


def _signed(whole: Callable[[float], int]) -> Callable[[float], float]:
    # Go keeps the sign of zero: ceil(-0.5) is -0.
    return lambda number: math.copysign(float(whole(number)), number)


def _int(frame: Frame, value: object) -> int:
    match value:
        case str():
            return _parsed(parse_int, value, frame.budget)
        case Duration():
            return value.nanoseconds
        case Month() | Weekday():
            return value.number
        case float():
            return to_int(value)
        case int() if not isinstance(value, bool):
            return int(value)
    raise Fault(f"int cannot take {kind_of(value)}")


def _float(frame: Frame, value: object) -> float:
    if isinstance(value, str):
        return _parsed(parse_float, value, frame.budget)
    return float(_number("float", value))


def _parsed(parse: Callable[[str], T], text: str, budget: Budget) -> T:
    budget.read(text, each=4)
    try:
        return parse(text)
    except ValueError as error:
        raise Fault(str(error)) from None


def _scalars(name: str, values: tuple[object, ...], budget: Budget) -> list[object]:
    """The numbers (and durations) in lists within lists, from left to right."""
    found: list[object] = []
    waiting = [iter(values)]
    while waiting:
        for value in waiting[-1]:
            if isinstance(value, (list, bytes)):
                if len(waiting) > _MOST_NESTED:
                    raise Fault("the list is nested too deeply")
                budget.spend(4 * len(value) + 5)
                waiting.append(iter(value))
                break
            if not (is_number(value) or isinstance(value, (Duration, Month, Weekday))):
                raise Fault(f"{name} takes numbers, not {kind_of(value)}")
            found.append(value)
        else:
            waiting.pop()
    return found


def _extreme(name: str, exceeds: Callable[[object, object], bool]) -> Callable[..., object]:
    def extreme(frame: Frame, *values: object) -> object:
        if len(values) == 1 and not isinstance(values[0], (list, bytes)) and not is_number(values[0]):
            return values[0]
        found: object = None
        for number in _scalars(name, values, frame.budget):
            if found is None or exceeds(found, number):
                found = number
        return found

    return extreme


def _floats(name: str, frame: Frame, values: tuple[object, ...]) -> list[float]:
    numbers = _scalars(name, values, frame.budget)
    frame.budget.spend(4 * len(numbers))
    return [float(_int(frame, n) if isinstance(n, (Duration, Month, Weekday)) else _number(name, n)) for n in numbers]


def _mean(frame: Frame, *values: object) -> float:
    numbers = _floats("mean", frame, values)
    total = 0.0
    for number in numbers:  # one after the other, for sum() rounds differently in newer Pythons
        total += number
    return total / len(numbers) if numbers else 0.0


def _median(frame: Frame, *values: object) -> float:
    numbers = _floats("median", frame, values)
    frame.budget.spend(len(numbers) * len(numbers).bit_length() >> 1)
    # NaNs first, as Go sorts them.
    numbers.sort(key=lambda number: (not math.isnan(number), number if not math.isnan(number) else 0.0))
    if not numbers:
        return 0.0
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _bits(name: str, combine: Callable[[int, int], int]) -> Callable[..., object]:
    def bits(frame: Frame, left: object, right: object) -> int:
        return wrap(combine(_whole(name, left), _whole(name, right)))

    return bits


def _whole(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise Fault(f"{name} takes whole numbers, not {kind_of(value)}")


def _shift(count: int) -> int:
    if count < 0:
        raise Fault(f"cannot shift by {count} bits")
    return min(count, 64)


def _bit_not(frame: Frame, value: object) -> int:
    return ~_whole("bitnot", value)


NUMBERS: dict[str, Callable[..., object]] = {
    "abs": _abs,
    "ceil": _rounding("ceil", _signed(math.ceil)),
    "floor": _rounding("floor", _signed(math.floor)),
    "round": _rounding("round", round_half_away),
    "int": _int,
    "float": _float,
    "max": _extreme("max", less),
    "min": _extreme("min", lambda found, number: less(number, found, ">")),
    "mean": _mean,
    "median": _median,
    "bitand": _bits("bitand", lambda left, right: left & right),
    "bitor": _bits("bitor", lambda left, right: left | right),
    "bitxor": _bits("bitxor", lambda left, right: left ^ right),
    "bitnand": _bits("bitnand", lambda left, right: left & ~right),
    "bitshl": _bits("bitshl", lambda left, right: left << _shift(right)),
    "bitshr": _bits("bitshr", lambda left, right: left >> _shift(right)),
    "bitushr": _bits("bitushr", lambda left, right: (left % 2**64) >> _shift(right)),
    "bitnot": _bit_not,
}
