"""Repositories: their settings, who may enter, which refs were last seen, and how branches are protected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.model.accounts import Role


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository. `parent_id` is the repository it was forked from."""

    id: int
    owner_id: int
    name: str
    private: bool
    description: str | None
    default_branch: str
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    parent_id: int | None = None
    homepage: str | None = None
    archived: bool = False
    topics: tuple[str, ...] = ()
    has_issues: bool = True
    has_projects: bool = True
    has_wiki: bool = True
    has_discussions: bool = False
    is_template: bool = False
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = False
    allow_update_branch: bool = False
    delete_branch_on_merge: bool = False


@dataclass(frozen=True, slots=True)
class Collaborator:
    """A user's own role on one repository, beside what teams give."""

    id: int
    repo_id: int
    account_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class SeenRefs:
    """The branches and tags of repository `id` as last told to the world; what differs from Git is news."""

    id: int
    refs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A check that must be green; `app_id` of None accepts anybody's."""

    context: str
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class RequiredReviews:
    """How many approvals a pull request needs, and which."""

    approvals: int = 1
    dismiss_stale: bool = False
    code_owners: bool = False
    last_push: bool = False


@dataclass(frozen=True, slots=True)
class Protection:
    """The rules of one branch; `checks` of None means that no status checks are required at all.

    https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository
    /managing-protected-branches/about-protected-branches
    """

    id: int
    repo_id: int
    branch: str
    checks: tuple[RequiredCheck, ...] | None = None
    strict: bool = False
    reviews: RequiredReviews | None = None
    enforce_admins: bool = False
    restrict_users: tuple[int, ...] | None = None
    restrict_teams: tuple[int, ...] | None = None
    restrict_apps: tuple[int, ...] | None = None
    linear_history: bool = False
    allow_force_pushes: bool = False
    allow_deletions: bool = False
    block_creations: bool = False
    conversation_resolution: bool = False
    lock_branch: bool = False
    allow_fork_syncing: bool = False
    merge_queue: bool = False
