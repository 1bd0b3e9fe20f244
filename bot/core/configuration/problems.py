"""Mistakes found in the configuration, collected whole and shown in the order of the files."""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice

from bot.core.configuration.places import Path, Place
from bot.core.model import Problem, Severity

MOST_PROBLEMS = 1000
_MOST_COMPARISONS = 4_000  # of names that are nearly alike; a file this wrong is not mended by spelling


class TooMany(Exception):
    """More mistakes than will be shown: looking further helps nobody."""


@dataclass(slots=True)
class Problems:
    """The list being made. The same mistake at the same place counts once. A mistake too many raises `TooMany`."""

    _found: dict[Problem, None] = field(default_factory=dict)
    _comparisons: int = 0
    has_errors: bool = False

    def error(self, place: Place, code: str, message: str, *, key: bool = False) -> None:
        """Note a mistake at a value, or with `key` at the key that leads to it."""
        self._add(place, code, message, Severity.ERROR, key)

    def warn(self, place: Place, code: str, message: str, *, key: bool = False) -> None:
        self._add(place, code, message, Severity.WARNING, key)

    def error_in_file(self, file: str, line: int, column: int, code: str, message: str) -> None:
        """Note a mistake in a text that could not be read as far as places."""
        self._keep(Problem(file, line, column, Severity.ERROR, code, message))

    def warn_in_file(self, file: str, line: int, column: int, code: str, message: str) -> None:
        self._keep(Problem(file, line, column, Severity.WARNING, code, message))

    def closest(self, name: str, known: Collection[str]) -> str:
        """`; did you mean …?` when some known name is near, else nothing."""
        self._comparisons += len(known)
        return suggestion(name, known) if self._comparisons <= _MOST_COMPARISONS else ""

    def in_order(self) -> tuple[Problem, ...]:
        found = sorted(self._found, key=lambda problem: (problem.file, problem.line, problem.column))
        if len(found) <= MOST_PROBLEMS:
            return tuple(found)
        last = found[MOST_PROBLEMS - 1]
        severity = Severity.ERROR if self.has_errors else Severity.WARNING
        rest = "there are more problems than this; mend these first"
        more = Problem(last.file, last.line, last.column, severity, "too-many-problems", rest)
        return (*found[: MOST_PROBLEMS - 1], more)

    def _add(self, place: Place, code: str, message: str, severity: Severity, key: bool) -> None:
        if severity is Severity.WARNING and len(self._found) > MOST_PROBLEMS:
            return
        line, column = place.position(key=key)
        self._keep(Problem(place.file, line, column, severity, code, message))

    def _keep(self, problem: Problem) -> None:
        self._found.setdefault(problem)
        self.has_errors = self.has_errors or problem.severity is Severity.ERROR
        if self.has_errors and len(self._found) > MOST_PROBLEMS:
            raise TooMany


def suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:64], [str(each) for each in known], n=1, cutoff=0.6)
    return f"; did you mean `{near[0]}`?" if near else ""


def names(known: Collection[str], most: int = 12) -> str:
    """A list of names for a message, cut where it gets long."""
    listed = ", ".join(f"`{name}`" for name in islice(known, most))
    return listed + (f" and {len(known) - most} more" if len(known) > most else "")


__all__ = ["MOST_PROBLEMS", "Path", "Problems", "TooMany", "names", "suggestion"]
