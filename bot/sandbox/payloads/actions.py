"""Runs of workflows."""

from __future__ import annotations

from zlib import crc32

from bot.sandbox.git.reading import Commit
from bot.sandbox.model.actions import WorkflowRun
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.commits import simple_commit
from bot.sandbox.payloads.repos import repo_page, repo_url, repository
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.world import World


def workflow_id(row: WorkflowRun) -> int:
    """The number of a workflow: its file's path decides, for no record is kept of it."""
    return crc32(f"{row.repo_id}:{row.path}".encode())


def run_url(world: World, row: WorkflowRun) -> str:
    return f"{repo_url(world, world.repos[row.repo_id])}/actions/runs/{row.id}"


def run_page(world: World, row: WorkflowRun) -> str:
    return f"{repo_page(world, world.repos[row.repo_id])}/actions/runs/{row.id}"


def workflow_run(world: World, row: WorkflowRun, commit: Commit | None) -> JsonObject:
    """`workflow-run`."""
    repo = world.repos[row.repo_id]
    url, who = run_url(world, row), simple_user(world, world.accounts[row.actor_id])
    return {
        "id": row.id,
        "name": row.name,
        "node_id": node_id("WorkflowRun", row.id),
        "head_branch": row.ref,
        "head_sha": row.head_sha,
        "path": row.path,
        "display_title": row.name,
        "run_number": row.number,
        "run_attempt": 1,
        "event": "workflow_dispatch",
        "status": row.status,
        "conclusion": row.conclusion,
        "workflow_id": workflow_id(row),
        "url": url,
        "html_url": run_page(world, row),
        "pull_requests": [],
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "run_started_at": stamp(row.created_at),
        "actor": who,
        "triggering_actor": who,
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{repo_url(world, repo)}/check-suites/0",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "workflow_url": f"{repo_url(world, repo)}/actions/workflows/{workflow_id(row)}",
        "head_commit": simple_commit(commit) if commit else None,
        "repository": repository(world, repo),
        "head_repository": repository(world, repo),
    }
