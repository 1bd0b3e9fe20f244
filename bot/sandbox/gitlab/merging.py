"""Whether a merge request can be merged, and merging it in the project's way.

https://docs.gitlab.com/api/merge_requests/#merge-status
https://docs.gitlab.com/user/project/merge_requests/methods/
"""

from __future__ import annotations

from datetime import datetime

from bot.sandbox.git import merging, reading, writing
from bot.sandbox.git.reading import Person
from bot.sandbox.gitlab.drafts import is_draft
from bot.sandbox.gitlab.model import MergeRequest, Project, State, User


class NotMergeable(Exception):
    """The message is the detailed merge status."""


async def refresh(request: MergeRequest) -> None:
    """Follow the source branch, as long as the merge request is open."""
    if request.state is State.OPENED:
        tip = await reading.branch(request.source.git, request.source_branch)
        if tip is not None and tip != request.sha:
            if request.source is not request.project:
                ref = f"+refs/heads/{request.source_branch}:refs/merge-requests/{request.iid}/head"
                await request.project.git.run("fetch", "--quiet", str(request.source.git.path), ref)
            request.sha, request.car = tip, ""  # a push takes it off the train


async def status(request: MergeRequest) -> str:
    """The detailed merge status."""
    project = request.project
    if request.state is not State.OPENED:
        return "not_open"
    if request.checks:
        return "checking"
    target = await reading.branch(project.git, request.target_branch)
    source = await reading.branch(request.source.git, request.source_branch)
    if source is None or target is None:
        return "commits_status"
    if is_draft(request.title):
        return "draft_status"
    if request.obstacle:
        return request.obstacle
    if project.only_allow_merge_if_pipeline_succeeds:
        pipeline = project.pipelines.get(source, "")
        if pipeline != "success":
            return "ci_still_running" if pipeline in {"created", "pending", "running"} else "ci_must_pass"
    found = project.verdicts.get((target, source)) or await _verdict(project, target, source)
    project.verdicts[target, source] = found
    return "mergeable" if found == "need_rebase" and project.merge_method == "merge" else found


async def _verdict(project: Project, target: str, source: str) -> str:
    """What Git says of two commits, which will never change."""
    if await reading.is_ancestor(project.git, source, target):
        return "commits_status"
    try:
        await merging.merged_tree(project.git, target, source)
    except merging.Conflict:
        return "conflict"
    return "mergeable" if await reading.is_ancestor(project.git, target, source) else "need_rebase"


async def merge(request: MergeRequest, user: User, now: datetime, *, squash: bool | None = None) -> None:
    """Merge it as somebody; None: squashed or not as is set on it. Raises NotMergeable."""
    await refresh(request)
    found = await status(request)
    if found != "mergeable" or request.sha is None:
        raise NotMergeable(found)
    project, head = request.project, request.sha
    git = project.git
    target = await reading.branch(git, request.target_branch) or ""
    who = Person(user.name, f"{user.username}@example.com", now)
    tree = await merging.merged_tree(git, target, head)
    landing = head
    wanted = request.squash if squash is None else squash
    if project.squash_option == "always" or (wanted and project.squash_option != "never"):
        # GitLab squashes onto where the branch left its target, and merges that.
        base = await merging.fork_point(git, target, head)
        own = await git.run("rev-parse", f"{head}^{{tree}}")
        landing = await writing.write_commit(git, own, [base], request.title, who, who)
        request.squash_commit_sha = landing
    if project.merge_method != "ff":
        message = f"Merge branch '{request.source_branch}' into '{request.target_branch}'\n\n{request.title}\n"
        landing = await writing.write_commit(git, tree, [target, landing], message, who, who)
        request.merge_commit_sha = landing
    await writing.set_ref(git, f"refs/heads/{request.target_branch}", landing, target)
    request.state, request.merged_by, request.merged_at = State.MERGED, user, now
    if project.remove_source_branch_after_merge:
        await writing.delete_ref(request.source.git, f"refs/heads/{request.source_branch}")
