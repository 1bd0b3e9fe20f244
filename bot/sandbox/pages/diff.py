"""What changed, file by file, with line numbers; long files are folded, endless ones cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from bot.sandbox.git.diffs import FileChange
from bot.sandbox.pages.frame import plural
from bot.sandbox.pages.html import Html, fill

FOLDED_ABOVE, CUT_ABOVE, MAX_FILES = 400, 3_000, 300
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_LETTERS = {"added": "new", "removed": "deleted", "renamed": "renamed", "copied": "copied", "changed": "kind changed"}


def render(changes: Sequence[FileChange], base: str, sha: str) -> Html:
    """All changed files; `base` is the repository's path, `sha` the commit after the change."""
    if not changes:
        return Html('<div class="box"><div class="empty">Nothing changed.</div></div>')
    left = len(changes) - MAX_FILES
    return fill(
        '<p class="muted">{files} changed, {counts}</p>{shown}{left}',
        files=plural(len(changes), "file"),
        counts=_counts(sum(change.additions for change in changes), sum(change.deletions for change in changes)),
        shown=[_file(change, base, sha) for change in changes[:MAX_FILES]],
        left=fill('<p class="muted">{left} not shown.</p>', left=plural(left, "more file")) if left > 0 else None,
    )


def _file(change: FileChange, base: str, sha: str) -> Html:
    patch = (change.patch or "").split("\n") if change.patch else []
    kind = _LETTERS.get(change.status)
    name = f"{change.previous} → {change.path}" if change.previous else change.path
    return fill(
        '<details class="box file"{opened}><summary class="head"><strong class="mono">{name}</strong>{kind}'
        '<span class="push small">{counts}{view}</span></summary>{body}</details>',
        opened=Html(" open") if len(patch) <= FOLDED_ABOVE else None,
        name=name,
        kind=fill(' <span class="tag">{kind}</span>', kind=kind) if kind else None,
        counts=_counts(change.additions, change.deletions),
        view=None
        if change.status == "removed"
        else fill(' · <a href="{base}/blob/{sha}/{path}">View file</a>', base=base, sha=sha, path=quote(change.path)),
        body=_body(patch) if patch else Html('<div class="pad muted">No text to compare.</div>'),
    )


def _counts(plus: int, minus: int) -> Html:
    return fill('<span class="plusses">+{plus}</span> <span class="minuses">-{minus}</span>', plus=plus, minus=minus)


def _body(patch: Sequence[str]) -> Html:
    left = len(patch) - CUT_ABOVE
    return fill(
        '<table class="lines"><tbody>{rows}</tbody></table>{left}',
        rows=list(_rows(patch[:CUT_ABOVE])),
        left=fill('<div class="pad muted">{left} not shown.</div>', left=plural(left, "more line"))
        if left > 0
        else None,
    )


def _rows(patch: Sequence[str]) -> Iterator[Html]:
    old = new = 0
    for line in patch:
        sign, text = line[:1], line[1:]
        if found := _HUNK.match(line):
            old, new = int(found[1]), int(found[2])
            yield fill('<tr class="hunk"><td colspan="3">{line}</td></tr>', line=line)
        elif sign == "+":
            yield _row("plus", None, new, "+", text)
            new += 1
        elif sign == "-":
            yield _row("minus", old, None, "-", text)
            old += 1
        elif sign == "\\":
            yield fill('<tr class="hunk"><td colspan="3">{line}</td></tr>', line=text.strip())
        else:
            yield _row("same", old, new, " ", text)
            old, new = old + 1, new + 1


def _row(kind: str, old: int | None, new: int | None, sign: str, text: str) -> Html:
    return fill(
        '<tr class="{kind}"><td class="no" data-n="{old}"></td><td class="no" data-n="{new}"></td>'
        '<td class="text" data-sign="{sign}">{text}</td></tr>',
        kind=kind,
        old=old,
        new=new,
        sign=sign,
        text=text,
    )
