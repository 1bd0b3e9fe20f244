"""What is said about commits: check suites and runs, commit statuses, deployments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CheckSuite:
    """All check runs of one App on one commit.

    Its status and conclusion follow from the runs, but for `rerequested`: then it is queued until one is touched.
    """

    id: int
    repo_id: int
    app_id: int
    head_sha: str
    head_branch: str | None
    created_at: datetime
    updated_at: datetime
    before: str | None = None
    rerequested: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on lines of a file, in a check run's output."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str
    title: str | None = None
    raw_details: str | None = None
    start_column: int | None = None
    end_column: int | None = None


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """A check run's page: title, Markdown summary and text."""

    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckAction:
    """A button on a check run."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One check of one App on one commit; `conclusion` is set exactly when `status` is `completed`."""

    id: int
    suite_id: int
    repo_id: int
    app_id: int
    name: str
    head_sha: str
    status: str
    started_at: datetime | None
    conclusion: str | None = None
    completed_at: datetime | None = None
    details_url: str | None = None
    external_id: str | None = None
    output: CheckOutput = CheckOutput()
    actions: tuple[CheckAction, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """One state (`error`, `failure`, `pending`, `success`) of one context on one commit; the newest counts."""

    id: int
    repo_id: int
    sha: str
    context: str
    state: str
    creator_id: int
    created_at: datetime
    description: str | None = None
    target_url: str | None = None


@dataclass(frozen=True, slots=True)
class SignedCommit:
    """A commit that GitHub made for an App, and signed."""

    id: int
    repo_id: int
    sha: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A request to deploy `sha`; `payload` is the caller's JSON as text."""

    id: int
    repo_id: int
    sha: str
    ref: str
    task: str
    environment: str
    payload: str
    creator_id: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    transient_environment: bool = False
    production_environment: bool = False
    via_app_id: int | None = None


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """One state in a deployment's life."""

    id: int
    deployment_id: int
    repo_id: int
    state: str
    creator_id: int
    created_at: datetime
    description: str = ""
    environment: str | None = None
    log_url: str = ""
    environment_url: str = ""
    via_app_id: int | None = None
