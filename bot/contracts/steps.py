"""What a promotion step is, and all it may touch."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from bot.contracts.clock import Clock
from bot.contracts.forges import Forges
from bot.contracts.git import Git, Identity
from bot.contracts.github import GitHub
from bot.contracts.metrics import Http, Secrets
from bot.contracts.registry import Artifacts
from bot.contracts.schema import Schema
from bot.core.model import CommitSha, Freight, RepositoryName, StageName
from bot.core.notes import Notes


class StepStatus(StrEnum):
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    RUNNING = "Running"
    FAILED = "Failed"
    ERRORED = "Errored"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step says when it returns.

    `Running` with `retry_at` asks to be run again then (None: when something happens to its pull request); its
    `output`, where it has any, is recorded first, and is that run's `previous`: an intent is written down this way
    before it is acted on. `Failed` is an answer (the PR was closed), `Errored` a fault that may go away; `message`
    is for people. `once`: this has ended, and doing it again would do harm, so it is recorded before anything else.
    `notes`, of a step that has succeeded, are for the stage's lock: they come with the next commit that writes it.
    `settles`: what this step and those before it did is out in the world, so in this promotion they are not run again.
    """

    status: StepStatus
    output: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    retry_at: datetime | None = None
    once: bool = False
    notes: Notes = field(default_factory=Notes)
    settles: bool = False


Rendered = Mapping[str, bytes]  # files by their path below the folder they go to; "" is the only one


class RenderCache(Protocol):
    """What was rendered before, by a key that all of its input goes into: who has the same input gets the same."""

    async def render(self, key: str, make: Callable[[], Awaitable[Rendered | None]]) -> Rendered | None:
        """What is kept for the key, or what `make` gives now (then kept, unless it is None).

        Without a key nothing is kept. One key is never made twice at a time, and no more are made at a time than
        keep the cores busy.
        """
        ...

    def kept(self, key: str) -> Rendered | None:
        """What is kept for the key. Blocks; for whoever is in a thread already."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """How programs reach other servers: through a proxy that holds the rules of EGRESS_ALLOW, told by `environment`.

    `check` raises UserError for an address (URL) they may not ask. `only_port` is the one that they may connect to by
    themselves, the proxy's; 0 where the rules let them reach this machine, which Go's programs do without a proxy.
    """

    environment: Mapping[str, str] = field(repr=False)
    check: Callable[[str], Awaitable[None]]
    only_port: int = 0


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the rendering programs are; empty when there is none (the step then says what to install).

    `version` is what they say of themselves, as far as it was asked; without it nothing is kept in `cache`.
    Without `network` they connect wherever they want.
    """

    helm: tuple[str, ...] = ()
    kustomize: tuple[str, ...] = ()
    version: str = ""
    cache: RenderCache | None = None
    network: Network | None = None


class LockText(Protocol):
    def __call__(self, paths: Sequence[str]) -> str:
        """The text of the stage's lock, naming the paths of the repository this promotion writes."""
        ...


@dataclass(frozen=True, slots=True)
class PromotionInfo:
    """The promotion a step runs for. `branch` is the one branch it may propose from (`promotion/<stage>`).

    `branch_head` is where that branch is on the remote (None: nowhere), as seen when the promotion started:
    a push pins it, so that a commit somebody else puts there is never overwritten.
    """

    id: str
    stage: StageName
    freight: Freight  # what is promoted
    collection: tuple[Freight, ...]  # what the stage will hold: `freight`, and what it has from its other warehouses
    actor: str
    rollback: bool
    branch: str
    branch_head: CommitSha | None
    trailers: tuple[tuple[str, str], ...]
    lock_path: str
    lock_text: LockText


@dataclass(frozen=True, slots=True)
class RepositoryInfo:
    """The repository the pipeline lives in."""

    name: RepositoryName
    url: str  # what `repoURL` is when a step names none
    default_branch: str


class DescribePull(Protocol):
    async def __call__(self, *, title: str, description: str, head: str, target: str, url: str = "") -> tuple[str, str]:
        """Title and body of the promotion's pull request from a commit to a branch: what it changes there, and the
        signed record, around a template's own text. `url` is the repository, where it isn't the pipeline's own."""
        ...


@dataclass(frozen=True, slots=True)
class StepContext:
    """All a step may touch. `workdir` is a fresh folder that all steps of one run share; paths stay inside it."""

    workdir: Path
    repository: RepositoryInfo
    promotion: PromotionInfo
    git: Git
    github: GitHub
    identity: Identity
    programs: Programs
    clock: Clock
    http: Http
    artifacts: Artifacts
    secrets: Secrets  # of the repository the pipeline lives in, and no other
    describe_pull: DescribePull
    forges: Forges
    outputs: Mapping[str, Mapping[str, Any]]  # of earlier steps, by alias (deprecated `…FromStep` fields read it)
    previous: Mapping[str, Any]  # this step's own output when it last said Running


class Step(Protocol):
    """A promotion step: one module in `bot/steps`, its name that of Kargo's step.

    It may have two attributes more, both timedeltas, read by `longest_run` and `default_timeout`: `TIMEOUT` and
    `DEFAULT_TIMEOUT`.
    """

    NAME: str
    HELP: str  # one line, for the README and the schema
    SCHEMA: Schema  # of its `config`, after expressions are evaluated

    async def run(self, context: StepContext, config: Mapping[str, Any]) -> StepResult:
        """Do it. Safe to run twice. Raises UserError for a mistake in configuration or repository (terminal)."""
        ...


LONGEST_RUN = timedelta(minutes=10)


def longest_run(step: Step) -> timedelta:
    """For how long one run of the step may last before it is taken to hang: its `TIMEOUT`, where it has one."""
    longest: timedelta = getattr(step, "TIMEOUT", LONGEST_RUN)
    return longest


def default_timeout(step: Step) -> timedelta | None:
    """What `retry.timeout` is unless a template says it, from the first start to the end over all runs: the step's
    `DEFAULT_TIMEOUT`. None, where it has none: it may wait for ever."""
    timeout: timedelta | None = getattr(step, "DEFAULT_TIMEOUT", None)
    return timeout


@runtime_checkable
class Prepares(Protocol):
    """A step that can do its work ahead of its turn, into `Programs.cache`."""

    async def prepare(self, context: StepContext, config: Mapping[str, Any]) -> None:
        """Put into the cache what `run` will look for there, and change nothing else. Raises what `run` raises."""
        ...
