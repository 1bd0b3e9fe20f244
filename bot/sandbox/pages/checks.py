"""What is said about a commit: its newest check runs and statuses, in one symbol, and at length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bot.sandbox.model.checks import Annotation, CheckRun
from bot.sandbox.pages.badges import age, duration
from bot.sandbox.pages.frame import form, plural, written
from bot.sandbox.pages.html import Html, fill
from bot.sandbox.pages.icons import Symbol, Tone, icon
from bot.sandbox.pages.visit import Visit
from bot.sandbox.rules import latest_runs, latest_statuses

_LOOKS = {
    "success": (Symbol.CHECK, Tone.GOOD, "successful"),
    "failure": (Symbol.CROSS, Tone.BAD, "failed"),
    "error": (Symbol.CROSS, Tone.BAD, "failed with an error"),
    "timed_out": (Symbol.CROSS, Tone.BAD, "timed out"),
    "startup_failure": (Symbol.CROSS, Tone.BAD, "failed to start"),
    "action_required": (Symbol.ATTENTION, Tone.BAD, "action required"),
    "cancelled": (Symbol.DASH, Tone.QUIET, "cancelled"),
    "stale": (Symbol.DASH, Tone.QUIET, "stale"),
    "neutral": (Symbol.DASH, Tone.QUIET, "neutral"),
    "skipped": (Symbol.DASH, Tone.QUIET, "skipped"),
    "expected": (Symbol.RING, Tone.WAIT, "expected, waiting to be reported"),
    "in_progress": (Symbol.DOT, Tone.WAIT, "in progress"),
}
RERUN = "/repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest"
_WAITING = (Symbol.RING, Tone.WAIT, "waiting")
_LEVELS = {"failure": "bad", "warning": "wait"}


@dataclass(frozen=True, slots=True)
class Line:
    """One check, whoever reported it in which way: `outcome` is its conclusion, else its status."""

    name: str
    outcome: str
    title: str
    inside: Html | None = None
    number: int | None = None

    @property
    def look(self) -> tuple[Symbol, Tone, str]:
        """Symbol, tone and word."""
        return _LOOKS.get(self.outcome, _WAITING)


def lines(here: Visit, sha: str, required: Sequence[str] = ()) -> list[Line]:
    """All checks of a commit by name; a required one that nobody has reported is among them."""
    world, repo = here.world, here.repo
    found = [_of_run(here, run) for run in latest_runs(world, repo, sha)]
    found += [
        Line(row.context, row.state, row.description or "", _details(row.target_url))
        for row in latest_statuses(world, repo, sha)
    ]
    reported = {line.name for line in found}
    found += [Line(name, "expected", "") for name in required if name not in reported]
    return sorted(found, key=lambda line: line.name)


def required_checks(here: Visit, branch: str) -> list[str]:
    """The checks that protection of `branch` demands."""
    rules = here.world.protection(here.repo, branch)
    return [row.context for row in rules.checks or ()] if rules else []


def overall(found: Sequence[Line]) -> tuple[Symbol, Tone, str] | None:
    """All checks in one symbol: the worst; None if there are none."""
    if not found:
        return None
    tones = [line.look[1] for line in found]
    for tone, symbol, word in (
        (Tone.BAD, Symbol.CROSS, "failed"),
        (Tone.WAIT, Symbol.DOT, "not finished"),
        (Tone.GOOD, Symbol.CHECK, "successful"),
    ):
        if count := tones.count(tone):
            some = "" if count == len(found) else f"{count} of "
            return symbol, tone, f"{some}{plural(len(found), 'check')} {word}"
    return Symbol.DASH, Tone.QUIET, f"{plural(len(found), 'check')}, none of which says yes or no"


def summary_icon(here: Visit, sha: str) -> Html | None:
    """The one symbol, leading to the commit's page."""
    look = overall(lines(here, sha))
    if look is None:
        return None
    symbol, tone, label = look
    return fill(
        '<a href="{base}/commit/{sha}#checks" title="{label}">{icon}</a>',
        base=here.base,
        sha=sha,
        label=label,
        icon=icon(symbol, tone, label),
    )


