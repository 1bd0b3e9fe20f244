"""Globs, as Kargo takes them for names and paths, by way of RE2: no glob can hang.

https://github.com/bmatcuk/doublestar#patterns
"""

from typing import Any

import re2

_LONGEST = 1000


class GlobError(ValueError):
    """Text that is no glob; says why."""


def compile_glob(pattern: str) -> Any:
    """A pattern whose `fullmatch` takes what the glob takes. Raises `GlobError`.

    `*` and `?` stay within one part of a path, `**` does not; `[a-z]` and `{a,b}` are alternatives.
    """
    if len(pattern) > _LONGEST:
        raise GlobError(f"the glob has {len(pattern)} characters; {_LONGEST} is the most")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_expression(pattern), options)
    except re2.error as error:
        raise GlobError(f"`{pattern[:60]}` is not a glob; check its brackets") from error


def _expression(pattern: str) -> str:
    parts: list[str] = []
    at = 0
    depth = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            stars = len(pattern[at - 1 :]) - len(pattern[at - 1 :].lstrip("*"))
            parts.append("[^/]*" if stars == 1 else ".*")
            at += stars - 1
            if stars > 1 and pattern[at : at + 1] == "/":  # `a/**/b` takes `a/b` too
                parts[-1] = "(?:.*/)?"
                at += 1
        elif character == "?":
            parts.append("[^/]")
        elif character == "[" and (end := pattern.find("]", at + 1)) > 0:
            inside = pattern[at:end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]")
            at = end + 1
        elif character == "{":
            depth += 1
            parts.append("(?:")
        elif character == "}" and depth:
            depth -= 1
            parts.append(")")
        elif character == "," and depth:
            parts.append("|")
        else:
            if character == "\\" and at < len(pattern):
                character = pattern[at]
                at += 1
            parts.append(re2.escape(character))
    return "".join(parts)
