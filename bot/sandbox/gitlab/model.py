"""What the sandbox's GitLab remembers: people, tokens, projects, merge requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from bot.sandbox.git.process import GitRepo


class Role(IntEnum):
    """https://docs.gitlab.com/api/access_requests/#valid-access-levels"""

    GUEST = 10
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class State(StrEnum):
    """Of a merge request. `LOCKED` is while GitLab merges."""

    OPENED = "opened"
    CLOSED = "closed"
    LOCKED = "locked"
    MERGED = "merged"


@dataclass(slots=True)
class User:
    id: int
    username: str
    name: str


@dataclass(frozen=True, slots=True)
class Token:
    """`scopes` as GitLab names them: https://docs.gitlab.com/user/profile/personal_access_tokens/#personal-access-token-scopes"""

    user: User
    scopes: frozenset[str]
    revoked: bool = False


@dataclass(slots=True)
class Project:
    """`path` with its groups. The rest are settings by the names of the API.

    https://docs.gitlab.com/api/projects/#retrieve-a-project
    """

    id: int
    path: str
    git: GitRepo
    created_at: datetime
    default_branch: str = "main"
    public: bool = False
    members: dict[str, Role] = field(default_factory=dict)
    former_paths: set[str] = field(default_factory=set)
    merge_method: str = "merge"  # or rebase_merge, ff
    squash_option: str = "default_off"
    only_allow_merge_if_pipeline_succeeds: bool = False
    merge_trains_enabled: bool = False
    remove_source_branch_after_merge: bool = False
    merge_role: Role = Role.MAINTAINER  # who may merge into the default branch, and push to it
    several_people: bool = False  # Premium: more than one assignee and reviewer
    pipelines: dict[str, str] = field(default_factory=dict)  # status by commit
    verdicts: dict[tuple[str, str], str] = field(default_factory=dict)  # what Git says of two commits
    requests: list[MergeRequest] = field(default_factory=list)


@dataclass(slots=True)
class MergeRequest:
    """`obstacle` is a detailed merge status that a person has brought about, as `not_approved`; `checks` is how often
    it is still answered that GitLab is checking. `car` is how it is on the merge train, "" when it is on none."""

    id: int
    iid: int
    project: Project
    source: Project
    author: User
    source_branch: str
    target_branch: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    sha: str | None = None
    state: State = State.OPENED
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    squash: bool = False
    obstacle: str = ""
    checks: int = 0
    car: str = ""
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    merged_by: User | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
