"""What GitHub and Git say at one moment, as plain data: the facts a decision rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from bot.core.model import CommitSha

# GitHub commits as this address what is made on its pages and through its API, for whoever the author is.
_GITHUB = "noreply@github.com"


class Permission(IntEnum):
    """What an account may do in a repository, in rising order (GitHub's `role_name`)."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request. `merge_sha` is the commit it landed as, None while it has not been merged.

    `mergeable` is None while GitHub is still computing it, and always in answers to a list request.
    `head_repository` is "" when the fork it came from is gone.
    """

    number: int
    title: str
    body: str
    author: str
    head_repository: str
    head_branch: str
    head_sha: CommitSha
    base_branch: str
    base_sha: CommitSha
    labels: frozenset[str]
    open: bool
    merged: bool
    merge_sha: CommitSha | None
    draft: bool
    url: str
    created_at: datetime
    closed_at: datetime | None = None
    merged_by: str = ""
    mergeable: bool | None = None


class CheckStatus(StrEnum):
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    ACTION_REQUIRED = "action_required"
    CANCELLED = "cancelled"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    SUCCESS = "success"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on a line of a file, shown by GitHub beside it. Level is notice, warning or failure."""

    path: str
    line: int
    column: int
    level: str
    message: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run of our own App. `id` is 0 for one that is yet to be created."""

    name: str
    head_sha: CommitSha
    status: CheckStatus
    conclusion: Conclusion | None
    external_id: str = ""
    title: str = ""
    summary: str = ""
    text: str = ""
    details_url: str = ""
    annotations: tuple[Annotation, ...] = ()
    actions: tuple[tuple[str, str, str], ...] = ()  # label, description, identifier
    id: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment on an issue or pull request (`number`). `reactions` are counts by content, anybody's.

    `edited`: it has not always read as it does now, and whoever may write to the repository may have changed it.
    """

    id: int
    number: int
    author: str
    body: str
    url: str
    created_at: datetime
    on_pull_request: bool = False
    by_bot: bool = False
    edited: bool = False
    reactions: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit as Git tells it. Dates are aware. `message` is whole, trailers included."""

    sha: CommitSha
    parents: tuple[CommitSha, ...]
    author_name: str
    author_email: str
    author_date: datetime
    committer_name: str
    committer_email: str
    commit_date: datetime
    message: str

    def is_by(self, email: str) -> bool:
        """Whether the account with this address made the commit: with Git, or through GitHub's API."""
        return self.committer_email == email or (self.committer_email == _GITHUB and self.author_email == email)


@dataclass(frozen=True, slots=True)
class TagInfo:
    """One tag: the commit it leads to, and for an annotated one its own tagger and message."""

    name: str
    commit: CommitInfo
    tagger: str
    created: datetime
    annotation: str


@dataclass(frozen=True, slots=True)
class Refs:
    """What a remote repository says its branches and tags are (`git ls-remote`). Tags are peeled to commits."""

    default_branch: str
    heads: Mapping[str, CommitSha]
    tags: Mapping[str, CommitSha]
