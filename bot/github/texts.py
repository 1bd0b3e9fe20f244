"""Texts within GitHub's limits: cut where they must be, in a way that people see and Markdown survives."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

# https://docs.github.com/en/rest/checks/runs: bytes, although the text says characters
# (https://github.com/github/docs/issues/35252)
CHECK_BYTES = 65_535
ANNOTATION_BYTES = 65_535
BODY_CHARACTERS = 65_536  # of pull requests, issues and comments
TITLE_CHARACTERS = 256
CHECK_TITLE_CHARACTERS = 255

NOTE = "\n\n… cut here: GitHub takes no more.\n"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def moment(when: datetime) -> str:
    """A time as GitHub writes it, in UTC and whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def line(text: str, limit: int) -> str:
    """One line of at most `limit` characters; a longer one ends in an ellipsis."""
    whole = " ".join(_encodable(text).split())
    return whole if len(whole) <= limit else f"{whole[: limit - 1].rstrip()}…"


def by_characters(text: str, limit: int) -> str:
    """Markdown of at most `limit` characters."""
    return _cut(text, limit, len)


def by_bytes(text: str, limit: int) -> str:
    """Markdown of at most `limit` bytes in UTF-8."""
    return _cut(text, limit, lambda part: len(part.encode()))


def _cut(text: str, limit: int, size: Callable[[str], int]) -> str:
    text = _encodable(text)
    if size(text) <= limit:
        return text
    room = limit
    while True:
        part = _prefix(text, room, size)
        newline = part.rfind("\n")
        if newline > len(part) // 2:  # whole lines read better, unless most of the text is one
            part = part[:newline]
        whole = f"{part}{_close_what_is_open(part)}{NOTE}"
        excess = size(whole) - limit
        if excess <= 0:
            return whole
        room -= excess
        if room <= 0:
            return _prefix(text, limit, size)


def _prefix(text: str, room: int, size: Callable[[str], int]) -> str:
    """The longest beginning of at most `room`, found by halving: a character may count for up to four."""
    low, high = 0, min(len(text), room)
    while low < high:
        middle = (low + high + 1) // 2
        if size(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def _close_what_is_open(part: str) -> str:
    """Ends for the code block, the HTML comment and the <details> that the cut left open.

    https://spec.commonmark.org/0.31.2/#fenced-code-blocks
    """
    fence = ""
    details = 0
    for row in part.splitlines():
        found = _FENCE.match(row)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
        else:
            details += row.count("<details") - row.count("</details>")
    comment = " -->" if part.rfind("<!--") > part.rfind("-->") else ""
    return comment + (f"\n{fence}" if fence else "") + "\n</details>" * max(0, details)


def _encodable(text: str) -> str:
    """Half of a surrogate pair has no UTF-8, and GitHub would refuse the whole text for it."""
    return text.encode("utf-8", "replace").decode()
