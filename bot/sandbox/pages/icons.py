"""The few symbols the pages use, drawn as small SVG pictures that say their meaning to screen readers too."""

from __future__ import annotations

from enum import StrEnum

from bot.sandbox.pages.html import Html, fill


class Tone(StrEnum):
    """What a colour means."""

    GOOD = "good"
    BAD = "bad"
    WAIT = "wait"
    DONE = "done"
    QUIET = "quiet"


class Symbol(StrEnum):
    """The shapes."""

    CHECK = "check"
    CROSS = "cross"
    DOT = "dot"
    RING = "ring"
    DASH = "dash"
    ATTENTION = "attention"
    PULL = "pull"
    MERGE = "merge"
    COMMIT = "commit"
    FOLDER = "folder"
    FILE = "file"
    ISSUE = "issue"
    COMMENT = "comment"


_SHAPES: dict[Symbol, Html] = {
    Symbol.CHECK: Html('<path d="M3 8.6 6.4 12 13 4.6"/>'),
    Symbol.CROSS: Html('<path d="m4 4 8 8m0-8-8 8"/>'),
    Symbol.DOT: Html('<circle cx="8" cy="8" r="3.4" fill="currentColor"/>'),
    Symbol.RING: Html('<circle cx="8" cy="8" r="5"/>'),
    Symbol.DASH: Html('<path d="M4 8h8"/>'),
    Symbol.ATTENTION: Html('<path d="M8 3v6.2m0 3v.2"/>'),
    Symbol.PULL: Html(
        '<circle cx="4" cy="3.6" r="1.7"/><circle cx="4" cy="12.4" r="1.7"/><circle cx="12" cy="12.4" r="1.7"/>'
        '<path d="M4 5.3v5.4M12 10.7V6.4Q12 4 9.6 4H8m1.8-1.8L8 4l1.8 1.8"/>'
    ),
    Symbol.MERGE: Html(
        '<circle cx="4" cy="3.6" r="1.7"/><circle cx="4" cy="12.4" r="1.7"/><circle cx="12" cy="8.6" r="1.7"/>'
        '<path d="M4 5.3v5.4M4 5.3q.4 3.3 6.3 3.3"/>'
    ),
    Symbol.COMMIT: Html('<circle cx="8" cy="8" r="2.6"/><path d="M1.5 8h3.9m5.2 0h3.9"/>'),
    Symbol.FOLDER: Html('<path d="M2 12.6V3.8h4l1.4 1.8H14v7z" fill="currentColor" fill-opacity=".35"/>'),
    Symbol.FILE: Html('<path d="M4 2h5l3 3v9H4zM9 2v3h3"/>'),
    Symbol.COMMENT: Html('<path d="M2.5 3h11v7.6H7.4L4.6 13v-2.4H2.5z"/>'),
    Symbol.ISSUE: Html('<circle cx="8" cy="8" r="5.6"/><circle cx="8" cy="8" r="1.2" fill="currentColor"/>'),
}


def icon(symbol: Symbol, tone: Tone = Tone.QUIET, label: str = "") -> Html:
    """A symbol in a tone; `label` is what it means, and without one it is decoration."""
    meaning = fill('role="img" aria-label="{label}"', label=label) if label else Html('aria-hidden="true"')
    title = fill("<title>{label}</title>", label=label) if label else None
    return fill(
        '<svg class="icon {tone}" viewBox="0 0 16 16" {meaning}>{title}{shape}</svg>',
        tone=tone,
        meaning=meaning,
        title=title,
        shape=_SHAPES[symbol],
    )
