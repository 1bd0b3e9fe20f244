"""Check runs as GitHub takes them: within its limits, and annotations in parts.

https://docs.github.com/en/rest/checks/runs
"""

from typing import Any

from bot.core.facts import Annotation, CheckRun
from bot.errors import Broken
from bot.github import texts

PART = 50  # annotations in one request
ACTIONS = 3
ACTION_LABEL = 20
ACTION_DESCRIPTION = 40
ACTION_IDENTIFIER = 20


def request(check: CheckRun) -> dict[str, Any]:
    """The body that creates or updates a check run, all but its annotations. Raises Broken for a bad button."""
    body: dict[str, Any] = {
        "name": check.name,
        "status": check.status.value,
        "external_id": check.external_id,
        "actions": [_action(*action) for action in check.actions[:ACTIONS]],
    }
    if check.conclusion is not None:
        body["conclusion"] = check.conclusion.value
    if check.details_url:
        body["details_url"] = check.details_url
    if check.started_at is not None:
        body["started_at"] = texts.moment(check.started_at)
    if check.completed_at is not None:
        body["completed_at"] = texts.moment(check.completed_at)
    if check.title or check.summary or check.text or check.annotations:
        body["output"] = output(check)
    return body


def output(check: CheckRun, first: int = 0) -> dict[str, Any]:
    """Title, texts, and the next part of the annotations from number `first` on."""
    part = check.annotations[first : first + PART]
    shown: dict[str, Any] = {
        "title": texts.line(check.title or check.name, texts.CHECK_TITLE_CHARACTERS),
        "summary": texts.by_bytes(check.summary, texts.CHECK_BYTES),
    }
    if check.text:
        shown["text"] = texts.by_bytes(check.text, texts.CHECK_BYTES)
    if part:
        shown["annotations"] = [_annotation(one) for one in part]
    return shown


def _annotation(one: Annotation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "path": one.path,
        "start_line": max(1, one.line),
        "end_line": max(1, one.line),
        "annotation_level": one.level,
        "message": texts.by_bytes(one.message, texts.ANNOTATION_BYTES),
    }
    if one.column > 0:
        body |= {"start_column": one.column, "end_column": one.column}
    if one.title:
        body["title"] = texts.line(one.title, texts.CHECK_TITLE_CHARACTERS)
    return body


def _action(label: str, description: str, identifier: str) -> dict[str, str]:
    if not 0 < len(identifier) <= ACTION_IDENTIFIER:
        raise Broken(f"button {label!r}: its identifier {identifier!r} has not 1 to {ACTION_IDENTIFIER} characters")
    return {
        "label": texts.line(label, ACTION_LABEL),
        "description": texts.line(description, ACTION_DESCRIPTION),
        "identifier": identifier,
    }
