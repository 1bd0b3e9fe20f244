"""GitHub's areas beside pull requests, small enough to see through: what was asked of them is kept."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.contracts.github_areas import Deployment, DeploymentStatus, Review, WorkflowRun
from bot.core.facts import Permission
from bot.core.model import CommitSha
from bot.errors import UserError


@dataclass
class KeptReviews:
    """Reviews, and who was asked; `strangers` can't be."""

    given: list[Review] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    assigned: list[str] = field(default_factory=list)
    strangers: frozenset[str] = frozenset()

    async def reviews(self, number: int) -> tuple[Review, ...]:
        return tuple(self.given)

    async def request(self, number: int, logins: Sequence[str], teams: Sequence[str]) -> None:
        if wrong := self.strangers & {*logins}:
            raise UserError(f"{', '.join(wrong)} can't be asked")
        self.asked.append((*logins, *(f"team {team}" for team in teams)))

    async def assign(self, number: int, logins: Sequence[str]) -> None:
        self.assigned = sorted({*self.assigned, *logins})


@dataclass
class RunningWorkflows:
    """Workflow runs by number. `tells`: a dispatch says which run it made; `refuses`: it says why not."""

    runs: dict[int, WorkflowRun] = field(default_factory=dict)
    dispatches: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    tells: bool = True
    shows: bool = True
    refuses: str = ""

    async def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, Any]) -> WorkflowRun | None:
        if self.refuses:
            raise UserError(self.refuses)
        self.dispatches.append((workflow, ref, dict(inputs)))
        run = self.start()
        return run if self.tells else None

    def start(self) -> WorkflowRun:
        number = len(self.runs) + 101
        self.runs[number] = WorkflowRun(number, f"https://github.example.com/runs/{number}", "queued", "")
        return self.runs[number]

    def end(self, number: int, conclusion: str) -> None:
        self.runs[number] = WorkflowRun(number, self.runs[number].url, "completed", conclusion)

    async def dispatched(self, workflow: str, since: datetime) -> tuple[WorkflowRun, ...]:
        return tuple(self.runs.values()) if self.shows else ()

    async def run(self, run_id: int) -> WorkflowRun | None:
        return self.runs.get(run_id)


@dataclass
class KeptDeployments:
    """Deployments and their statuses, in the order they came."""

    made: list[tuple[Deployment, str, str]] = field(default_factory=list)  # with ref and description
    statuses: list[tuple[int, DeploymentStatus, bool]] = field(default_factory=list)

    async def find(self, environment: str, task: str) -> tuple[Deployment, ...]:
        return tuple(one for one, _, _ in reversed(self.made) if one.environment == environment)

    async def create(
        self, ref: str, environment: str, task: str, description: str, payload: Mapping[str, Any]
    ) -> Deployment:
        made = Deployment(len(self.made) + 1, CommitSha("d" * 40), environment, dict(payload))
        self.made.append((made, ref, description))
        return made

    async def status(self, deployment: int) -> DeploymentStatus | None:
        return next((one for number, one, _ in reversed(self.statuses) if number == deployment), None)

    async def set_status(self, deployment: int, status: DeploymentStatus, *, auto_inactive: bool = True) -> None:
        self.statuses.append((deployment, status, auto_inactive))


@dataclass
class SigningGitHub:
    """Makes commits in a bare repository as GitHub does: committed by itself, authored by the App."""

    repository: str = ""
    author: str = "towpath[bot]@example.com"
    made: list[str] = field(default_factory=list)

    async def write_commit(self, message: str, tree: str, parents: Sequence[CommitSha]) -> CommitSha:
        environment = {
            "GIT_AUTHOR_NAME": "towpath[bot]",
            "GIT_AUTHOR_EMAIL": self.author,
            "GIT_COMMITTER_NAME": "GitHub",
            "GIT_COMMITTER_EMAIL": "noreply@github.com",
            "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
            "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        }
        named = [part for parent in parents for part in ("-p", parent)]
        done = subprocess.run(  # noqa: ASYNC221 -- a few milliseconds, and nobody else waits
            ["git", "commit-tree", tree, *named],
            cwd=self.repository, env=environment, input=message, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.made.append(done.stdout.strip())
        return CommitSha(self.made[-1])


@dataclass
class KnownPeople:
    """What people may do here, and which teams they are in."""

    permissions: dict[str, Permission] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=dict)
