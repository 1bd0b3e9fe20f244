"""Labels of a repository.

https://docs.github.com/en/rest/issues/labels
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.sandbox.access import reads, writes
from bot.sandbox.model.issues import Label
from bot.sandbox.payloads.issues import label
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import invalid, not_found, unprocessable

DEFAULT_COLOR = "ededed"
# https://github.com/github/docs/issues/32156 and GitHub's description of the endpoint
_MAX_NAME, _MAX_DESCRIPTION = 50, 100
_COLOR = re.compile(r"[0-9a-fA-F]{6}")


def find(call: Call, name: str) -> Label | None:
    """The repository's label with this name, whatever its case."""
    rows = call.world.labels.of(call.repo.id)
    return next((row for row in rows if row.name.lower() == name.lower()), None)


def named(call: Call, names: Iterable[str]) -> list[int]:
    """The ids of labels by name; one that the repository lacks is made, in GitHub's grey."""
    return [(find(call, name) or _made(call, name, DEFAULT_COLOR, None)).id for name in names]


def names_in(body: Body) -> list[str] | None:
    """The names in `labels`, given as strings or as objects with a `name`; None if the field is absent."""
    rows = body.array("labels", object)
    if rows is None:
        return None
    names = [row.get("name") if isinstance(row, dict) else row for row in rows]
    if not all(isinstance(name, str) for name in names):
        raise unprocessable("Invalid request.\n\nFor 'properties/labels', not every item names a label.")
    return [str(name) for name in names]


async def list_labels(call: Call) -> Reply:
    """GET /labels"""
    page = call.page(call.world.labels.of(call.repo.id))
    return page.reply([label(call.world, call.repo, row) for row in page.items])


async def create_label(call: Call) -> Reply:
    """POST /labels"""
    body = call.body
    color = body.text("color") or DEFAULT_COLOR
    row = _made(call, body.required_text("name"), color, body.text("description"))
    made = label(call.world, call.repo, row)
    return Reply(made, 201, {"Location": made["url"]})


async def get_label(call: Call) -> Reply:
    """GET /labels/{name}"""
    return Reply(label(call.world, call.repo, _label(call)))


async def update_label(call: Call) -> Reply:
    """PATCH /labels/{name}: `new_name`, `color`, `description`."""
    row, body, world = _label(call), call.body, call.world
    edited = replace(
        row,
        name=body.text("new_name") or row.name,
        color=(body.text("color") or row.color).lower(),
        description=body.text("description", row.description),
    )
    _check(call, edited, itself=row)
    changes: dict[str, Any] = {}
    for name in ("name", "color", "description"):
        if getattr(edited, name) != getattr(row, name):
            changes[name] = {"from": getattr(row, name) or ""}
    world.labels.put(edited)
    if changes:
        _tell(call, "edited", edited, changes=changes)
    return Reply(label(world, call.repo, edited))


async def delete_label(call: Call) -> Reply:
    """DELETE /labels/{name}: also off everything that carries it."""
    row, world = _label(call), call.world
    for issue in world.issues.of(call.repo.id):
        if row.id in issue.labels:
            world.issues.put(replace(issue, labels=tuple(number for number in issue.labels if number != row.id)))
    world.labels.delete(row.id)
    _tell(call, "deleted", row)
    return Reply(status=204)


def _label(call: Call) -> Label:
    row = find(call, call.params["name"])
    if row is None:
        raise not_found()
    return row


def _made(call: Call, name: str, color: str, description: str | None) -> Label:
    row = Label(call.world.new_id(), call.repo.id, name, color.lower(), description)
    _check(call, row)
    call.world.labels.put(row)
    _tell(call, "created", row)
    return row


def _check(call: Call, row: Label, itself: Label | None = None) -> None:
    if not row.name.strip():
        raise invalid("Label", "name", "missing_field")
    if len(row.name) > _MAX_NAME:
        raise invalid("Label", "name", "custom", f"name is too long (maximum is {_MAX_NAME} characters)", row.name)
    if row.description is not None and len(row.description) > _MAX_DESCRIPTION:
        message = f"description is too long (maximum is {_MAX_DESCRIPTION} characters)"
        raise invalid("Label", "description", "custom", message)
    if not _COLOR.fullmatch(row.color):
        raise invalid("Label", "color", value=row.color)
    other = find(call, row.name)
    if other is not None and other != itself:
        raise invalid("Label", "name", "already_exists", value=row.name)


def _tell(call: Call, action: str, row: Label, **more: Any) -> None:
    payload = {"action": action, "label": label(call.world, call.repo, row), **more}
    call.hooks.emit("label", payload, sender=call.account, repo=call.repo)


_AT = "/repos/{owner}/{repo}/labels"
_READ = reads("issues", "pull_requests")
_WRITE = writes("issues", "pull_requests")

ROUTES = (
    Route("GET", _AT, list_labels, _READ),
    Route("POST", _AT, create_label, _WRITE),
    Route("GET", _AT + "/{name}", get_label, _READ),
    Route("PATCH", _AT + "/{name}", update_label, _WRITE),
    Route("DELETE", _AT + "/{name}", delete_label, _WRITE),
)
