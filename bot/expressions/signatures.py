"""Which functions the language has (https://expr-lang.org/docs/language-definition), and how they may be called."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.expressions.natures import (
    ANY,
    ANY_MAP,
    ARRAY,
    DURATION,
    FLOAT,
    FLOATS,
    INT,
    INTS,
    LOCATION,
    STRING,
    STRINGS,
    TIME,
    UNTYPED,
    Kind,
    Nature,
    Signature,
    as_declared,
    element_of,
    function,
)
from bot.expressions.natures import BOOL as BOOLEAN


@dataclass(frozen=True, slots=True)
class Shape:
    """The least and the most arguments. The second one of a predicate function is its predicate."""

    least: int
    most: int


PREDICATES = {
    name: Shape(least, most)
    for names, least, most in (
        ("all none any one filter map find findIndex findLast findLastIndex groupBy", 2, 2),
        ("count sum", 1, 2),
        ("sortBy reduce", 2, 3),
    )
    for name in names.split()
}

# Given the natures of the arguments, the nature of the result; or a sentence saying what is wrong.
Rule = Callable[[tuple[Nature, ...]], Nature | str]


def _ways(*ways: tuple[tuple[Nature, ...], Nature]) -> Nature:
    return function(*(Signature(parameters, result) for parameters, result in ways))


_S, _I, _A = STRING, INT, ANY
_TEXT_TO_TEXT = _ways(((_S,), _S))
_TRIM_END = _ways(((_S, _S), _S), ((_S,), _S))
_SPLIT = _ways(((_S, _S), STRINGS), ((_S, _S, _I), STRINGS))
_TWO_BITS = _ways(((_I, _I), _I))
_FIND = _ways(((_S, _S), _I))
_TEST = _ways(((_S, _S), BOOLEAN))
_SORTABLE = (ARRAY, INTS, FLOATS, STRINGS)

DECLARED: dict[str, Nature] = {
    "type": _ways(((_A,), _S)),
    "string": _ways(((_A,), _S)),
    "trim": _ways(((_S,), _S), ((_S, _S), _S)),
    "trimPrefix": _TRIM_END,
    "trimSuffix": _TRIM_END,
    "upper": _TEXT_TO_TEXT,
    "lower": _TEXT_TO_TEXT,
    "split": _SPLIT,
    "splitAfter": _SPLIT,
    "replace": _ways(((_S, _S, _S, _I), _S), ((_S, _S, _S), _S)),
    "repeat": _ways(((_S, _I), _S)),
    "join": _ways(((STRINGS, _S), _S), ((ARRAY, _S), _S), ((ARRAY,), _S), ((STRINGS,), _S)),
    "indexOf": _FIND,
    "lastIndexOf": _FIND,
    "hasPrefix": _TEST,
    "hasSuffix": _TEST,
    "toJSON": _ways(((_A,), _S)),
    "fromJSON": _ways(((_S,), _A)),
    "toBase64": _TEXT_TO_TEXT,
    "fromBase64": _TEXT_TO_TEXT,
    "duration": _ways(((_S,), DURATION)),
    "timezone": _ways(((_S,), LOCATION)),
    "sort": _ways(*(((array, _S), ARRAY) for array in _SORTABLE), *(((array,), ARRAY) for array in _SORTABLE)),
    "bitand": _TWO_BITS,
    "bitor": _TWO_BITS,
    "bitxor": _TWO_BITS,
    "bitnand": _TWO_BITS,
    "bitshl": _TWO_BITS,
    "bitshr": _TWO_BITS,
    "bitushr": _TWO_BITS,
    "bitnot": _ways(((_I,), _I)),
}

_UNKNOWN = (Kind.UNTYPED, Kind.ANY)
_LISTS = (*_UNKNOWN, Kind.ARRAY, Kind.BYTES)
_MAPS = (*_UNKNOWN, Kind.MAP)
# Durations and months are whole numbers to Go's reflection: what can't take them says so when it is run.
_NUMBERS = (*_UNKNOWN, Kind.INT, Kind.FLOAT, Kind.DURATION, Kind.MONTH, Kind.WEEKDAY)


def _takes(name: str, kinds: tuple[Kind, ...], result: Callable[[Nature], Nature] | Nature) -> Rule:
    """A function of one argument."""

    def rule(arguments: tuple[Nature, ...]) -> Nature | str:
        if len(arguments) != 1:
            return f"{name} takes 1 argument, got {len(arguments)}"
        if arguments[0].kind not in kinds:
            return f"{name} cannot take {arguments[0]}"
        return result(arguments[0]) if callable(result) else result

    return rule


def _first_element(array: Nature) -> Nature:
    return ANY if array.unknown else element_of(as_declared(array))


def _aggregate(name: str) -> Rule:
    def rule(arguments: tuple[Nature, ...]) -> Nature | str:
        if not arguments:
            return f"{name} needs an argument"
        for argument in arguments:
            if argument.kind in _LISTS:
                return ANY
            if argument.kind not in _NUMBERS:
                return f"{name} cannot take {argument}"
        return arguments[0]

    return rule


def _concat(arguments: tuple[Nature, ...]) -> Nature | str:
    if not arguments:
        return "concat needs an argument"
    return next((f"concat cannot take {item}" for item in arguments if item.kind not in _LISTS), ARRAY)


def _take(arguments: tuple[Nature, ...]) -> Nature | str:
    if len(arguments) != 2:
        return f"take takes 2 arguments, got {len(arguments)}"
    if arguments[0].kind not in _LISTS:
        return f"take cannot take from {arguments[0]}"
    if arguments[1].kind not in _NUMBERS or arguments[1].kind is Kind.FLOAT:
        return f"take cannot take {arguments[1]} elements"
    return as_declared(arguments[0])


def _now(arguments: tuple[Nature, ...]) -> Nature | str:
    if not arguments or (len(arguments) == 1 and arguments[0].kind is Kind.LOCATION):
        return TIME
    return f"now takes a time zone or no argument, got {len(arguments)}"


def _date(arguments: tuple[Nature, ...]) -> Nature | str:
    rest = arguments[1:] if arguments and arguments[0].kind is Kind.LOCATION else arguments
    if not arguments or len(rest) > 3:
        return f"date takes 1 to 3 arguments, got {len(arguments)}"
    return TIME


RULES: dict[str, Rule] = {
    "len": _takes("len", (*_LISTS, Kind.MAP, Kind.STRING), INT),
    "abs": _takes("abs", _NUMBERS, as_declared),
    "ceil": _takes("ceil", _NUMBERS, FLOAT),
    "floor": _takes("floor", _NUMBERS, FLOAT),
    "round": _takes("round", _NUMBERS, FLOAT),
    "int": _takes("int", (*_NUMBERS, Kind.STRING), INT),
    "float": _takes("float", (*_NUMBERS, Kind.STRING), FLOAT),
    "max": _aggregate("max"),
    "min": _aggregate("min"),
    "mean": _aggregate("mean"),
    "median": _aggregate("median"),
    "now": _now,
    "date": _date,
    "first": _takes("first", _LISTS, _first_element),
    "last": _takes("last", _LISTS, _first_element),
    "take": _take,
    "keys": _takes("keys", _MAPS, ARRAY),
    "values": _takes("values", _MAPS, ARRAY),
    "toPairs": _takes("toPairs", _MAPS, ARRAY),
    "fromPairs": _takes("fromPairs", _LISTS, ANY_MAP),
    "reverse": _takes("reverse", _LISTS, ARRAY),
    "uniq": _takes("uniq", _LISTS, ARRAY),
    "concat": _concat,
    "flatten": _takes("flatten", _LISTS, ARRAY),
}

# `get` is checked where the environment is at hand.
BUILTINS = frozenset((*DECLARED, *RULES, "get"))

_PLAIN_FUNCTION = function(Signature((ANY,), ANY, variadic=True))


def builtin_as_value(name: str) -> Nature:
    """The nature of a function's name without parentheses, which has no value when it is run."""
    if name in DECLARED:
        return DECLARED[name]
    if name in PREDICATES:
        return Nature(Kind.FUNCTION, f"predicate {name}", signatures=(Signature((ANY,), UNTYPED, variadic=True),))
    return _PLAIN_FUNCTION
