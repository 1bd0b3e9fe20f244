"""Check suites.

https://docs.github.com/en/rest/checks/suites
"""

from __future__ import annotations

from bot.sandbox import checks
from bot.sandbox.access import reads, writes
from bot.sandbox.git import reading
from bot.sandbox.model.checks import CheckSuite
from bot.sandbox.payloads.checks import check_suite_payload
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.checks import suite_in
from bot.sandbox.rest.commits import resolved
from bot.sandbox.rest.errors import forbidden, unprocessable
from bot.sandbox.rules import suite_runs


async def create_suite(call: Call) -> Reply:
    """POST /check-suites: 201, or 200 with the one that is there (pushes make them)."""
    world, repo, sha = call.world, call.repo, call.body.required_text("head_sha")
    if call.actor.app is None:
        raise forbidden("You must authenticate via a GitHub App.")
    if await reading.kind_of(world.git(repo), sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    found = checks.suite_of(world, repo, call.actor.app.id, sha)
    suite = found or checks.new_suite(world, repo, call.actor.app.id, sha)
    return Reply(await _payload(call, suite), 200 if found else 201)


async def get_suite(call: Call) -> Reply:
    """GET /check-suites/{check_suite_id}"""
    return Reply(await _payload(call, suite_in(call)))


async def rerequest_suite(call: Call) -> Reply:
    """POST /check-suites/{check_suite_id}/rerequest"""
    suite = suite_in(call)
    if call.actor.app is not None and call.actor.app.id != suite.app_id:
        raise forbidden()
    await checks.rerequest_suite(call.world, call.hooks, suite, call.account)
    return Reply({}, 201)


async def list_for_ref(call: Call) -> Reply:
    """GET /commits/{ref}/check-suites, of one App, or with a run of one name."""
    sha = await resolved(call, call.params["ref"])
    app_id, name = call.query.get("app_id"), call.query.get("check_name")
    rows = [
        row
        for row in call.world.check_suites.of((call.repo.id, sha))
        if app_id in (None, str(row.app_id))
        and (name is None or name in [run.name for run in suite_runs(call.world, row)])
    ]
    page = call.page(rows)
    suites = [await _payload(call, row) for row in page.items]
    return page.reply({"total_count": page.total, "check_suites": suites})


async def _payload(call: Call, suite: CheckSuite) -> JsonObject:
    commit = (await reading.log(call.world.git(call.repo), suite.head_sha, limit=1))[0]
    return check_suite_payload(call.world, suite, commit)


_AT = "/repos/{owner}/{repo}"
_SUITE = _AT + "/check-suites/{check_suite_id}"
_READ, _WRITE = reads("checks"), writes("checks")

ROUTES = (
    Route("POST", _AT + "/check-suites", create_suite, _WRITE),
    Route("GET", _SUITE, get_suite, _READ),
    Route("POST", _SUITE + "/rerequest", rerequest_suite, _WRITE),
    Route("GET", _AT + "/commits/{ref}/check-suites", list_for_ref, _READ),
)
