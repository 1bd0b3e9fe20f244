"""Kargo's choice among tags by version, and the size of a step between two versions."""

from collections.abc import Iterable

import re2

from bot.core.versions.constraint import Constraint
from bot.core.versions.version import Version, VersionError


def newest(
    tags: Iterable[str],
    constraint: Constraint | str | None = None,
    strict: bool = True,
    allow: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> list[str]:
    """The tags that are versions within the constraint, newest first.

    `allow` and `ignore` are RE2 expressions searched for anywhere in the tag: one of `allow` must be found (if
    there are any), none of `ignore`. Without a constraint (None or "") prereleases count as well. `strict` wants
    all three numbers, after one `v` at most. Versions of equal precedence stand by their text, descending.
    Raises `VersionError` for a constraint or expression that cannot be read.
    https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#image-selection-strategies
    """
    wanted = Constraint(constraint) if isinstance(constraint, str) and constraint else constraint or None
    allowed, ignored = _compiled(allow), _compiled(ignore)
    found: list[Version] = []
    for tag in tags:
        if not tag.isascii():  # no version is
            continue
        if any(pattern.search(tag) for pattern in ignored):
            continue
        if allowed and not any(pattern.search(tag) for pattern in allowed):
            continue
        version = _version_of_tag(tag, strict)
        if version is not None and (wanted is None or wanted.allows(version)):
            found.append(version)
    found.sort(key=lambda version: (version.precedence, version.original), reverse=True)
    return [version.original for version in found]


def _version_of_tag(tag: str, strict: bool) -> Version | None:
    try:
        if strict:
            Version.strict(tag.removeprefix("v"))
        return Version.parse(tag)
    except VersionError:
        return None


def _compiled(patterns: Iterable[str]) -> list["re2._Regexp[str]"]:
    options = re2.Options()
    options.log_errors = False
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re2.compile(pattern, options))
        except (re2.error, UnicodeEncodeError) as error:
            raise VersionError(f"{pattern!r} is not a regular expression: {_reason(error)}") from error
    return compiled


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def semver_diff(a: str, b: str) -> str:
    """The largest part in which two versions differ.

    One of Major, Minor, Patch, Prerelease, Metadata, None, or Incomparable if either is no version. Prereleases
    count here, where Kargo's function of the same name passes them over and says None for 1.0.0-rc.1 and 1.0.0.
    """
    try:
        first, second = Version.parse(a), Version.parse(b)
    except VersionError:
        return "Incomparable"
    for part in ("major", "minor", "patch", "prerelease", "metadata"):
        if getattr(first, part) != getattr(second, part):
            return part.capitalize()
    return "None"
