"""Issues and pull requests (one series of numbers), with labels, comments, reactions and reviews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IssueState(StrEnum):
    """Open or closed; whether a pull request was merged is said by `Pull.merged_at`."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Label:
    """A label of one repository; `color` is six hex digits without `#`."""

    id: int
    repo_id: int
    name: str
    color: str
    description: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Pull:
    """What makes an issue a pull request.

    `base_sha` is where the base branch stood when the head last moved; `merge_commit_sha` is set by the merge.
    """

    head_repo_id: int
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    maintainer_can_modify: bool = False
    merged_at: datetime | None = None
    merged_by_id: int | None = None
    merge_commit_sha: str | None = None
    requested_reviewers: tuple[int, ...] = ()
    requested_teams: tuple[int, ...] = ()
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue, or with `pull` a pull request. `labels`, `assignees` hold ids; `via_app_id` the App that wrote it."""

    id: int
    repo_id: int
    number: int
    title: str
    body: str | None
    author_id: int
    created_at: datetime
    updated_at: datetime
    state: IssueState = IssueState.OPEN
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by_id: int | None = None
    labels: tuple[int, ...] = ()
    assignees: tuple[int, ...] = ()
    locked: bool = False
    lock_reason: str | None = None
    via_app_id: int | None = None
    pull: Pull | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.state is IssueState.OPEN


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment in the conversation of an issue or pull request."""

    id: int
    repo_id: int
    issue_id: int
    author_id: int
    body: str
    created_at: datetime
    updated_at: datetime
    via_app_id: int | None = None


class ReactionSubject(StrEnum):
    """What a reaction was given to."""

    ISSUE = "issue"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Reaction:
    """One account's `content` (`+1`, `eyes`, `rocket`, ...) on an issue or a comment."""

    id: int
    subject: ReactionSubject
    subject_id: int
    account_id: int
    content: str
    created_at: datetime


class ReviewState(StrEnum):
    """What a reviewer said."""

    PENDING = "PENDING"
    COMMENTED = "COMMENTED"
    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a pull request at one commit."""

    id: int
    repo_id: int
    issue_id: int
    author_id: int
    state: ReviewState
    body: str
    commit_sha: str
    submitted_at: datetime | None
