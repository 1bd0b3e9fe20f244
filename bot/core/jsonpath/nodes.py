"""What a JSONPath template consists of."""

from dataclasses import dataclass


class JsonPathError(ValueError):
    """A template that can't be read, or that doesn't fit the data."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text between actions, or a quoted string, number or boolean inside one."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Field:
    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:stop:step]`. `single`: it was `[start]`."""

    start: int | None
    stop: int | None
    step: int | None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """`[0,2]` or `['a','b']`: what each part finds, one after the other."""

    parts: tuple["Steps", ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(left operator right)]`; without an operator, what `left` finds anything in."""

    left: "Steps"
    operator: str = ""
    right: "Steps" = ()


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*`"""


@dataclass(frozen=True, slots=True)
class Recursive:
    """`..`"""


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: `range` and `end` mean something."""

    name: str


Step = Literal | Field | Slice | Union | Filter | Wildcard | Recursive | Word
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text and actions (`{…}`), in order."""

    parts: tuple[Literal | Steps, ...]
