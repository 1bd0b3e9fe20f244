"""What is known about the values at hand, for checking an expression against them."""

from collections.abc import Mapping

from bot.expressions.natures import (
    ANY,
    ANY_MAP,
    ARRAY,
    BOOL,
    BYTES,
    DURATION,
    FLOAT,
    FLOATS,
    INT,
    INT64,
    LOCATION,
    MAP,
    MONTH,
    NIL,
    STRING,
    TIME,
    WEEKDAY,
    Kind,
    Nature,
    Signature,
    function,
)
from bot.expressions.times import Duration, Month, Time, Weekday, Zone
from bot.expressions.values import AnyMap, Byte, FloatList, Function, NilList, Quoted, Record, adopt

_BY_TYPE: dict[type, Nature] = {
    type(None): NIL,
    bool: BOOL,
    int: INT,
    Byte: INT,
    float: FLOAT,
    str: STRING,
    Quoted: STRING,
    bytes: BYTES,
    list: ARRAY,
    NilList: ARRAY,
    FloatList: FLOATS,
    dict: MAP,
    AnyMap: ANY_MAP,
    Time: TIME,
    Duration: DURATION,
    Month: MONTH,
    Weekday: WEEKDAY,
    Zone: LOCATION,
}
_DECLARED = {
    "any": ANY,
    "string": STRING,
    "int": INT,
    "int64": INT64,
    "float": FLOAT,
    "bool": BOOL,
    "list": ARRAY,
    "map": MAP,
}


def nature_of(value: object) -> Nature:
    """The nature of a value. What is in a list or map may be anything; a record's fields are known."""
    value = adopt(value)
    if isinstance(value, Function):
        parameters = tuple(_declared(kind) for kind in value.parameters)
        result = _declared(value.result)
        shorter = range(len(parameters) - value.optional, len(parameters))
        return function(
            Signature(parameters, result, value.variadic),
            *(Signature(parameters[:count], result) for count in shorter),
        )
    if isinstance(value, Record):
        fields = tuple((name, nature_of(item)) for name, item in value.fields.items())
        return Nature(Kind.RECORD, value.name, fields=fields)
    return _BY_TYPE[type(value)]


def _declared(kind: str) -> Nature:
    return _DECLARED.get(kind) or Nature(Kind.RECORD, kind)


def natures_of(environment: Mapping[str, object]) -> dict[str, Nature]:
    """The natures of all names. Raises `Fault` for a value that is no plain data."""
    return {name: nature_of(adopt(value, name)) for name, value in environment.items()}
