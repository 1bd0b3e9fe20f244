"""Check suites, check runs and their annotations."""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.git.reading import Commit
from bot.sandbox.model.checks import Annotation, CheckRun, CheckSuite
from bot.sandbox.model.issues import Issue
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.apps import integration
from bot.sandbox.payloads.commits import simple_commit
from bot.sandbox.payloads.pulls import part_of
from bot.sandbox.payloads.repos import repo_page, repo_url, repository
from bot.sandbox.payloads.values import JsonObject, node_id, stamp, stamp_or_none
from bot.sandbox.rules import suite_outcome, suite_runs
from bot.sandbox.world import World


def check_run_payload(world: World, row: CheckRun) -> JsonObject:
    """`check-run`."""
    repo = world.repos[row.repo_id]
    url, page = f"{repo_url(world, repo)}/check-runs/{row.id}", f"{repo_page(world, repo)}/runs/{row.id}"
    return {
        "id": row.id,
        "node_id": node_id("CheckRun", row.id),
        "name": row.name,
        "head_sha": row.head_sha,
        "external_id": row.external_id or "",
        "url": url,
        "html_url": page,
        "details_url": row.details_url or page,
        "status": row.status,
        "conclusion": row.conclusion,
        "started_at": stamp_or_none(row.started_at),
        "completed_at": stamp_or_none(row.completed_at),
        "output": {
            "title": row.output.title,
            "summary": row.output.summary,
            "text": row.output.text,
            "annotations_count": len(row.output.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": row.suite_id},
        "app": integration(world, world.apps[row.app_id]),
        "pull_requests": pulls_of(world, repo, row.head_sha),
    }


def check_run_webhook(world: World, row: CheckRun) -> JsonObject:
    """`check-run-with-simple-check-suite`: as events carry it."""
    return check_run_payload(world, row) | {"check_suite": _simple_suite(world, world.check_suites[row.suite_id])}


def annotation(world: World, run: CheckRun, row: Annotation) -> JsonObject:
    """`check-annotation`."""
    repo = world.repos[run.repo_id]
    return {
        "path": row.path,
        "blob_href": f"{repo_url(world, repo)}/contents/{quote(row.path)}?ref={run.head_sha}",
        "start_line": row.start_line,
        "end_line": row.end_line,
        "start_column": row.start_column,
        "end_column": row.end_column,
        "annotation_level": row.level,
        "title": row.title,
        "message": row.message,
        "raw_details": row.raw_details,
    }


def check_suite_payload(world: World, row: CheckSuite, commit: Commit) -> JsonObject:
    """`check-suite`; `commit` is its head."""
    repo = world.repos[row.repo_id]
    return _simple_suite(world, row) | {
        "repository": repository(world, repo),
        "head_commit": simple_commit(commit),
        "latest_check_runs_count": len(suite_runs(world, row)),
        "check_runs_url": f"{repo_url(world, repo)}/check-suites/{row.id}/check-runs",
        "rerequestable": True,
        "runs_rerequestable": True,
    }


def pulls_of(world: World, repo: Repo, sha: str) -> list[JsonObject]:
    """The open pull requests with this head; those of forks are not seen, as GitHub has it.

    https://docs.github.com/en/rest/checks/runs
    """
    return [
        _pull_minimal(world, repo, issue)
        for issue in world.issues.of(repo.id)
        if issue.pull and issue.is_open and (issue.pull.head_sha, issue.pull.head_repo_id) == (sha, repo.id)
    ]


def _pull_minimal(world: World, repo: Repo, issue: Issue) -> JsonObject:
    pull, short = part_of(issue), {"id": repo.id, "url": repo_url(world, repo), "name": repo.name}
    return {
        "id": issue.id,
        "number": issue.number,
        "url": f"{repo_url(world, repo)}/pulls/{issue.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": short},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": short},
    }


def _simple_suite(world: World, row: CheckSuite) -> JsonObject:
    repo = world.repos[row.repo_id]
    status, conclusion = suite_outcome(world, row)
    return {
        "id": row.id,
        "node_id": node_id("CheckSuite", row.id),
        "url": f"{repo_url(world, repo)}/check-suites/{row.id}",
        "head_branch": row.head_branch,
        "head_sha": row.head_sha,
        "status": status,
        "conclusion": conclusion,
        "before": row.before,
        "after": row.head_sha,
        "pull_requests": pulls_of(world, repo, row.head_sha),
        "app": integration(world, world.apps[row.app_id]),
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
    }
