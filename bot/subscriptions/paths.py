"""Which changes count: the paths a Git subscription includes and excludes.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#git-subscription-path-filtering
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from bot.subscriptions import fields
from bot.subscriptions.tags import Search, regex


@dataclass(frozen=True, slots=True)
class PathRules:
    """A change counts if one path it touches matches `include` (or that is empty) and nothing of `exclude`."""

    include: tuple[Search, ...] = ()
    exclude: tuple[Search, ...] = ()
    folders: tuple[str, ...] = ()  # what `include` amounts to, when it is files and folders only

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "PathRules":
        included = fields.texts(config, "includePaths")
        plain = all(not pattern.startswith(("glob:", "regex:", "regexp:")) for pattern in included)
        try:
            return cls(
                include=tuple(map(path_pattern, included)),
                exclude=tuple(map(path_pattern, fields.texts(config, "excludePaths"))),
                folders=tuple(map(_clean, included)) if plain else (),
            )
        except ValueError as error:
            raise fields.mistake(config, str(error)) from error

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    def match(self, paths: Iterable[str]) -> bool:
        """Whether a change of these paths counts. A change of nothing never does."""
        return any(
            (not self.include or any(found(path) for found in self.include))
            and not any(found(path) for found in self.exclude)
            for path in paths
        )


def path_pattern(pattern: str) -> Search:
    """A pattern as a test of paths: `glob:…`, `regex:…`, else a file, or a folder with all below it.

    Raises ValueError for a pattern that can't be read.
    """
    kind, colon, rest = pattern.partition(":")
    if colon and kind in {"regex", "regexp"}:
        return regex(rest)
    if colon and kind == "glob":
        return regex(f"^(?:{glob_expression(rest)})$")
    base = _clean(pattern)
    return lambda path: base == "." or _clean(path) == base or _clean(path).startswith(f"{base}/")


def _clean(path: str) -> str:
    return posixpath.normpath(path.strip("/") or ".")


def glob_expression(pattern: str) -> str:
    """A glob as an RE2 expression. `*` and `?` stay within a folder, `**` spans folders, `[…]` and `{a,b}` choose.

    The dialect is doublestar's: https://github.com/bmatcuk/doublestar#patterns. Raises ValueError.
    """
    out, depth, position = "", 0, 0
    while position < len(pattern):
        letter, rest = pattern[position], pattern[position:]
        starts = position == 0 or pattern[position - 1] in "/{,"
        if starts and rest.startswith("**/"):
            out, position = out + "(?:[^/]+/)*", position + 3
        elif rest == "/**" or (depth and rest.startswith("/**") and rest[3:4] in {",", "}"}):
            out, position = out + "(?:/.*)?", position + 3
        elif starts and (rest == "**" or (depth and rest.startswith("**") and rest[2:3] in {",", "}"})):
            out, position = out + ".*", position + 2
        elif letter == "*":
            out, position = out + "[^/]*", position + 1
        elif letter == "?":
            out, position = out + "[^/]", position + 1
        elif letter == "[":
            chosen, length = _class(rest, pattern)
            out, position = out + chosen, position + length
        elif letter == "{":
            out, depth, position = out + "(?:", depth + 1, position + 1
        elif letter == "}" and depth:
            out, depth, position = out + ")", depth - 1, position + 1
        elif letter == "," and depth:
            out, position = out + "|", position + 1
        else:
            escaped = letter == "\\"
            if escaped and len(rest) < 2:
                raise ValueError(f"{pattern!r} is not a glob: it ends with a backslash")
            out, position = out + re2.escape(rest[1] if escaped else letter), position + 1 + escaped
    if depth:
        raise ValueError(f"{pattern!r} is not a glob: a {{ is not closed")
    return f"(?s:{out})"


def _class(rest: str, pattern: str) -> tuple[str, int]:
    """The `[…]` that `rest` begins with, as an expression, and its length."""
    negated = rest[1:2] in {"!", "^"}
    position = 1 + negated
    members = ""
    while rest[position : position + 1] != "]":
        escaped = rest[position : position + 1] == "\\"
        position += escaped
        member = rest[position : position + 1]
        if not member:
            break
        members += member if member == "-" and not escaped else re2.escape(member)
        position += 1
    if not members or position >= len(rest):
        raise ValueError(f"{pattern!r} is not a glob: a [ is not closed, or there is nothing in it")
    # A class never matches the / between folders.
    return (f"[^/{members}]" if negated else f"[{members}]"), position + 1
