"""Deployments, their statuses and environments.

https://docs.github.com/en/rest/deployments/deployments
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.sandbox.access import reads, writes
from bot.sandbox.git import merging, reading
from bot.sandbox.model.checks import Deployment, DeploymentStatus
from bot.sandbox.model.repos import RequiredCheck
from bot.sandbox.payloads.deployments import (
    deployment_payload,
    deployment_status_payload,
    environment_of,
    environments,
)
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, conflict, invalid, not_found, unprocessable
from bot.sandbox.rest.merge import merge_into
from bot.sandbox.rules import check_outcome, latest_runs, latest_statuses

_STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
_MAX_DESCRIPTION = 140
_NO_WORKFLOW: JsonObject = {"workflow": None, "workflow_run": None}


async def create_deployment(call: Call) -> Reply:
    """POST /deployments: 202 if the default branch had to be merged into `ref` first, 409 if checks are not green."""
    world, repo, body = call.world, call.repo, call.body
    ref, description = body.required_text("ref"), _description(call)
    sha = await reading.resolve(world.git(repo), ref)
    if sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    if body.flag("auto_merge", True) and await _auto_merged(call, ref, sha):
        return Reply({"message": f"Auto-merged {repo.default_branch} into {ref} on deployment."}, 202)
    _check_contexts(call, ref, sha, body.array("required_contexts", str))
    environment = body.text("environment") or "production"
    now = world.now()
    row = world.deployments.put(
        Deployment(
            world.new_id(),
            repo.id,
            sha,
            ref,
            body.text("task") or "deploy",
            environment,
            json.dumps(body.get("payload") or {}),
            call.account.id,
            now,
            now,
            description,
            body.flag("transient_environment", False),
            body.flag("production_environment", environment == "production"),
            call.via_app_id,
        )
    )
    made = deployment_payload(world, row)
    told = {"action": "created", "deployment": made, **_NO_WORKFLOW}
    call.hooks.emit("deployment", told, sender=call.account, repo=repo)
    return Reply(made, 201, {"Location": made["url"]})


async def list_deployments(call: Call) -> Reply:
    """GET /deployments, newest first, by `sha`, `ref`, `task`, `environment`."""
    query, world = call.query, call.world
    rows = [
        row
        for row in world.deployments.of(call.repo.id)
        if query.get("sha", row.sha) == row.sha
        and query.get("ref", row.ref) == row.ref
        and query.get("task", row.task) == row.task
        and query.get("environment", here := environment_of(world, row)) == here
    ]
    page = call.page(rows[::-1])
    return page.reply([deployment_payload(world, row) for row in page.items])


async def get_deployment(call: Call) -> Reply:
    """GET /deployments/{deployment_id}"""
    return Reply(deployment_payload(call.world, _deployment(call)))


async def delete_deployment(call: Call) -> Reply:
    """DELETE /deployments/{deployment_id}: only one that is inactive, unless it is the repository's only one."""
    row, world = _deployment(call), call.world
    statuses = world.deployment_statuses.of(row.id)
    if len(world.deployments.of(call.repo.id)) > 1 and not (statuses and statuses[-1].state == "inactive"):
        message = "We cannot delete an active deployment unless it is the only deployment in a given environment."
        raise unprocessable(message)
    for status in statuses:
        world.deployment_statuses.delete(status.id)
    world.deployments.delete(row.id)
    return Reply(status=204)


async def create_status(call: Call) -> Reply:
    """POST /deployments/{deployment_id}/statuses; a success makes earlier deployments there inactive."""
    row, world, body = _deployment(call), call.world, call.body
    state = body.required_text("state")
    if state not in _STATES:
        raise invalid("DeploymentStatus", "state", value=state)
    status = DeploymentStatus(
        world.new_id(),
        row.id,
        call.repo.id,
        state,
        call.account.id,
        world.now(),
        _description(call) or "",
        body.text("environment"),
        body.text("log_url") or body.text("target_url") or "",
        body.text("environment_url") or "",
        call.via_app_id,
    )
    _keep(call, row, status)
    if state == "success" and body.flag("auto_inactive", True):
        _retire_others(call, row)
    made = deployment_status_payload(world, status)
    return Reply(made, 201, {"Location": made["url"]})


async def list_statuses(call: Call) -> Reply:
    """GET /deployments/{deployment_id}/statuses, newest first."""
    page = call.page(call.world.deployment_statuses.of(_deployment(call).id)[::-1])
    return page.reply([deployment_status_payload(call.world, row) for row in page.items])


