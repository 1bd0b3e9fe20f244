"""GitHub Actions: dispatch a workflow, and see how its runs get on.

https://docs.github.com/en/rest/actions/workflows and https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import yaml

from bot.sandbox.access import reads, writes
from bot.sandbox.git import reading
from bot.sandbox.git.process import GitRepo
from bot.sandbox.model.actions import WorkflowRun
from bot.sandbox.payloads.actions import run_page, run_url, workflow_run
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import not_found, unprocessable
from bot.sandbox.world import World

_FOLDER = ".github/workflows"


async def dispatch(call: Call) -> Reply:
    """POST /actions/workflows/{workflow_id}/dispatches; the workflow by its file's name."""
    world, repo, body = call.world, call.repo, call.body
    git, path = world.git(repo), f"{_FOLDER}/{call.params['workflow_id']}"
    if await _read(git, repo.default_branch, path) is None:
        raise not_found()
    ref = body.required_text("ref")
    sha = await reading.branch(git, ref) or await reading.ref(git, f"refs/tags/{ref}")
    if sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    workflow = await _read(git, sha, path)
    trigger = _trigger(workflow)
    if workflow is None or trigger is None:
        raise unprocessable("Workflow does not have 'workflow_dispatch' trigger")
    inputs = _inputs(trigger, body.record("inputs") or Body())
    now = world.now()
    rows = [row for row in world.workflow_runs.of(repo.id) if row.path == path]
    row = world.workflow_runs.put(
        WorkflowRun(
            world.new_id(),
            repo.id,
            path,
            str(workflow.get("name") or path),
            ref,
            await reading.resolve(git, sha) or sha,
            len(rows) + 1,
            call.account.id,
            json.dumps(inputs),
            now,
            now,
        )
    )
    if not body.flag("return_run_details", False):
        return Reply(status=204)
    return Reply({"workflow_run_id": row.id, "run_url": run_url(world, row), "html_url": run_page(world, row)})


async def list_runs(call: Call) -> Reply:
    """GET /actions/workflows/{workflow_id}/runs, newest first, by `actor`, `event`, `created` (`>=TIME` alone)."""
    query, world = call.query, call.world
    path = f"{_FOLDER}/{call.params['workflow_id']}"
    since = query.get("created", "").removeprefix(">=").replace("Z", "+00:00")
    rows = [
        row
        for row in world.workflow_runs.of(call.repo.id)
        if row.path == path
        and query.get("actor", who := world.accounts[row.actor_id].login) == who
        and query.get("event", "workflow_dispatch") == "workflow_dispatch"
        and row.created_at.isoformat() >= since
    ]
    page = call.page(rows[::-1])
    return page.reply({"total_count": page.total, "workflow_runs": [await _payload(call, row) for row in page.items]})


async def get_run(call: Call) -> Reply:
    """GET /actions/runs/{run_id}"""
    row = call.world.workflow_runs.get(call.number("run_id"))
    if row is None or row.repo_id != call.repo.id:
        raise not_found()
    return Reply(await _payload(call, row))


def finish(world: World, conclusion: str) -> int:
    """End every run that has not ended; how many."""
    rows = [row for row in world.workflow_runs if row.status != "completed"]
    for row in rows:
        world.workflow_runs.put(replace(row, status="completed", conclusion=conclusion, updated_at=world.now()))
    return len(rows)


async def _payload(call: Call, row: WorkflowRun) -> dict[str, Any]:
    return workflow_run(call.world, row, await reading.commit(call.world.git(call.repo), row.head_sha))


async def _read(git: GitRepo, treeish: str, path: str) -> dict[Any, Any] | None:
    entry = await reading.entry(git, treeish, path)
    if entry is None or entry.kind != "blob":
        return None
    try:
        found = yaml.safe_load(await reading.blob(git, entry.sha))
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) else None


def _trigger(workflow: dict[Any, Any] | None) -> dict[str, Any] | None:
    """What stands under `workflow_dispatch`; YAML 1.1 reads the word `on` as true."""
    on = (workflow or {}).get("on", (workflow or {}).get(True))
    if isinstance(on, str | list):
        on = dict.fromkeys([on] if isinstance(on, str) else on)
    if not isinstance(on, dict) or "workflow_dispatch" not in on:
        return None
    return on["workflow_dispatch"] or {}


def _inputs(trigger: dict[str, Any], given: Body) -> dict[str, Any]:
    known = trigger.get("inputs") or {}
    if unexpected := [name for name in given if name not in known]:
        raise unprocessable(f"Unexpected inputs provided: {json.dumps(unexpected)}")
    missing = [name for name, how in known.items() if (how or {}).get("required") and name not in given]
    if missing := [name for name in missing if "default" not in known[name]]:
        raise unprocessable(f"Required input '{missing[0]}' not provided")
    return {name: (how or {}).get("default") for name, how in known.items()} | dict(given)


_AT = "/repos/{owner}/{repo}/actions"
_READ = reads("actions")

ROUTES = (
    Route("POST", _AT + "/workflows/{workflow_id}/dispatches", dispatch, writes("actions")),
    Route("GET", _AT + "/workflows/{workflow_id}/runs", list_runs, _READ),
    Route("GET", _AT + "/runs/{run_id}", get_run, _READ),
)
