"""One version: parsing, strict and tolerant, and its precedence."""

import re
from dataclasses import dataclass, replace
from functools import total_ordering
from typing import Self

_MAX_SEGMENT = 2**64 - 1
# The tolerant grammar of https://github.com/Masterminds/semver: `v`, minor and patch may be there or not,
# and leading zeros are taken.
_TOLERANT = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
# https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
_STRICT = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


class VersionError(ValueError):
    """Text that is not a version, or not a range of versions."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A semantic version.

    Comparing is by precedence (https://semver.org/#spec-item-11), so `1.0` equals `1.0.0+build`; `original`
    keeps the text it came from. The numbers fit in 64 bits without sign.
    """

    major: int
    minor: int
    patch: int
    prerelease: str = ""
    metadata: str = ""
    original: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a version tolerantly: `v1`, `1.2` and `01.2.3` are versions too.

        Raises `VersionError`.
        """
        return cls._read(_TOLERANT, text)

    @classmethod
    def strict(cls, text: str) -> Self:
        """Read a version that is complete and without `v`, as semver.org has it. Raises `VersionError`."""
        return cls._read(_STRICT, text)

    @classmethod
    def _read(cls, grammar: re.Pattern[str], text: str) -> Self:
        found = grammar.fullmatch(text)
        if found is None:
            raise VersionError(f"{text!r} is not a semantic version")
        prerelease = found[4] or ""
        if any(len(part) > 1 and part[0] == "0" and part.isdigit() for part in prerelease.split(".")):
            raise VersionError(f"{text!r} is not a semantic version: a number in its prerelease starts with 0")
        major, minor, patch = (_segment(text, found[group]) for group in (1, 2, 3))
        return cls(major, minor, patch, prerelease, found[5] or "", text)

    @property
    def precedence(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        """The key to sort by, lowest first. Metadata has no part in it."""
        return (self.major, self.minor, self.patch, not self.prerelease, _identifiers(self.prerelease))

    def next_major(self) -> "Version":
        """The version with the next major number, without prerelease and metadata."""
        return self._bumped(major=self.major + 1, minor=0, patch=0)

    def next_minor(self) -> "Version":
        """The version with the next minor number, without prerelease and metadata."""
        return self._bumped(minor=self.minor + 1, patch=0)

    def next_patch(self) -> "Version":
        """The next patch; for a prerelease that is the release it leads to."""
        return self._bumped(patch=self.patch if self.prerelease else self.patch + 1)

    def _bumped(self, **numbers: int) -> "Version":
        if max(numbers.values()) > _MAX_SEGMENT:
            raise VersionError(f"{self} has no next version: the number does not fit in 64 bits")
        bumped = replace(self, prerelease="", metadata="", original="", **numbers)
        return replace(bumped, original=("v" if self.original.startswith("v") else "") + str(bumped))

    def __str__(self) -> str:
        prerelease = f"-{self.prerelease}" if self.prerelease else ""
        metadata = f"+{self.metadata}" if self.metadata else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{metadata}"

    def __eq__(self, other: object) -> bool:
        return self.precedence == other.precedence if isinstance(other, Version) else NotImplemented

    def __lt__(self, other: "Version") -> bool:
        return self.precedence < other.precedence

    def __hash__(self) -> int:
        return hash(self.precedence)


def _segment(text: str, digits: str | None) -> int:
    significant = (digits or "0").lstrip("0") or "0"
    # Measured before it is converted: converting a very long number is slow.
    if len(significant) > 20 or int(significant) > _MAX_SEGMENT:
        raise VersionError(f"{text!r} is not a semantic version: a number in it does not fit in 64 bits")
    return int(significant)


def _identifiers(prerelease: str) -> tuple[tuple[bool, int, str], ...]:
    """Prerelease identifiers so that tuples compare as semver.org says: numbers first, fewer before more."""
    return tuple(_identifier(part) for part in prerelease.split(".")) if prerelease else ()


def _identifier(part: str) -> tuple[bool, int, str]:
    # A number too large for 64 bits counts as text, as it does in the original.
    if part.isdigit() and len(part) <= 20 and int(part) <= _MAX_SEGMENT:
        return (False, int(part), "")
    return (True, 0, part)