async def get_status(call: Call) -> Reply:
    """GET /deployments/{deployment_id}/statuses/{status_id}"""
    row = call.world.deployment_statuses.get(call.number("status_id"))
    if row is None or row.deployment_id != _deployment(call).id:
        raise not_found()
    return Reply(deployment_status_payload(call.world, row))


async def list_environments(call: Call) -> Reply:
    """GET /environments: deploying to one is what makes it."""
    page = call.page(environments(call.world, call.repo))
    return page.reply({"total_count": page.total, "environments": list(page.items)})


async def get_environment(call: Call) -> Reply:
    """GET /environments/{environment_name}"""
    for row in environments(call.world, call.repo):
        if row["name"] == call.params["environment_name"]:
            return Reply(row)
    raise not_found()


def _deployment(call: Call) -> Deployment:
    row = call.world.deployments.get(call.number("deployment_id"))
    if row is None or row.repo_id != call.repo.id:
        raise not_found()
    return row


def _description(call: Call) -> str | None:
    text = call.body.text("description")
    if text is not None and len(text) > _MAX_DESCRIPTION:
        message = f"description is too long (maximum is {_MAX_DESCRIPTION} characters)"
        raise invalid("Deployment", "description", "custom", message)
    return text


async def _auto_merged(call: Call, ref: str, sha: str) -> bool:
    """Merge the default branch into branch `ref` if it lacks something; whether it did."""
    git, main = call.world.git(call.repo), call.repo.default_branch
    tip = await reading.branch(git, main)
    if tip is None or ref == main or await reading.branch(git, ref) is None or await reading.is_ancestor(git, tip, sha):
        return False
    try:
        await merge_into(call, ref, sha, tip, f"Merge branch '{main}' into {ref}")
    except merging.Conflict as error:
        raise conflict(f"Conflict merging {main} into {ref}.") from error
    return True


def _check_contexts(call: Call, ref: str, sha: str, wanted: Sequence[str] | None) -> None:
    """Refuse unless every wanted context is green; None stands for all that were reported."""
    world, repo = call.world, call.repo
    if wanted is None:
        statuses, runs = latest_statuses(world, repo, sha), latest_runs(world, repo, sha)
        wanted = list(dict.fromkeys([*(row.context for row in statuses), *(row.name for row in runs)]))
    outcomes = {name: check_outcome(world, repo, sha, RequiredCheck(name)) for name in wanted}
    if any(outcome != "success" for outcome in outcomes.values()):
        contexts = [{"context": name, "state": outcome} for name, outcome in outcomes.items()]
        error = {"contexts": contexts, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        raise ApiError(409, f"Conflict: Commit status checks failed for {ref}.", (error,))


def _keep(call: Call, row: Deployment, status: DeploymentStatus) -> None:
    world = call.world
    world.deployment_statuses.put(status)
    payload = {
        "action": "created",
        "deployment": deployment_payload(world, row),
        "deployment_status": deployment_status_payload(world, status),
        **_NO_WORKFLOW,
    }
    call.hooks.emit("deployment_status", payload, sender=call.account, repo=call.repo)


def _retire_others(call: Call, row: Deployment) -> None:
    """https://docs.github.com/en/rest/deployments/statuses#inactive-deployments"""
    world, here = call.world, environment_of(call.world, row)
    for other in world.deployments.of(call.repo.id):
        past = [status.state for status in world.deployment_statuses.of(other.id)]
        lasting = not other.transient_environment and not other.production_environment
        if other.id < row.id and past[-1:] == ["success"] and environment_of(world, other) == here and lasting:
            now = world.now()
            _keep(
                call,
                other,
                DeploymentStatus(world.new_id(), other.id, call.repo.id, "inactive", call.account.id, now),
            )


_AT = "/repos/{owner}/{repo}/deployments"
_ONE = _AT + "/{deployment_id}"
_ENVIRONMENTS = "/repos/{owner}/{repo}/environments"
_READ, _WRITE = reads("deployments"), writes("deployments")

ROUTES = (
    Route("POST", _AT, create_deployment, _WRITE),
    Route("GET", _AT, list_deployments, _READ),
    Route("GET", _ONE, get_deployment, _READ),
    Route("DELETE", _ONE, delete_deployment, _WRITE),
    Route("POST", _ONE + "/statuses", create_status, _WRITE),
    Route("GET", _ONE + "/statuses", list_statuses, _READ),
    Route("GET", _ONE + "/statuses/{status_id}", get_status, _READ),
    Route("GET", _ENVIRONMENTS, list_environments, reads("actions", "environments")),
    Route("GET", _ENVIRONMENTS + "/{environment_name}", get_environment, reads("actions", "environments")),
)
