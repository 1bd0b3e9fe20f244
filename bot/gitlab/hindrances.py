"""Why GitLab does not merge a merge request now, in people's words.

https://docs.gitlab.com/api/merge_requests/#merge-status
"""

import re
from collections.abc import Mapping
from typing import Any

# The present names, and those that older self-managed servers have.
_WORDS = {
    "blocked_status": "another merge request blocks it",
    "broken_status": "it has a conflict, or its branch is gone",
    "ci_must_pass": "its pipeline must succeed first",
    "ci_still_running": "its pipeline is still running",
    "commits_status": "its branch is gone, or holds no commits",
    "conflict": "it has a conflict with its target branch",
    "discussions_not_resolved": "not all of its threads are resolved",
    "draft_status": "it is a draft",
    "external_status_checks": "a status check has not passed",
    "jira_association_missing": "its title or description names no Jira issue",
    "locked_lfs_files": "it changes LFS files that somebody has locked",
    "locked_paths": "it changes paths that somebody has locked",
    "merge_request_blocked": "another merge request blocks it",
    "merge_time": "it may be merged only after the time that is set on it",
    "need_rebase": "it must be rebased on its target branch",
    "not_approved": "it is not approved",
    "not_open": "it is not open",
    "policies_denied": "a policy denies it",
    "requested_changes": "a reviewer has requested changes",
    "security_policy_pipeline_check": "the pipelines of a security policy have not passed",
    "security_policy_violations": "a security policy is violated",
    "status_checks_must_pass": "a status check has not passed",
    "title_regex": "its title is not as the project wants titles",
}
# GitLab finds out in the background; until then it does not know either.
_UNKNOWN = frozenset({"", "mergeable", "approvals_syncing", "checking", "preparing", "unchecked"})

_NO_WORD = re.compile(r"[^a-z0-9]+")


def hindrance(data: Mapping[str, Any]) -> str:
    """What stands against merging an open one; "" where nothing is known to."""
    status = data.get("detailed_merge_status")
    if status is None:  # before GitLab 15.6
        draft = data.get("draft", data.get("work_in_progress"))
        status = "draft_status" if draft else "conflict" if data.get("has_conflicts") else ""
    if status in _UNKNOWN:
        return ""
    return _WORDS.get(str(status)) or f"GitLab says: {_NO_WORD.sub(' ', str(status)[:80]).strip()}"
