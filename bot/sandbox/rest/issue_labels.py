"""The labels on one issue or pull request.

https://docs.github.com/en/rest/issues/labels
"""

from __future__ import annotations

from bot.sandbox.access import reads, writes
from bot.sandbox.issues import set_labels
from bot.sandbox.model.accounts import Role
from bot.sandbox.model.issues import Issue
from bot.sandbox.payloads.issues import label
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, unprocessable
from bot.sandbox.rest.labels import find, named, names_in

_MAX_LABELS = 100


async def list_on_issue(call: Call) -> Reply:
    """GET /issues/{issue_number}/labels"""
    page = call.page(call.issue().labels)
    return page.reply([label(call.world, call.repo, call.world.labels[number]) for number in page.items])


async def add(call: Call) -> Reply:
    """POST /issues/{issue_number}/labels: beside those that are there."""
    issue = call.issue()
    return await _set(call, issue, [*issue.labels, *named(call, names_in(call.body) or [])])


async def replace_all(call: Call) -> Reply:
    """PUT /issues/{issue_number}/labels: instead of those that are there."""
    return await _set(call, call.issue(), named(call, names_in(call.body) or []))


async def remove_all(call: Call) -> Reply:
    """DELETE /issues/{issue_number}/labels"""
    await _set(call, call.issue(), [])
    return Reply(status=204)


async def remove(call: Call) -> Reply:
    """DELETE /issues/{issue_number}/labels/{name}: 404 if it is not there."""
    issue, row = call.issue(), find(call, call.params["name"])
    if row is None or row.id not in issue.labels:
        raise ApiError(404, "Label does not exist")
    return await _set(call, issue, [number for number in issue.labels if number != row.id])


async def _set(call: Call, issue: Issue, wanted: list[int]) -> Reply:
    if len(set(wanted)) > _MAX_LABELS:
        raise unprocessable(f"Invalid request.\n\nAn issue can have at most {_MAX_LABELS} labels.")
    issue = await set_labels(call.world, call.hooks, issue, wanted, call.account)
    return Reply([label(call.world, call.repo, call.world.labels[number]) for number in issue.labels])


_AT = "/repos/{owner}/{repo}/issues/{issue_number}/labels"
_WRITE = writes("issues", "pull_requests", role=Role.TRIAGE)

ROUTES = (
    Route("GET", _AT, list_on_issue, reads("issues", "pull_requests")),
    Route("POST", _AT, add, _WRITE, array="labels"),
    Route("PUT", _AT, replace_all, _WRITE, array="labels"),
    Route("DELETE", _AT, remove_all, _WRITE),
    Route("DELETE", _AT + "/{name}", remove, _WRITE),
)
