"""GitHub-flavoured Markdown made safe: what others wrote is shown, never obeyed.

https://docs.github.com/en/get-started/writing-on-github
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

_BACKTICKS = re.compile(r"`+")


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
    flat = " ".join(text.split())
    escaped = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", flat)
    return escaped.replace("@", "@\u200b").replace("#", "#\u200b")


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
