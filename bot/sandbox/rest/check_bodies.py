"""What an App may say in a check run, and how much of it.

https://docs.github.com/en/rest/checks/runs#create-a-check-run. The limit of text is in bytes, not characters:
https://github.com/github/docs/issues/35252
"""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox.model.checks import Annotation, CheckAction, CheckOutput
from bot.sandbox.rest.call import Body
from bot.sandbox.rest.errors import invalid, unprocessable

SETTABLE = ("queued", "in_progress", "completed")
# `stale` is GitHub's own word: https://docs.github.com/en/rest/checks/runs#update-a-check-run
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
MAX_TEXT, MAX_ANNOTATIONS, MAX_ACTIONS = 65_535, 50, 3
_LEVELS = ("notice", "warning", "failure")
_MAX_MESSAGE, _MAX_TITLE = 65_536, 255


def output(given: Body | None, before: CheckOutput) -> CheckOutput:
    """A run's output after an update: what is not said stays, annotations are added to those that are there."""
    if given is None:
        return before
    summary = given.required_text("summary")
    title, text = given.text("title", before.title), given.text("text", before.text)
    if title is None:
        raise unprocessable('Invalid request.\n\n"title" wasn\'t supplied.')
    for name, value in (("summary", summary), ("text", text or "")):
        if len(value.encode()) > MAX_TEXT:
            message = f"{name} exceeds a maximum bytesize of {MAX_TEXT}"
            raise invalid("CheckRun", name, "custom", message)
    rows = given.array("annotations", dict) or []
    _count(len(rows), MAX_ANNOTATIONS)
    return replace(
        before,
        title=title,
        summary=summary,
        text=text,
        annotations=(*before.annotations, *(_annotation(Body(row)) for row in rows)),
    )


def actions(body: Body) -> tuple[CheckAction, ...]:
    """The buttons a body asks for."""
    rows = [Body(row) for row in body.array("actions", dict) or []]
    _count(len(rows), MAX_ACTIONS)
    return tuple(
        CheckAction(_short(row, "label", 20), _short(row, "description", 40), _short(row, "identifier", 20))
        for row in rows
    )


def _annotation(row: Body) -> Annotation:
    level, message = row.required_text("annotation_level"), row.required_text("message")
    start, end = row.number("start_line"), row.number("end_line")
    first, last = row.number("start_column"), row.number("end_column")
    if start is None or end is None:
        raise unprocessable('Invalid request.\n\n"start_line" and "end_line" must be supplied.')
    if level not in _LEVELS:
        raise unprocessable(f"Invalid request.\n\nFor 'properties/annotation_level', {level} is not a level.")
    if end < start:
        raise invalid("CheckAnnotation", "end_line", "custom", "end_line must not be before start_line")
    if start != end and (first is not None or last is not None):
        raise invalid("CheckAnnotation", "start_column", "custom", "columns are only for annotations of one line")
    for name, limit in (("message", _MAX_MESSAGE), ("raw_details", _MAX_MESSAGE), ("title", _MAX_TITLE)):
        if len((row.text(name) or "").encode()) > limit:
            raise invalid("CheckAnnotation", name, "custom", f"{name} exceeds a maximum bytesize of {limit}")
    path, title, details = row.required_text("path"), row.text("title"), row.text("raw_details")
    return Annotation(path, start, end, level, message, title, details, first, last)


def _short(row: Body, name: str, limit: int) -> str:
    text = row.required_text(name)
    if len(text) > limit:
        raise unprocessable(f"Invalid request.\n\nOnly {limit} characters are allowed; {len(text)} were supplied.")
    return text


def _count(given: int, limit: int) -> None:
    if given > limit:
        raise unprocessable(f"Invalid request.\n\nNo more than {limit} items are allowed; {given} were supplied.")
