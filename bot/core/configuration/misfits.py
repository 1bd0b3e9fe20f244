"""How a value fails to fit a schema, and one fitting under way."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.configuration.formats import Placeholders
from bot.core.configuration.places import Path
from bot.core.configuration.scalars import as_text

Schema = Mapping[str, Any]
Closest = Callable[[str, Collection[str]], str]  # "; did you mean `…`?", or nothing

_MOST_MISFITS = 1001  # one more than are shown

KINDS: dict[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
WANTED = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
}


class Full(Exception):
    """There are more misfits than anybody will be shown."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """One way a value does not fit. `at_key`: it is the key that is wrong (or stands for what is missing)."""

    path: Path
    code: str
    message: str
    at_key: bool = False


class Run:
    """One fitting under way."""

    __slots__ = ("closest", "judges", "misfits", "path", "placeholders")

    def __init__(self, placeholders: Placeholders | None, closest: Closest) -> None:
        self.closest = closest
        self.judges = True  # whether expressions are compiled
        self.path: list[str | int] = []
        self.misfits: list[Misfit] = []
        self.placeholders = placeholders

    def complain(self, code: str, message: str, *, at_key: bool = False) -> None:
        if len(self.misfits) < _MOST_MISFITS:
            self.misfits.append(Misfit(tuple(self.path), code, message, at_key))
        elif self.judges:
            raise Full

    def attempt(self) -> "Run":
        """A run to try something with, whose misfits may not count. It leaves expressions alone."""
        trial = Run(self.placeholders, _no_suggestion)
        trial.judges = False
        trial.path = self.path
        return trial

    @property
    def field(self) -> str:
        named = [step for step in self.path if isinstance(step, str)]
        return f"`{named[-1]}`" if named else "this"


def _no_suggestion(name: str, known: Collection[str]) -> str:
    return ""


Check = Callable[[Any, Run], Any]


def types_of(schema: Any) -> Sequence[str]:
    types = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    return (types,) if isinstance(types, str) else tuple(types)


def required_by(schema: Any) -> tuple[str, ...]:
    return tuple(schema.get("required", ())) if isinstance(schema, Mapping) else ()


def shown(value: Any) -> str:
    if isinstance(value, str):
        line = " ".join(value.split())
        return f"`{line[:57]}...`" if len(line) > 60 else f"`{line}`" if line else "an empty text"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else as_text(value)
