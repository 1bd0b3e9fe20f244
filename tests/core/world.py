"""A world small enough for Hypothesis: it takes actions as GitHub and Git would, and is seen as a snapshot."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core import lock, messages
from bot.core.actions import Action, Close, Finish, Measure, Merge, Promote, PutCheck, Relabel, Tell
from bot.core.discoveries import DiscoveryProblem
from bot.core.facts import CheckRun, CheckStatus, Conclusion, PullRequest
from bot.core.freight import make_freight
from bot.core.gates import verdict
from bot.core.lock import Lock, Way
from bot.core.model import (
    CommitSha,
    Freight,
    FreightId,
    FreightRequest,
    Image,
    MergePolicy,
    Pipeline,
    Problem,
    PromotionTemplate,
    RepositoryName,
    Severity,
    Stage,
    StageName,
    Subscription,
    Verification,
    Warehouse,
    WarehouseName,
)
from bot.core.plan import plan
from bot.core.record import Record
from bot.core.snapshot import (
    Landing,
    Proposal,
    Snapshot,
    StageFacts,
    promotion_branch,
    promotion_check,
    verification_check,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
REPOSITORY = RepositoryName("acme/shop")
SERVICE = WarehouseName("service")
IMAGE = "ghcr.io/acme/service"


def freight(version: str, at: datetime = START) -> Freight:
    return make_freight(SERVICE, [Image(IMAGE, version, f"sha256:{version:0>64}")], at)


def stage(name: str, upstream: str = "", *, soak: int = 0, auto: bool = False, merge: str = "people") -> Stage:
    """A stage with steps and a verification; without an upstream it takes freight straight from the warehouse."""
    sources = (StageName(upstream),) if upstream else ()
    request = FreightRequest(SERVICE, direct=not upstream, stages=sources, required_soak=timedelta(seconds=soak))
    return Stage(
        name=StageName(name),
        requests=(request,),
        template=PromotionTemplate(()),
        verification=Verification(("smoke",)),
        auto=auto,
        merge=MergePolicy(merge),
    )


def pipeline(*stages: Stage) -> Pipeline:
    image = Subscription("image", {"repoURL": "ghcr.io/acme/service"})
    return Pipeline({SERVICE: Warehouse(SERVICE, (image,))}, {one.name: one for one in stages})


@dataclass
class World:
    """What GitHub and Git hold. Numbers and shas count up, so each is new."""

    pipeline: Pipeline
    now: datetime = START
    discovered: Freight | None = None
    bad: set[FreightId] = field(default_factory=set)  # fails its verification
    unrenderable: set[FreightId] = field(default_factory=set)
    valid: bool = True
    trouble: DiscoveryProblem | None = None  # why the warehouse makes no new freight
    landings: dict[StageName, list[Landing]] = field(default_factory=dict)
    proposals: dict[StageName, Proposal] = field(default_factory=dict)
    closed: dict[StageName, list[tuple[PullRequest, Record | None]]] = field(default_factory=dict)
    head_checks: dict[str, CheckRun] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    opened: list[tuple[StageName, int]] = field(default_factory=list)
    merged_without_leave: list[str] = field(default_factory=list)
    count: int = 0

    def next(self) -> int:
        self.count += 1
        return self.count

    def sha(self) -> CommitSha:
        return CommitSha(f"{self.next():040x}")

    def snapshot(self) -> Snapshot:
        stages = {
            name: StageFacts(
                stage=one,
                target="main",
                landings=tuple(self.landings.get(name, ())),
                proposal=self.proposals.get(name),
                closed=tuple(self.closed.get(name, ())),
            )
            for name, one in self.pipeline.stages.items()
        }
        problem = Problem(".promotion.yaml", 1, 1, Severity.ERROR, "type", "This is no mapping.")
        return Snapshot(
            repository=REPOSITORY,
            url="http://127.0.0.1/acme/shop.git",
            default_branch="main",
            head=CommitSha("f" * 40),
            pipeline=self.pipeline,
            problems=() if self.valid else (problem,),
            head_checks=dict(self.head_checks),
            discovered={SERVICE: (self.discovered,)} if self.discovered else {},
            discovery_problems={SERVICE: self.trouble} if self.trouble else {},
            stages=stages,
        )

    def settle(self, most: int = 25) -> int:
        """Look until there is nothing left to do. Returns the number of rounds."""
        for rounds in range(most):
            snapshot = self.snapshot()
            actions = plan(snapshot, self.now).actions
            if not actions:
                return rounds
            for action in actions:
                self.apply(action, snapshot)
        raise AssertionError(f"no end to it: {plan(self.snapshot(), self.now).actions}")

    def apply(self, action: Action, snapshot: Snapshot) -> None:
        match action:
            case Promote():
                self._promote(action, snapshot)
            case PutCheck(check):
                self._put(check)
            case Relabel(number, add, remove):
                self._edit(number, lambda pull: replace(pull, labels=(pull.labels | {*add}) - {*remove}))
            case Merge(number):
                name = next((n for n, p in self.proposals.items() if p.pull.number == number), None)
                if name is not None:
                    self.merge(name)
            case Finish(name):
                landing = self.landings[name][0]
                self._put(messages.verifying_check(name, landing))
            case Measure(name):
                self._judge(name)
            case Tell(_, marker, _):
                if marker not in self.said:
                    self.said.append(marker)
            case Close(number):
                for name, proposal in list(self.proposals.items()):
                    if proposal.pull.number == number:
                        self.close(name)

    def _promote(self, action: Promote, snapshot: Snapshot) -> None:
        if action.freight.id in self.unrenderable:
            check = messages.broke_check(snapshot.head, action.stage, action.freight, "render", "no such chart")
            self.head_checks[check.name] = check
            return
        if action.way is Way.AUTOMATION:  # what people ask for was asked of the gates when they did
            answer = verdict(snapshot, action.stage, action.freight, self.now, action.way)
            if not answer.allowed:
                self.merged_without_leave.append(f"opened {action}")
        self.propose(action.stage, action.freight, action.way, action.actor)

    def propose(self, name: StageName, wanted: Freight, way: Way, actor: str) -> None:
        held = self.landings[name][0].lock.collection if self.landings.get(name) else ()
        collection = lock.replace(held, wanted)
        promotion = f"{name}.{self.next()}"
        known = self.proposals.get(name)
        pull = known.pull if known else self._open(name)
        self.proposals[name] = Proposal(
            pull=replace(pull, head_sha=self.sha()),
            lock=Lock(name, promotion, wanted.id, collection, actor, way),
            record=Record(REPOSITORY, name, promotion, wanted.id, collection, actor, way, "", CommitSha("f" * 40)),
        )

    def _open(self, name: StageName) -> PullRequest:
        number = self.next()
        self.opened.append((name, number))
        return PullRequest(
            number=number,
            title="",
            body="",
            author="towpath[bot]",
            head_repository=REPOSITORY,
            head_branch=promotion_branch(name),
            head_sha=self.sha(),
            base_branch="main",
            base_sha=CommitSha("f" * 40),
            labels=frozenset(),
            open=True,
            merged=False,
            merge_sha=None,
            draft=False,
            url="",
            created_at=self.now,
        )

    def merge(self, name: StageName) -> None:
        """Somebody, or Towpath, merges the stage's pull request."""
        proposal = self.proposals.pop(name)
        assert proposal.lock is not None
        sha = self.sha()
        self.landings.setdefault(name, []).insert(0, Landing(sha, self.now, proposal.lock))
        pull = replace(proposal.pull, open=False, merged=True, merge_sha=sha)
        self.closed.setdefault(name, []).insert(0, (pull, proposal.record))

    def close(self, name: StageName) -> None:
        proposal = self.proposals.pop(name)
        self.closed.setdefault(name, []).insert(0, (replace(proposal.pull, open=False), proposal.record))

    def _judge(self, name: StageName) -> None:
        landing = self.landings[name][0]
        well = self.bad.isdisjoint(f.id for f in landing.lock.collection)
        assert landing.check is not None
        self._put(
            replace(
                landing.check,
                status=CheckStatus.COMPLETED,
                conclusion=Conclusion.SUCCESS if well else Conclusion.FAILURE,
                title="judged",
            )
        )

    def _put(self, check: CheckRun) -> None:
        for name, proposal in self.proposals.items():
            if proposal.pull.head_sha == check.head_sha and check.name == promotion_check(name):
                self.proposals[name] = replace(proposal, check=replace(check, id=check.id or self.next()))
        for name, landings in self.landings.items():
            if check.name == verification_check(name):
                self.landings[name] = [replace(x, check=check) if x.sha == check.head_sha else x for x in landings]
        if check.head_sha == "f" * 40:
            self.head_checks[check.name] = check

    def _edit(self, number: int, change: object) -> None:
        assert callable(change)
        for name, proposal in self.proposals.items():
            if proposal.pull.number == number:
                self.proposals[name] = replace(proposal, pull=change(proposal.pull))
        for name, pulls in self.closed.items():
            self.closed[name] = [(change(p) if p.number == number else p, r) for p, r in pulls]
