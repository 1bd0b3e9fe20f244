"""What a promotion changes, told in its pull request: the sum first, then resource by resource as far as there is room.

https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting
"""

import difflib
import html
import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.changes import Changes, FieldChange, How, Identity, ResourceChange
from bot.core.messages.markdown import block, code, details, table

_SIGN = {How.ADDED: "new", How.CHANGED: "changes", How.REMOVED: "**removed**"}
_MOST_ROWS = 60
_MOST_LINES = 60  # of one resource
_VALUE = 80  # characters of a value in the table
_LONGEST_LINE = 400
_QUOTED = re.compile(r"<!-- towpath:")  # the body holds one record, ours; others would spoil it
_CONTEXT = 1  # lines around a change within a text of several


def changes_section(changes: Changes, room: int) -> str:
    """The part of the body that tells of the changes, at most `room` characters long; "" where nothing fits."""
    summary = _summary(changes)
    if len(summary) > room:
        return ""
    parts = [summary]
    left = room - len(summary)
    rows = list(_rows(changes))
    shown = _fitting(rows, left // 2)
    if shown:
        parts.append(table(("", "what", "change"), shown))
        left -= len(parts[-1]) + 2
    if len(shown) < len(rows):
        more = f"{_count(len(rows) - len(shown), 'more change')}: see the files of this pull request."
        if len(more) + 2 <= left:
            parts.append(more)
            left -= len(more) + 2
    for one in _details(changes):
        if len(one) + 2 > left:
            break
        parts.append(one)
        left -= len(one) + 2
    return _QUOTED.sub(r"<!-- quoted", "\n\n".join(parts))  # never longer than it was


def _summary(changes: Changes) -> str:
    if not changes:
        return "**Nothing changes** in the files that this promotion writes, but for what the stage is told to hold."
    counts = [
        f"{number} {'resource' if number == 1 else 'resources'} {word}"
        for how, word in ((How.CHANGED, "changed"), (How.ADDED, "added"), (How.REMOVED, "removed"))
        if (number := sum(one.how is how for one in changes.resources))
    ]
    if changes.files:
        counts.append(_count(len(changes.files), "other file"))
    if changes.quiet:
        counts.append(f"{_count(changes.quiet, 'resource')} with nothing but new checksums and the like")
    return f"**What changes**: {', '.join(counts)}."


def _rows(changes: Changes) -> Iterator[tuple[str, str, str]]:
    for one in changes.resources:
        yield _SIGN[one.how], _name(one.identity), _first(one.fields, one.noise) if one.how is How.CHANGED else ""
    for file in changes.files:
        lines = f"+{file.added} -{file.removed} lines" if file.added or file.removed else ""
        yield _SIGN[file.how], code(file.path), _first(file.fields, 0) if file.fields else lines


def _fitting(rows: Sequence[tuple[str, str, str]], room: int) -> list[tuple[str, str, str]]:
    """As many rows as there is room for, and not more than anybody reads."""
    taken = 0
    fitting = []
    for row in rows[:_MOST_ROWS]:
        taken += len(table(row, ())) + 1
        if taken > room:
            break
        fitting.append(row)
    return fitting


def _first(fields: Sequence[FieldChange], noise: int) -> str:
    """The first field in full, for most promotions the only one, and how many there are besides."""
    first = fields[0]
    more = len(fields) - 1
    others = f", and {more} more" if more else ""
    quiet = f" (and {_count(noise, 'field')} such as checksums)" if noise else ""
    if "\n" in f"{first.before}{first.after}":
        return f"{code(first.path)}, a text of several lines{others}{quiet}"
    return f"{code(first.path)}: {_value(first.before)} → {_value(first.after)}{others}{quiet}"


def _value(value: str | None) -> str:
    if value is None:
        return "nothing"
    flat = " ".join(value.split())
    return code(flat if len(flat) <= _VALUE else f"{flat[: _VALUE // 2]}…{flat[-_VALUE // 2 :]}")


def _name(identity: Identity) -> str:
    where = f"{identity.namespace}/" if identity.namespace else ""
    return f"{code(identity.kind)} {code(where + identity.name)}"


def _details(changes: Changes) -> Iterator[str]:
    for one in changes.resources:
        if one.fields:
            yield _folded(_heading(one), _lines(one.fields, one.how))
    for file in changes.files:
        if file.fields:
            yield _folded(f"{file.path}: {_count(len(file.fields), 'field')}", _lines(file.fields, file.how))


def _heading(change: ResourceChange) -> str:
    one = change.identity
    where = f"{one.namespace}/" if one.namespace else ""
    told = "new" if change.how is How.ADDED else _count(len(change.fields), "field")
    return f"{one.kind} {where}{one.name}: {told}"


def _folded(heading: str, lines: Iterable[str]) -> str:
    shown = list(lines)
    if len(shown) > _MOST_LINES:
        shown = [*shown[:_MOST_LINES], f"  … {len(shown) - _MOST_LINES} lines more"]
    # Within HTML GitHub reads no Markdown, but still finds people and numbers to link.
    safe = html.escape(" ".join(heading.split())).replace("@", "@\u200b").replace("#", "#\u200b")
    return details(safe, block("\n".join(shown), "diff", limit=_MOST_LINES * _LONGEST_LINE))


def _lines(fields: Iterable[FieldChange], how: How) -> Iterator[str]:
    for one in fields:
        if one.before is not None and one.after is not None and "\n" in one.before + one.after:
            yield f"  {_line(one.path)}:"
            yield from (_line(line) for line in _within(one.before, one.after))
            continue
        for sign, value in (("-", one.before), ("+", one.after)):
            if value is not None:
                first, *rest = value.splitlines() or [""]
                yield _line(f"{sign} {one.path}: {first}")
                yield from (_line(f"{sign}     {line}") for line in rest)


def _within(before: str, after: str) -> Iterator[str]:
    """The lines of a longer text that differ."""
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_CONTEXT, lineterm="")
    for line in list(compared)[2:]:
        yield "  …" if line.startswith("@@") else f"{line[0]}     {line[1:]}"


def _line(text: str) -> str:
    one = "".join(character if character.isprintable() else " " for character in text[: _LONGEST_LINE + 1])
    return one if len(text) <= _LONGEST_LINE else f"{one[:_LONGEST_LINE]}…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