def box(here: Visit, found: Sequence[Line], required: Sequence[str] = ()) -> Html:
    """All checks, each to be opened for what it has to say."""
    look = overall(found)
    if look is None:
        return Html('<div class="box"><div class="empty">Nobody has reported a check.</div></div>')
    symbol, tone, label = look
    return fill(
        '<div class="box"><div class="head">{icon} <strong>{label}</strong></div>{lines}</div>',
        icon=icon(symbol, tone),
        label=label,
        lines=[_line(line, needed=line.name in required) for line in found],
    )


def _line(line: Line, *, needed: bool) -> Html:
    symbol, tone, label = line.look
    head = fill(
        '{icon} <span class="grow"><strong>{name}</strong> <span class="muted">{title}</span></span>{needed}',
        icon=icon(symbol, tone, label),
        name=line.name,
        title=line.title or label,
        needed=Html(' <span class="tag">Required</span>') if needed else None,
    )
    anchor = fill(' id="check-{number}"', number=line.number) if line.number else None
    if line.inside is None:
        return fill('<div class="item"{anchor}>{head}</div>', anchor=anchor, head=head)
    opened = Html(" open") if tone is Tone.BAD else None
    return fill(
        '<details class="check"{anchor}{opened}><summary>{head}<span class="more" aria-hidden="true"></span></summary>'
        '<div class="inside">{inside}</div></details>',
        anchor=anchor,
        opened=opened,
        head=head,
        inside=line.inside,
    )


def _of_run(here: Visit, run: CheckRun) -> Line:
    output, app = run.output, here.world.apps[run.app_id]
    took = None
    if run.completed_at and run.started_at:
        took = f", took {duration((run.completed_at - run.started_at).total_seconds())}"
    moment = run.completed_at or run.started_at
    inside = fill(
        '<p class="muted small">{app}{when}{took} {details}</p>{summary}{text}{annotations}{buttons}',
        app=fill('<a href="/apps/{slug}">{name}</a>', slug=app.slug, name=app.name),
        when=fill(", {age}", age=age(here.world, moment)) if moment else None,
        took=took,
        details=_details(run.details_url),
        summary=written(here, output.summary) if output.summary else None,
        text=written(here, output.text) if output.text else None,
        annotations=[_annotation(here, run.head_sha, row) for row in output.annotations],
        buttons=_buttons(here, run),
    )
    return Line(run.name, run.conclusion or run.status, output.title or "", inside, run.id)


def _buttons(here: Visit, run: CheckRun) -> Html | None:
    """What the App offers to do, and doing it all again for those who may ask for that."""
    found = [
        fill(
            '<button name="action" value="{key}" title="{about}">{word}</button>',
            key=row.identifier,
            about=row.description,
            word=row.label,
        )
        for row in run.actions
    ]
    if run.conclusion and here.may("POST", RERUN):
        found.append(Html('<button name="action" value="">Run again</button>'))
    if not found or here.account is None:
        return None
    buttons = fill(
        '<input type="hidden" name="back" value="{back}"><div class="buttons">{found}</div>',
        back=here.request.path,
        found=found,
    )
    return form(here, f"{here.base}/runs/{run.id}/press", buttons)


def _details(url: str | None) -> Html | None:
    """A link to what others say more; only to the web, since what others say may be `javascript:`."""
    if not url or not url.startswith(("http://", "https://")):
        return None
    return fill('<a href="{url}" rel="noreferrer">Details</a>', url=url)


def _annotation(here: Visit, sha: str, row: Annotation) -> Html:
    where = f"{row.path}:{row.start_line}"
    if row.end_line != row.start_line:
        where += f"-{row.end_line}"
    return fill(
        '<div class="note {level}"><div class="small">'
        '<a class="mono" href="{base}/blob/{sha}/{path}#L{line}">{where}</a> <span class="tag">{word}</span></div>'
        "{title}<div>{message}</div>{raw}</div>",
        level=_LEVELS.get(row.level, "quiet"),
        base=here.base,
        sha=sha,
        path=quote(row.path),
        line=row.start_line,
        where=where,
        word=row.level,
        title=fill("<strong>{title}</strong>", title=row.title) if row.title else None,
        message=row.message,
        raw=fill("<pre>{raw}</pre>", raw=row.raw_details) if row.raw_details else None,
    )
