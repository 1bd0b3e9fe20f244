"""Commit statuses.

https://docs.github.com/en/rest/commits/statuses
"""

from __future__ import annotations

from bot.sandbox.access import reads, writes
from bot.sandbox.git import reading
from bot.sandbox.model.checks import CommitStatus
from bot.sandbox.payloads.statuses import combined, status_event, status_payload
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.commits import resolved
from bot.sandbox.rest.errors import invalid, unprocessable
from bot.sandbox.rules import latest_statuses

_STATES = ("error", "failure", "pending", "success")
# https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
# and for the first https://github.com/zalando/zappr/issues/378
_MAX_DESCRIPTION, _MAX_PER_CONTEXT, _MAX_BRANCHES = 140, 1_000, 10


async def create_status(call: Call) -> Reply:
    """POST /statuses/{sha}"""
    world, repo, body, sha = call.world, call.repo, call.body, call.params["sha"]
    git = world.git(repo)
    if await reading.kind_of(git, sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    state, context = body.required_text("state"), body.text("context") or "default"
    description, target = body.text("description"), body.text("target_url")
    if state not in _STATES:
        raise invalid("Status", "state", value=state)
    if description is not None and len(description) > _MAX_DESCRIPTION:
        message = f"description is too long (maximum is {_MAX_DESCRIPTION} characters)"
        raise invalid("Status", "description", "custom", message)
    if target and not target.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")
    if sum(row.context == context for row in world.statuses.of((repo.id, sha))) >= _MAX_PER_CONTEXT:
        message = "This SHA and context has reached the maximum number of statuses."
        raise invalid("Status", "base", "custom", message)
    row = world.statuses.put(
        CommitStatus(
            world.new_id(), repo.id, sha, context, state, call.account.id, world.now(), description, target or None
        )
    )
    heads = await reading.refs(git, "refs/heads/")
    branches = [name.removeprefix("refs/heads/") for name, tip in heads.items() if tip == sha][:_MAX_BRANCHES]
    commit = (await reading.log(git, sha, limit=1))[0]
    call.hooks.emit("status", status_event(world, repo, row, commit, branches), sender=call.account, repo=repo)
    return Reply(status_payload(world, row), 201)


async def list_statuses(call: Call) -> Reply:
    """GET /commits/{ref}/statuses, newest first."""
    sha = await resolved(call, call.params["ref"])
    page = call.page(call.world.statuses.of((call.repo.id, sha))[::-1])
    return page.reply([status_payload(call.world, row) for row in page.items])


async def combined_status(call: Call) -> Reply:
    """GET /commits/{ref}/status: the newest of each context, and what they add up to."""
    sha = await resolved(call, call.params["ref"])
    rows = latest_statuses(call.world, call.repo, sha)
    page = call.page(rows)
    return page.reply(combined(call.world, call.repo, sha, rows, page.items))


_AT = "/repos/{owner}/{repo}"
_READ = reads("statuses")

ROUTES = (
    Route("POST", _AT + "/statuses/{sha}", create_status, writes("statuses")),
    Route("GET", _AT + "/commits/{ref}/statuses", list_statuses, _READ),
    Route("GET", _AT + "/commits/{ref}/status", combined_status, _READ),
)
