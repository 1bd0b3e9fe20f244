"""Check runs.

https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.sandbox import checks
from bot.sandbox.access import reads, writes
from bot.sandbox.git import reading
from bot.sandbox.model.accounts import App
from bot.sandbox.model.checks import CheckRun, CheckSuite
from bot.sandbox.payloads.checks import annotation, check_run_payload
from bot.sandbox.rest.call import Body, Call, Page, Reply, Route
from bot.sandbox.rest.check_bodies import CONCLUSIONS, SETTABLE, actions, output
from bot.sandbox.rest.commits import resolved
from bot.sandbox.rest.errors import forbidden, not_found, unprocessable
from bot.sandbox.rules import latest_runs, suite_runs


async def create_run(call: Call) -> Reply:
    """POST /check-runs"""
    world, repo, body, app = call.world, call.repo, call.body, _app(call)
    name, sha = body.required_text("name"), body.required_text("head_sha")
    if await reading.kind_of(world.git(repo), sha) != "commit":
        raise unprocessable(f"No commit found for SHA: {sha}")
    suite = checks.suite_of(world, repo, app.id, sha) or checks.new_suite(world, repo, app.id, sha)
    new = CheckRun(world.new_id(), suite.id, repo.id, app.id, name, sha, "queued", world.now())
    run = await checks.keep(world, call.hooks, _changed(call, body, new), None, call.account)
    made = check_run_payload(world, run)
    return Reply(made, 201, {"Location": made["url"]})


async def get_run(call: Call) -> Reply:
    """GET /check-runs/{check_run_id}"""
    return Reply(check_run_payload(call.world, _run(call)))


async def update_run(call: Call) -> Reply:
    """PATCH /check-runs/{check_run_id}: by the App that made it."""
    app, before = _app(call), _run(call)
    _check_owner(app, before)
    named = replace(before, name=call.body.text("name") or before.name)
    run = await checks.keep(call.world, call.hooks, _changed(call, call.body, named), before, call.account)
    return Reply(check_run_payload(call.world, run))


async def list_annotations(call: Call) -> Reply:
    """GET /check-runs/{check_run_id}/annotations"""
    run = _run(call)
    page = call.page(run.output.annotations)
    return page.reply([annotation(call.world, run, row) for row in page.items])


async def rerequest_run(call: Call) -> Reply:
    """POST /check-runs/{check_run_id}/rerequest"""
    run = _run(call)
    if call.actor.app is not None:
        _check_owner(call.actor.app, run)
    checks.rerequest_run(call.world, call.hooks, run, call.account)
    return Reply({}, 201)


async def list_for_ref(call: Call) -> Reply:
    """GET /commits/{ref}/check-runs: newest first; of each App and name only the newest, unless `filter=all`."""
    sha = await resolved(call, call.params["ref"])
    everything = call.query.get("filter") == "all"
    rows = call.world.check_runs.of((call.repo.id, sha)) if everything else latest_runs(call.world, call.repo, sha)
    app_id = call.query.get("app_id")
    return _reply(call, [row for row in rows if app_id in (None, str(row.app_id))])


async def list_in_suite(call: Call) -> Reply:
    """GET /check-suites/{check_suite_id}/check-runs, filtered likewise."""
    suite = suite_in(call)
    if call.query.get("filter") != "all":
        return _reply(call, suite_runs(call.world, suite))
    rows = call.world.check_runs.of((suite.repo_id, suite.head_sha))
    return _reply(call, [row for row in rows if row.suite_id == suite.id])


def suite_in(call: Call) -> CheckSuite:
    """The check suite in the path; 404 if there is none in this repository."""
    row = call.world.check_suites.get(call.number("check_suite_id"))
    if row is None or row.repo_id != call.repo.id:
        raise not_found()
    return row


def _reply(call: Call, rows: Iterable[CheckRun]) -> Reply:
    name, status = call.query.get("check_name"), call.query.get("status")
    wanted = [row for row in rows if name in (None, row.name) and status in (None, row.status)]
    page: Page[CheckRun] = call.page(sorted(wanted, key=lambda row: -row.id))
    runs = [check_run_payload(call.world, row) for row in page.items]
    return page.reply({"total_count": page.total, "check_runs": runs})


def _run(call: Call) -> CheckRun:
    row = call.world.check_runs.get(call.number("check_run_id"))
    if row is None or row.repo_id != call.repo.id:
        raise not_found()
    return row


def _app(call: Call) -> App:
    if call.actor.app is None:
        raise forbidden("You must authenticate via a GitHub App.")
    return call.actor.app


def _check_owner(app: App, run: CheckRun) -> None:
    if app.id != run.app_id:
        words = "check run can only be modified by the GitHub App that created it."
        raise forbidden(f"Invalid app_id `{app.id}` - {words}")


def _changed(call: Call, body: Body, run: CheckRun) -> CheckRun:
    """The run with what the body says of it. A conclusion, or a time of completion, completes it."""
    status, conclusion = body.text("status"), body.text("conclusion")
    completed_at = body.moment("completed_at")
    if status is not None and status not in SETTABLE:
        raise unprocessable(f"Invalid request.\n\nFor 'properties/status', {status} is not a status an App can set.")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise unprocessable(f"Invalid request.\n\nFor 'properties/conclusion', {conclusion} is not a conclusion.")
    if conclusion is None and (status == "completed" or completed_at):
        raise unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.')
    run = replace(
        run,
        started_at=body.moment("started_at") or run.started_at,
        details_url=body.text("details_url", run.details_url),
        external_id=body.text("external_id", run.external_id),
        output=output(body.record("output"), run.output),
        actions=run.actions if "actions" not in body else actions(body),
    )
    if conclusion is not None:
        return replace(run, status="completed", conclusion=conclusion, completed_at=completed_at or call.world.now())
    if status is not None:  # begun anew
        return replace(run, status=status, conclusion=None, completed_at=None)
    return run


_AT = "/repos/{owner}/{repo}"
_RUN = _AT + "/check-runs/{check_run_id}"
_READ, _WRITE = reads("checks"), writes("checks")

ROUTES = (
    Route("POST", _AT + "/check-runs", create_run, _WRITE),
    Route("GET", _RUN, get_run, _READ),
    Route("PATCH", _RUN, update_run, _WRITE),
    Route("GET", _RUN + "/annotations", list_annotations, _READ),
    Route("POST", _RUN + "/rerequest", rerequest_run, _WRITE),
    Route("GET", _AT + "/commits/{ref}/check-runs", list_for_ref, _READ),
    Route("GET", _AT + "/check-suites/{check_suite_id}/check-runs", list_in_suite, _READ),
)
