"""JSON as GitLab writes it, as far as it is known here: https://docs.gitlab.com/api/merge_requests/"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.sandbox.gitlab import merging
from bot.sandbox.gitlab.drafts import is_draft
from bot.sandbox.gitlab.model import MergeRequest, Project, User
from bot.sandbox.gitlab.world import GitLab


def moment(when: datetime | None) -> str | None:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if when else None


def user(world: GitLab, who: User | None) -> dict[str, Any] | None:
    if who is None:
        return None
    return {
        "id": who.id,
        "username": who.username,
        "name": who.name,
        "state": "active",
        "avatar_url": None,
        "web_url": f"{world.url}/{who.username}",
    }


def project(world: GitLab, one: Project) -> dict[str, Any]:
    group, _, name = one.path.rpartition("/")
    return {
        "id": one.id,
        "name": name,
        "path": name,
        "path_with_namespace": one.path,
        "created_at": moment(one.created_at),
        "default_branch": one.default_branch,
        "ssh_url_to_repo": f"git@{world.url.partition('://')[2].partition(':')[0]}:{one.path}.git",
        "http_url_to_repo": f"{world.url}/{one.path}.git",
        "web_url": f"{world.url}/{one.path}",
        "namespace": {"name": group, "path": group.rpartition("/")[2], "kind": "group", "full_path": group},
        "visibility": "public" if one.public else "private",
        "merge_requests_enabled": True,
        "merge_method": one.merge_method,
        "squash_option": one.squash_option,
        "only_allow_merge_if_pipeline_succeeds": one.only_allow_merge_if_pipeline_succeeds,
        "merge_trains_enabled": one.merge_trains_enabled,
        "remove_source_branch_after_merge": one.remove_source_branch_after_merge,
    }


async def merge_request(world: GitLab, one: MergeRequest) -> dict[str, Any]:
    status = await merging.status(one)
    conflict = status == "conflict"
    coarse = {"checking": "checking", "conflict": "cannot_be_merged"}.get(status, "can_be_merged")
    people = [user(world, who) for who in one.assignees]
    draft = is_draft(one.title)
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": one.project.id,
        "title": one.title,
        "description": one.description,
        "state": one.state.value,
        "created_at": moment(one.created_at),
        "updated_at": moment(one.updated_at),
        "merged_by": user(world, one.merged_by),
        "merge_user": user(world, one.merged_by),
        "merged_at": moment(one.merged_at),
        "closed_at": moment(one.closed_at),
        "target_branch": one.target_branch,
        "source_branch": one.source_branch,
        "author": user(world, one.author),
        "assignees": people,
        "assignee": people[0] if people else None,
        "reviewers": [user(world, who) for who in one.reviewers],
        "source_project_id": one.source.id,
        "target_project_id": one.project.id,
        "labels": sorted(one.labels),
        "draft": draft,
        "work_in_progress": draft,
        "merge_when_pipeline_succeeds": False,
        "merge_status": coarse,
        "detailed_merge_status": status,
        "sha": one.sha,
        "merge_commit_sha": one.merge_commit_sha,
        "squash_commit_sha": one.squash_commit_sha,
        "references": {"short": f"!{one.iid}", "relative": f"!{one.iid}", "full": f"{one.project.path}!{one.iid}"},
        "web_url": f"{world.url}/{one.project.path}/-/merge_requests/{one.iid}",
        "squash": one.squash,
        "has_conflicts": conflict,
        "blocking_discussions_resolved": status != "discussions_not_resolved",
    }


def carriage(world: GitLab, one: MergeRequest) -> dict[str, Any]:
    """https://docs.gitlab.com/api/merge_trains/"""
    request = {
        "id": one.id,
        "iid": one.iid,
        "project_id": one.project.id,
        "title": one.title,
        "state": one.state.value,
        "web_url": f"{world.url}/{one.project.path}/-/merge_requests/{one.iid}",
    }
    return {
        "id": one.id,
        "merge_request": request,
        "user": user(world, one.author),
        "pipeline": None,
        "created_at": moment(one.updated_at),
        "target_branch": one.target_branch,
        "status": one.car,
        "merged_at": moment(one.merged_at),
    }
