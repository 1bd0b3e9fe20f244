"""The values of the language. Most are Python's own: None, bool, int, float, str, bytes, list, dict.

Nothing else gets in (`adopt`), so an expression never meets a Python object with attributes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from inspect import Signature as PythonSignature
from inspect import signature

from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.times import Duration, Month, Time, Weekday, Zone


@dataclass(frozen=True, slots=True)
class Record:
    """A thing with named fields, such as what `imageFrom` gives.

    `fields` are read as `record.Name`; a `Function` among them is a method. `keys` are the names in JSON (default:
    the same); fields without one, and empty ones (`omit_empty`), are left out there. `text` is what `string()`
    makes of it, if that is not the list of its fields.
    """

    name: str
    fields: Mapping[str, object]
    keys: Mapping[str, str] = field(default_factory=dict)
    omit_empty: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """Something an expression may call.

    `parameters` are kinds: any, string, int, float, bool, list, map or the name of a record; the last `optional`
    ones may be left out, and `variadic` repeats the last. A mistake in the arguments is a `ValueError` of `call`.

    `steps` is what one call takes of the evaluation's budget, beside what its arguments and its result take by their
    size. A function that is `metered` is given the budget as its first argument, to take from it as it goes on.
    """

    name: str
    call: Callable[..., object]
    parameters: tuple[str, ...] = ("any",)
    result: str = "any"
    optional: int = 0
    variadic: bool = False
    steps: int = 100
    metered: bool = False

    @classmethod
    def wrapping(cls, name: str, call: Callable[..., object]) -> "Function":
        """Any Python function; how many arguments it takes is read off it."""
        try:
            takes = signature(call)
        except ValueError:  # some functions written in C do not say
            return cls(name, call, variadic=True)
        positional = [
            one
            for one in takes.parameters.values()
            if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.VAR_POSITIONAL}
        ]
        variadic = any(one.kind is one.VAR_POSITIONAL for one in positional)
        optional = sum(one.default is not PythonSignature.empty for one in positional)
        return cls(name, call, ("any",) * len(positional), optional=optional, variadic=variadic)

    def run(self, budget: Budget, arguments: Sequence[object]) -> object:
        """Call it with values of the language. Raises `Fault`."""
        budget.spend(self.steps)
        most = None if self.variadic else len(self.parameters)
        least = len(self.parameters) - self.optional - (1 if self.variadic else 0)
        if len(arguments) < least or (most is not None and len(arguments) > most):
            wanted = f"{least}" if most == least else f"{least} to {most}" if most is not None else f"at least {least}"
            raise Fault(f"{self.name} takes {wanted} arguments, got {len(arguments)}")
        for index, argument in enumerate(arguments):
            wanted = self.parameters[min(index, len(self.parameters) - 1)]
            if not fits(argument, wanted):
                raise Fault(f"{self.name}: argument {index + 1} must be {wanted}, not {kind_of(argument)}")
        try:
            result = adopt(self.call(budget, *arguments) if self.metered else self.call(*arguments), self.name)
        except ValueError as error:
            raise Fault(f"{self.name}: {error}") from error
        return budget.text(result) if isinstance(result, str) else result


class NilList(list[object]):
    """An empty list that is nil as well, as Go has it."""


class FloatList(list[float]):
    """A list whose elements are known to be floats when an expression is checked against it."""


class Quoted(str):
    """Text in quotation marks that `quote` has put there: a template takes them off again."""

    __slots__ = ()


class Byte(int):
    """One byte of text: a number that `type()` tells apart."""


class AnyMap:
    """A map whose keys are of any kind: 1, 1.0 and true are three keys, where a dict has one."""

    __slots__ = ("_entries", "missing")

    def __init__(self, missing: object = None) -> None:
        self._entries: dict[tuple[type, object], tuple[object, object]] = {}
        self.missing = missing  # what a key gives that is not there

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return self._slot(key) in self._entries

    def get(self, key: object) -> object:
        """The value, or what a missing key gives."""
        found = self._entries.get(self._slot(key))
        return self.missing if found is None else found[1]

    def put(self, key: object, value: object) -> None:
        """Set a value. Raises `Fault` for a key that Go could not compare."""
        self._entries[self._slot(key)] = (key, value)

    def items(self) -> Iterator[tuple[object, object]]:
        """Keys and values, in the order in which they came."""
        return iter(self._entries.values())

    @staticmethod
    def _slot(key: object) -> tuple[type, object]:
        if isinstance(key, (list, dict, AnyMap, bytes, Record)):
            raise Fault(f"a key cannot be {kind_of(key)}")
        return (type(key), key)


_PLAIN = frozenset(
    (type(None), bool, int, float, str, bytes, list, dict, NilList, FloatList, Quoted, Byte, AnyMap, Record, Function)
) | frozenset((Time, Duration, Month, Weekday, Zone))


def adopt(value: object, name: str = "the environment") -> object:
    """A value as the language has it: tuples are lists, datetimes dates, Python functions `Function`s.

    Shallow: what is inside is adopted when it is reached. Raises `Fault` for anything that is not plain data.
    """
    if type(value) in _PLAIN:
        return value
    match value:
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case list() | tuple():
            return list(value)
        case Mapping():
            return dict(value)
        case datetime():
            return Time.of(value)
        case timedelta():
            return Duration.of(value)
        case type():
            raise Fault(f"{name} is of a kind that expressions do not have: {value.__name__}")
        case _ if callable(value):
            return Function.wrapping(name, value)
    raise Fault(f"{name} is of a kind that expressions do not have: {type(value).__name__}")


def is_nil(value: object) -> bool:
    """Whether Go would call the value nil."""
    return value is None or type(value) is NilList


def kind_of(value: object) -> str:
    """What the language calls the value's kind, for messages and `type()`."""
    known = _KINDS.get(type(value))
    return known if known is not None else value.name if isinstance(value, Record) else type(value).__name__


_KINDS = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    Byte: "uint",
    float: "float",
    str: "string",
    Quoted: "string",
    bytes: "array",
    list: "array",
    NilList: "array",
    FloatList: "array",
    dict: "map",
    AnyMap: "map",
    Function: "func",
    Time: "time.Time",
    Duration: "time.Duration",
    Month: "time.Month",
    Weekday: "time.Weekday",
    Zone: "unknown",
}


def fits(value: object, wanted: str) -> bool:
    """Whether a value can be an argument of the kind that a `Function` names."""
    if wanted == "any":
        return True
    types = _WANTED.get(wanted)
    if types is None:
        return isinstance(value, Record) and value.name == wanted
    if isinstance(value, bool):
        return wanted == "bool"
    return isinstance(value, types)


_WANTED: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "int64": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "map": (dict, AnyMap),
    "time.Time": (Time,),
    "time.Duration": (Duration,),
    "*time.Location": (Zone,),
}
