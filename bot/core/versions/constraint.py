"""Ranges of versions: the grammar and the meaning of Masterminds/semver's constraints.

https://github.com/Masterminds/semver#checking-version-constraints. The expressions run in RE2, so a long
constraint cannot hang.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import re2

from bot.core.versions.version import Version, VersionError

_OPERATORS = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^"
_OPERAND = (
    r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?"
    r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
    r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
)
_ONE = re2.compile(rf"^\s*({_OPERATORS})\s*({_OPERAND})\s*$")
_HYPHENS = re2.compile(rf"\s*({_OPERAND})\s+-\s+({_OPERAND})\s*")
_FIND = re2.compile(rf"({_OPERATORS})\s*({_OPERAND})")
_GROUP = re2.compile(rf"^(\s*({_OPERATORS})\s*({_OPERAND})\s*)((?:\s+|,\s*)({_OPERATORS})\s*({_OPERAND})\s*)*$")
_WILDCARDS = ("x", "X", "*", "", None)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One operator and its operand. `parts` counts the numbers that were given: `2.x` has one."""

    operator: str
    operand: Version
    parts: int

    def allows(self, version: Version) -> bool:
        return _MEANINGS[self.operator](version, self.operand, self.parts)


@dataclass(frozen=True, slots=True)
class _Group:
    """Comparisons that must all hold. One operand with a prerelease lets all prereleases be considered."""

    comparisons: tuple[_Comparison, ...]
    names_prerelease: bool

    def allows(self, version: Version, *, include_prerelease: bool) -> bool:
        if version.prerelease and not (include_prerelease or self.names_prerelease):
            return False
        return all(comparison.allows(version) for comparison in self.comparisons)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A range such as `^1.2`, `>=1.0 <2.0 || 3.x` or `1.2 - 1.4`.

    Raises `VersionError` for text that is no range; the empty text is none (leave the constraint out instead).
    """

    text: str
    _groups: tuple[_Group, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.text.isascii():
            raise VersionError(f"{self.text!r} is not a version range: it has characters no version can have")
        alternatives = _without_hyphens(self.text).split("||")
        object.__setattr__(self, "_groups", tuple(_group(self.text, part) for part in alternatives))

    def allows(self, version: Version | str, include_prerelease: bool = False) -> bool:
        """Whether the version is in the range.

        A prerelease is only when asked for, here or by an operand of the same group that has one itself.
        Text is read tolerantly and raises `VersionError` if it is no version.
        """
        candidate = Version.parse(version) if isinstance(version, str) else version
        return any(group.allows(candidate, include_prerelease=include_prerelease) for group in self._groups)

    def __str__(self) -> str:
        return self.text


def _without_hyphens(text: str) -> str:
    for found in _HYPHENS.finditer(text):
        text = text.replace(found.group(0), f">= {found.group(1)}, <= {found.group(11)} ", 1)
    return text


def _group(text: str, part: str) -> _Group:
    if _GROUP.search(part) is None:
        wrong = f": {part.strip()!r} is none" if part != text else ""
        raise VersionError(f"{text!r} is not a version range{wrong}; write for example ^1.2.0 or >=1.0 <2.0")
    comparisons = tuple(_comparison(text, found.group(0)) for found in _FIND.finditer(part))
    return _Group(comparisons, any(comparison.operand.prerelease for comparison in comparisons))


def _comparison(text: str, part: str) -> _Comparison:
    found: Any = _ONE.search(part)
    if found is None:
        raise VersionError(f"{text!r} is not a version range: {part!r} is not a comparison")
    numbers = [found.group(3), (found.group(4) or "")[1:], (found.group(5) or "")[1:]]
    given = next((index for index, number in enumerate(numbers) if number in _WILDCARDS), 3)
    operand = found.group(2)
    if given < 3:
        operand = ".".join([*numbers[:given], *["0"] * (3 - given)]) + (found.group(6) or "")
    try:
        return _Comparison(found.group(1), Version.parse(operand), given)
    except VersionError as error:
        raise VersionError(f"{text!r} is not a version range: {error}") from error


def _equal(version: Version, operand: Version, parts: int) -> bool:
    return version == operand if parts == 3 else _tilde(version, operand, parts)


def _not_equal(version: Version, operand: Version, parts: int) -> bool:
    if parts == 3:
        return version != operand
    if version.major != operand.major:
        return True
    if parts == 1:
        return False
    if version.minor != operand.minor:
        return True
    if parts == 2:
        return version.prerelease != operand.prerelease
    return version != operand  # `!=*` excludes 0.0.0 alone: so it is in the original


def _greater(version: Version, operand: Version, parts: int) -> bool:
    if parts == 3:
        return version > operand
    if version.major != operand.major:
        return version.major > operand.major
    if parts == 1:  # >11 means 12 or later
        return False
    if parts == 2:  # >11.1 means 11.2 or later
        return version.minor > operand.minor
    return version > operand


def _less_or_equal(version: Version, operand: Version, parts: int) -> bool:
    if parts == 3:
        return version <= operand
    if version.major > operand.major:
        return False
    return not (version.major == operand.major and version.minor > operand.minor and parts != 1)


def _tilde(version: Version, operand: Version, parts: int) -> bool:
    if version < operand:
        return False
    if parts in {0, 3} and (operand.major, operand.minor, operand.patch) == (0, 0, 0):
        return True  # ~0.0.0 is any version
    return version.major == operand.major and (version.minor == operand.minor or parts == 1)


def _caret(version: Version, operand: Version, parts: int) -> bool:
    if version < operand:
        return False
    if operand.major > 0 or parts == 1:
        return version.major == operand.major
    if version.major > 0:
        return False
    if operand.minor > 0 or parts == 2:
        return version.minor == operand.minor
    return version.minor == 0 and version.patch == operand.patch


_MEANINGS: dict[str, Callable[[Version, Version, int], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _not_equal,
    ">": _greater,
    "<": lambda version, operand, _: version < operand,
    ">=": lambda version, operand, _: version >= operand,
    "=>": lambda version, operand, _: version >= operand,
    "<=": _less_or_equal,
    "=<": _less_or_equal,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}
