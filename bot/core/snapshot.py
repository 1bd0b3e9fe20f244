"""All facts about one repository at one moment, gathered before anything is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.analysis import Run as Analysis
from bot.core.discoveries import DiscoveryProblem
from bot.core.facts import CheckRun, CheckStatus, Conclusion, PullRequest
from bot.core.lock import Lock
from bot.core.model import (
    CommitSha,
    Freight,
    FreightId,
    Pipeline,
    Problem,
    RepositoryName,
    Severity,
    Stage,
    StageName,
    WarehouseName,
)
from bot.core.proposals import ConfigChange
from bot.core.record import Record


def promotion_check(stage: StageName) -> str:
    """Name of the check run that says whether the stage's pull request may be merged."""
    return f"promotion/{stage}"


def verification_check(stage: StageName) -> str:
    """Name of the check run that says whether the stage is well with its freight."""
    return f"verification/{stage}"


def promotion_branch(stage: StageName) -> str:
    return f"promotion/{stage}"


CONFIG_CHECK = "promotion/config"
WAREHOUSES_CHECK = "discovery/warehouses"


@dataclass(frozen=True, slots=True)
class Landing:
    """One change of a stage's lock on the branch it lives on. `check` is the verification's run on that very commit."""

    sha: CommitSha
    at: datetime
    lock: Lock
    check: CheckRun | None = None

    @property
    def judged(self) -> bool:
        return self.check is not None and self.check.status is CheckStatus.COMPLETED

    @property
    def verified(self) -> bool:
        """Only our App makes its check runs, and it names the freight it judged, so this can't be lent or forged."""
        return (
            self.check is not None
            and self.check.conclusion is Conclusion.SUCCESS
            and self.check.external_id == self.lock.content_id
        )

    @property
    def failed(self) -> bool:
        return self.judged and not self.verified and not self.superseded

    @property
    def superseded(self) -> bool:
        return self.check is not None and self.check.conclusion is Conclusion.CANCELLED


@dataclass(frozen=True, slots=True)
class Proposal:
    """The stage's one open pull request. `lock` is that of its head, `record` its body's where that can be believed.

    `foreign` names people whose commits are on the branch; `outdated` the paths that changed in what was rendered;
    `check` is our check run on the head.
    """

    pull: PullRequest
    lock: Lock | None
    record: Record | None
    foreign: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    check: CheckRun | None = None

    @property
    def freight(self) -> Freight | None:
        return self.lock.freight if self.lock else None

    @property
    def whole(self) -> bool:
        """Body and branch tell of the same promotion, and the branch holds what was proposed and nothing else.

        Who commits is what Git is told, so a commit in our name may be anybody's.
        """
        if self.record is None or self.lock is None or self.record.promotion != self.lock.promotion:
            return False
        return self.record.head in {"", self.pull.head_sha}


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What is known of one stage. `landings` and `closed` (pull requests with their records) are newest first.

    `branch_head` is where the promotion branch is on the remote; `lock_problem` says why the lock can't be read.
    `analysis` is the run that judges the current landing: work under way, lost with the work store without harm.
    `problem` says why the stage could not be looked at at all: then nothing else is known of it.
    `under_way` is the promotion that waits, or failed, before it has a pull request.
    """

    stage: Stage
    target: str
    landings: tuple[Landing, ...] = ()
    proposal: Proposal | None = None
    closed: tuple[tuple[PullRequest, Record | None], ...] = ()
    branch_head: CommitSha | None = None
    lock_problem: str = ""
    problem: str = ""
    analysis: Analysis | None = None
    under_way: Record | None = None

    @property
    def current(self) -> Landing | None:
        return self.landings[0] if self.landings else None

    @property
    def holds(self) -> tuple[Freight, ...]:
        return self.landings[0].lock.collection if self.landings else ()

    def has(self, freight: FreightId) -> bool:
        return any(f.id == freight for f in self.holds)

    def had(self, freight: FreightId) -> bool:
        return any(f.id == freight for landing in self.landings for f in landing.lock.collection)

    def answers(self, request: str) -> Lock | None:
        """The lock of the promotion that a command asked for, wherever it has got to."""
        locks = [landing.lock for landing in self.landings]
        if self.proposal and self.proposal.lock:
            locks.append(self.proposal.lock)
        return next((held for held in locks if request and held.request == request), None)

    def landings_with(self, freight: FreightId) -> tuple[Landing, ...]:
        return tuple(one for one in self.landings if any(f.id == freight for f in one.lock.collection))

    def pull_of(self, landing: Landing) -> tuple[PullRequest, Record | None] | None:
        """The merged pull request that brought a landing: by the commit it landed as, else by the promotion's name.

        By name only where its own commit is no landing: a revert carries the name of what it brings back.
        """
        landed = {one.sha for one in self.landings}
        merged = [(pull, told) for pull, told in self.closed if pull.merged]
        for pull, told in merged:
            if pull.merge_sha == landing.sha:
                return pull, told
        for pull, told in merged:
            if told and told.promotion == landing.lock.promotion and pull.merge_sha not in landed:
                return pull, told
        return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`pipeline` is what the newest valid configuration says; `problems` those of the newest one, at `head`.

    `orphans` are our open pull requests for stages that are no more; `discover_again` when warehouses are due;
    `changes` somebody's pull requests that touch the configuration; `aliases` those that freight was given (not made
    from its id) by what has landed.
    """

    repository: RepositoryName
    url: str
    default_branch: str
    head: CommitSha
    pipeline: Pipeline | None
    problems: tuple[Problem, ...] = ()
    head_checks: Mapping[str, CheckRun] = field(default_factory=dict)
    discovered: Mapping[WarehouseName, tuple[Freight, ...]] = field(default_factory=dict)
    discovery_problems: Mapping[WarehouseName, DiscoveryProblem] = field(default_factory=dict)
    discover_again: datetime | None = None
    stages: Mapping[StageName, StageFacts] = field(default_factory=dict)
    orphans: tuple[PullRequest, ...] = ()
    changes: tuple[ConfigChange, ...] = ()
    aliases: Mapping[FreightId, str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    def known_freight(self) -> tuple[Freight, ...]:
        """Every freight there is a trace of, newest discovery first, each once."""
        known: dict[FreightId, Freight] = {}
        for facts in self.stages.values():
            locks = [landing.lock for landing in facts.landings]
            if facts.proposal and facts.proposal.lock:
                locks.append(facts.proposal.lock)
            for freight in (f for lock in locks for f in lock.collection):
                _keep_older(known, freight)
        for freight in (f for found in self.discovered.values() for f in found):
            _keep_older(known, freight)
        return tuple(sorted(known.values(), key=age_order, reverse=True))


def _keep_older(known: dict[FreightId, Freight], freight: Freight) -> None:
    """The earliest discovery is the freight's age: a later look finds the same thing again."""
    before = known.get(freight.id)
    if before is None or age_order(freight) < age_order(before):
        known[freight.id] = freight


def age_order(freight: Freight) -> tuple[float, str]:
    """Kargo's order of freight: by discovery, then by name (kargo.md §1.3)."""
    return (freight.discovered_at.timestamp() if freight.discovered_at else 0.0, freight.id)
