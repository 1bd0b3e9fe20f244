"""What is known about a value before it is computed: its nature.

expr-lang compiles against Go types (https://expr-lang.org/docs/getting-started). `type` is the Go type's name and
decides what can be assigned; an array may know more about its elements than its type says.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """The sort of a nature. The first three say nothing about a type."""

    UNTYPED = auto()  # unknown: a name without a typed environment, or mixed possibilities
    ANY = auto()  # unknown, but declared so: an element of a map or list of anything
    NIL = auto()
    BOOL = auto()
    INT = auto()
    FLOAT = auto()
    STRING = auto()
    BYTES = auto()
    ARRAY = auto()
    MAP = auto()
    RECORD = auto()
    TIME = auto()
    DURATION = auto()
    MONTH = auto()
    WEEKDAY = auto()
    LOCATION = auto()
    FUNCTION = auto()


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function. The last parameter of a variadic one takes the rest."""

    parameters: tuple["Nature", ...]
    result: "Nature"
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Nature:
    """What is known. Compare with `assignable` and the like, not with `==`."""

    kind: Kind
    type: str = ""
    element: "Nature | None" = None  # of an array, when more is known than the type says
    fields: tuple[tuple[str, "Nature"], ...] = ()  # of a record
    signatures: tuple[Signature, ...] = ()  # of a function

    @property
    def unknown(self) -> bool:
        return self.kind is Kind.UNTYPED or self.kind is Kind.ANY

    @property
    def number(self) -> bool:
        return self.kind is Kind.INT or self.kind is Kind.FLOAT

    @property
    def listlike(self) -> bool:
        return self.kind is Kind.ARRAY or self.kind is Kind.BYTES

    def __str__(self) -> str:
        return _SPOKEN.get(self.kind, self.kind.name.lower())


_SPOKEN = {Kind.UNTYPED: "unknown", Kind.ANY: "unknown", Kind.TIME: "date", Kind.LOCATION: "time zone"}

UNTYPED = Nature(Kind.UNTYPED)
ANY = Nature(Kind.ANY, "any")
NIL = Nature(Kind.NIL)
BOOL = Nature(Kind.BOOL, "bool")
INT = Nature(Kind.INT, "int")
INT64 = Nature(Kind.INT, "int64")
FLOAT = Nature(Kind.FLOAT, "float64")
STRING = Nature(Kind.STRING, "string")
BYTES = Nature(Kind.BYTES, "[]uint8", INT)
ARRAY = Nature(Kind.ARRAY, "[]any")
STRINGS = Nature(Kind.ARRAY, "[]string", STRING)
FLOATS = Nature(Kind.ARRAY, "[]float64", FLOAT)
INTS = Nature(Kind.ARRAY, "[]int", INT)
MAP = Nature(Kind.MAP, "map[string]any")
ANY_MAP = Nature(Kind.MAP, "map[any]any")
GROUPS = Nature(Kind.MAP, "map[any][]any", ARRAY)
TIME = Nature(Kind.TIME, "time.Time")
DURATION = Nature(Kind.DURATION, "time.Duration")
MONTH = Nature(Kind.MONTH, "time.Month")
WEEKDAY = Nature(Kind.WEEKDAY, "time.Weekday")
LOCATION = Nature(Kind.LOCATION, "*time.Location")

_TYPED_ARRAYS = {nature.type: nature for nature in (STRINGS, FLOATS, INTS)}
# What Go can set to nil.
_NILLABLE = frozenset((Kind.ANY, Kind.ARRAY, Kind.BYTES, Kind.MAP, Kind.FUNCTION, Kind.LOCATION))
# Go's kinds that several natures share: a month is an int to `len`-like checks.
_SAME_KIND = {Kind.MONTH: Kind.INT, Kind.WEEKDAY: Kind.INT, Kind.BYTES: Kind.ARRAY}


def function(*signatures: Signature) -> Nature:
    """The nature of a function that can be called in these ways; the first one is its type."""
    first = signatures[0]
    rest = "..." if first.variadic else ""
    parameters = ", ".join(parameter.type for parameter in first.parameters)
    return Nature(Kind.FUNCTION, f"func({parameters}{rest}) {first.result.type}", signatures=signatures)


def array_of(element: Nature) -> Nature:
    """An array of Go's type []any of which more is known."""
    return Nature(Kind.ARRAY, "[]any", element)


def element_of(nature: Nature) -> Nature:
    """What an element of an array or a value of a map is."""
    if nature.kind is Kind.MAP or nature.listlike:
        return nature.element or ANY
    return UNTYPED


def as_declared(nature: Nature) -> Nature:
    """The nature without what is known beyond its type."""
    if nature.kind is Kind.UNTYPED:
        return ANY
    if nature.kind is Kind.ARRAY:
        return _TYPED_ARRAYS.get(nature.type, ARRAY)
    return nature


def same_kind(first: Nature, second: Nature) -> bool:
    """Whether Go's reflection would call them the same kind."""
    untyped = (Kind.UNTYPED, Kind.NIL)
    if first.kind in untyped or second.kind in untyped:
        return first.kind in untyped and second.kind in untyped
    return _SAME_KIND.get(first.kind, first.kind) is _SAME_KIND.get(second.kind, second.kind) and not (
        first.kind is Kind.INT and second.kind is Kind.INT and first.type != second.type
    )


def assignable(value: Nature, target: Nature) -> bool:
    """Whether Go assigns a value of the one type to a variable of the other."""
    if value.kind is Kind.NIL:
        return target.kind in _NILLABLE
    if value.kind is Kind.UNTYPED or target.kind in {Kind.UNTYPED, Kind.NIL}:
        return False
    return target.kind is Kind.ANY or value.type == target.type


def comparable(first: Nature, second: Nature) -> bool:
    """Whether `==` compiles."""
    return (
        first.unknown
        or second.unknown
        or first.kind is Kind.NIL
        or second.kind is Kind.NIL
        or (first.number and second.number)
        or (first.listlike and second.listlike)
        or assignable(first, second)
    )


def both(first: Nature, second: Nature, *kinds: Kind) -> bool:
    """Whether an operator for these kinds may turn out to work: one is unknown, the other unknown or of a kind."""
    if first.unknown:
        return second.unknown or second.kind in kinds
    return second.unknown and first.kind in kinds


def wider(first: Nature, second: Nature) -> Nature:
    """The nature of a sum of two numbers."""
    return FLOAT if Kind.FLOAT in (first.kind, second.kind) else INT
