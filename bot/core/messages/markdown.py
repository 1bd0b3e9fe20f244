"""GitHub-flavoured Markdown made safe: what others wrote is shown, never obeyed.

https://docs.github.com/en/get-started/writing-on-github
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import cycle

COMMENT_LIMIT = 65_536  # characters; https://github.com/renovatebot/renovate/issues/2032
_CUT = "\n\n… cut here: GitHub takes no more."
_BACKTICKS = re.compile(r"`+")
_CODE_SPAN = re.compile(r"(`[^`]+`)")


def marker(kind: str, key: str) -> str:
    """A hidden line by which a comment of ours is found again."""
    return f"<!-- towpath:{kind} {re.sub(r'[^A-Za-z0-9_./:#-]', '-', key)} -->"


def code(text: str) -> str:
    """Text as inline code: no mention, no link, no formatting comes of it, and no line break either."""
    flat = " ".join(text.split())
    if not flat:
        return "` `"
    fence = "`" * (max((len(run) for run in _BACKTICKS.findall(flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def block(text: str, language: str = "", limit: int = 3000) -> str:
    """Text as a fenced block, cut in the middle when it is very long: both ends tell the most."""
    if len(text) > limit:
        text = f"{text[: limit // 3]}\n… {len(text) - limit} characters left out …\n{text[-2 * limit // 3 :]}"
    fence = "`" * max(3, max((len(run) for run in _BACKTICKS.findall(text)), default=0) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def plain(text: str) -> str:
    """Text inside a sentence or a table cell: characters that Markdown or GitHub would act on are defused."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    escaped = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", text)
    return escaped.replace("@", "@\u200b").replace("#", "#\u200b")


def prose(text: str) -> str:
    """A sentence of ours with words of others in it: code spans stay, all else is as `plain`."""
    parts = _CODE_SPAN.split(" ".join(text.split()))
    return "".join(part if is_code else _escaped(part) for part, is_code in zip(parts, cycle((False, True))))


def with_marker(text: str, mark: str) -> str:
    """A comment that is found again by its last line, which is kept however long the text is."""
    room = COMMENT_LIMIT - len(mark) - len(_CUT) - 2
    if len(text) > room:
        text = text[:room].rpartition("\n")[0] + _CUT
    return f"{text}\n\n{mark}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown already; a bar inside code would still end the cell, so it is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text.replace("\n", "<br>"))


def details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
