"""GitHub Actions: runs of workflows. Nothing is run here; whoever drives the sandbox says how a run ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of the workflow at `path`, dispatched at `ref` with `inputs` (JSON as text)."""

    id: int
    repo_id: int
    path: str
    name: str
    ref: str
    head_sha: str
    number: int
    actor_id: int
    inputs: str
    created_at: datetime
    updated_at: datetime
    status: str = "queued"
    conclusion: str | None = None
