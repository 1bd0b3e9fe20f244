"""Deployments, their statuses, and the environments they name."""

from __future__ import annotations

import json
from urllib.parse import quote

from bot.sandbox.model.checks import Deployment, DeploymentStatus
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.apps import via_app
from bot.sandbox.payloads.repos import repo_page, repo_url
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.world import World


def environment_of(world: World, row: Deployment) -> str:
    """Where a deployment is: a status may have moved it elsewhere."""
    named = [status.environment for status in world.deployment_statuses.of(row.id) if status.environment]
    return named[-1] if named else row.environment


def deployment_payload(world: World, row: Deployment) -> JsonObject:
    """`deployment`."""
    repo = world.repos[row.repo_id]
    url = f"{repo_url(world, repo)}/deployments/{row.id}"
    return {
        "id": row.id,
        "node_id": node_id("Deployment", row.id),
        "url": url,
        "sha": row.sha,
        "ref": row.ref,
        "task": row.task,
        "payload": json.loads(row.payload),
        "original_environment": row.environment,
        "environment": environment_of(world, row),
        "description": row.description,
        "creator": simple_user(world, world.accounts[row.creator_id]),
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": repo_url(world, repo),
        "transient_environment": row.transient_environment,
        "production_environment": row.production_environment,
        "performed_via_github_app": via_app(world, row.via_app_id),
    }


def deployment_status_payload(world: World, row: DeploymentStatus) -> JsonObject:
    """`deployment-status`."""
    repo, deployment = world.repos[row.repo_id], world.deployments[row.deployment_id]
    url = f"{repo_url(world, repo)}/deployments/{row.deployment_id}"
    return {
        "id": row.id,
        "node_id": node_id("DeploymentStatus", row.id),
        "url": f"{url}/statuses/{row.id}",
        "state": row.state,
        "creator": simple_user(world, world.accounts[row.creator_id]),
        "description": row.description,
        "environment": row.environment or deployment.environment,
        "target_url": row.log_url,
        "log_url": row.log_url,
        "environment_url": row.environment_url,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.created_at),
        "deployment_url": url,
        "repository_url": repo_url(world, repo),
        "performed_via_github_app": via_app(world, row.via_app_id),
    }


def environments(world: World, repo: Repo) -> list[JsonObject]:
    """`environment` for each that a deployment of the repository ever named, in that order."""
    first: dict[str, Deployment] = {}
    for row in world.deployments.of(repo.id):
        for name in (row.environment, environment_of(world, row)):
            first.setdefault(name, row)
    return [
        {
            "id": row.id,
            "node_id": node_id("Environment", f"{row.id}:{name}"),
            "name": name,
            "url": f"{repo_url(world, repo)}/environments/{quote(name, safe='')}",
            "html_url": f"{repo_page(world, repo)}/deployments/activity_log?environments_filter={quote(name, safe='')}",
            "created_at": stamp(row.created_at),
            "updated_at": stamp(row.created_at),
            "protection_rules": [],
            "deployment_branch_policy": None,
        }
        for name, row in first.items()
    ]
