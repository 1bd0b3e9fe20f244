"""GitHub beside pull requests, checks and comments, as small ports: who is asked to look, Actions, deployments, Git."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.core.model import CommitSha


@dataclass(frozen=True, slots=True)
class Review:
    """One review. `state` is GitHub's: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""

    author: str
    state: str
    commit: CommitSha
    submitted_at: datetime | None
    body: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of a workflow. `conclusion` is "" until `status` is `completed`.

    https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
    """

    id: int
    url: str
    status: str
    conclusion: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment; `payload` is what whoever made it put there."""

    id: int
    commit: CommitSha
    environment: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """How a deployment is getting on. `state` is GitHub's: queued, in_progress, success, failure, error …"""

    state: str
    description: str = ""
    environment_url: str = ""
    log_url: str = ""


class Reviewing(Protocol):
    """Who is asked to look at a pull request, and what they said. `UserError` names those who can't be asked."""

    async def reviews(self, number: int) -> tuple[Review, ...]:
        """Every review, oldest first."""
        ...

    async def request(self, number: int, logins: Sequence[str], teams: Sequence[str]) -> None:
        """Ask people, and teams (by slug) of the repository's organisation, for a review. Repeatable: who has been
        asked, or has looked, is not asked again."""
        ...

    async def assign(self, number: int, logins: Sequence[str]) -> None:
        """Repeatable: who is assigned stays so."""
        ...


class Workflows(Protocol):
    """GitHub Actions. `UserError` says which workflow, ref or input is wrong."""

    async def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, Any]) -> WorkflowRun | None:
        """Start a workflow by its file's name. Not repeatable. None: started, and GitHub does not say which run it is.

        https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
        """
        ...

    async def dispatched(self, workflow: str, since: datetime) -> tuple[WorkflowRun, ...]:
        """The runs that our own App dispatched since then, oldest first."""
        ...

    async def run(self, run_id: int) -> WorkflowRun | None:
        """One run, None when there is none (any more)."""
        ...


class Deployments(Protocol):
    """GitHub's deployments: https://docs.github.com/en/rest/deployments/deployments"""

    async def find(self, environment: str, task: str) -> tuple[Deployment, ...]:
        """The newest ones to an environment, newest first."""
        ...

    async def create(
        self, ref: str, environment: str, task: str, description: str, payload: Mapping[str, Any]
    ) -> Deployment:
        """Not repeatable: look for it first. No check is asked for, and nothing is merged."""
        ...

    async def status(self, deployment: int) -> DeploymentStatus | None:
        """The newest one."""
        ...

    async def set_status(self, deployment: int, status: DeploymentStatus, *, auto_inactive: bool = True) -> None:
        """With `auto_inactive`, a success ends earlier deployments to the same environment."""
        ...


class GitObjects(Protocol):
    """Commits made by GitHub itself, so that it signs them as the App's (`Verified`).

    https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
    """

    async def write_commit(self, message: str, tree: str, parents: Sequence[CommitSha]) -> CommitSha:
        """A commit of a tree that GitHub has, on no branch yet. Repeatable: what nobody points to is forgotten."""
        ...
