"""Repository dispatch: a caller's own event, passed on to the Apps.

https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
"""

from __future__ import annotations

from bot.sandbox.access import writes
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import unprocessable

_MAX_NAME, _MAX_FIELDS = 100, 10


async def dispatch(call: Call) -> Reply:
    """POST /repos/{owner}/{repo}/dispatches"""
    name, given = call.body.required_text("event_type"), call.body.record("client_payload") or Body()
    if not 1 <= len(name) <= _MAX_NAME:
        raise unprocessable(f"Invalid request.\n\nOnly {_MAX_NAME} characters are allowed; {len(name)} were supplied.")
    if len(given) > _MAX_FIELDS:
        message = f"No more than {_MAX_FIELDS} properties are allowed; {len(given)} were supplied."
        raise unprocessable(f"Invalid request.\n\n{message}")
    payload = {"action": name, "branch": call.repo.default_branch, "client_payload": dict(given)}
    call.hooks.emit("repository_dispatch", payload, sender=call.account, repo=call.repo)
    return Reply(status=204)


ROUTES = (Route("POST", "/repos/{owner}/{repo}/dispatches", dispatch, writes("contents")),)
