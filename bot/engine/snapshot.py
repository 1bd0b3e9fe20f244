"""Gather: Git, GitHub and the registries to one `Snapshot`. Asks little: Git answers most, and for nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cachetools import LRUCache

from bot.contracts import Identity
from bot.core import analysis, candidates, labels, record
from bot.core.facts import CheckRun, Conclusion, PullRequest, Refs
from bot.core.known import called, named
from bot.core.landing_branch import landing_branch
from bot.core.lock import Lock
from bot.core.model import CommitSha, Pipeline, RepositoryName, Stage, StageName, WarehouseName
from bot.core.record import Record
from bot.core.snapshot import (
    WAREHOUSES_CHECK,
    Landing,
    Proposal,
    Snapshot,
    StageFacts,
    promotion_branch,
    promotion_check,
    verification_check,
)
from bot.engine.config_changes import ConfigChanges
from bot.engine.configuration import Configurations
from bot.engine.discovery import Discovery
from bot.engine.history import Histories
from bot.engine.outdated import outdated, written
from bot.engine.ports import Ports, Site
from bot.engine.running import kept_locks
from bot.engine.running.under_way import BRANCH, UnderWay
from bot.errors import Retry, UserError

_LAG = timedelta(seconds=1)
_PATIENCE = timedelta(minutes=2)  # what landed by another way than its pull request leaves that open for ever
_PARTIAL = 30  # recent pull requests from which on there may be others (`GitHub.recent_pulls`)
_BRANCHES = promotion_branch(StageName(""))


def analysis_key(repository: RepositoryName, stage: StageName, sha: CommitSha) -> str:
    """Where the work store keeps the analysis under way."""
    return f"analysis/{repository}/{stage}/{sha}"


class Gatherer:
    """Makes snapshots. What it remembers between them can't change in the world: commits, and ended checks."""

    def __init__(self, ports: Ports, configurations: Configurations, discovery: Discovery) -> None:
        self._ports = ports
        self._configurations = configurations
        self._changes = ConfigChanges(configurations)
        self._discovery = discovery
        self._histories = Histories()
        self._troubled: dict[RepositoryName, bool] = {}  # whether the head says so of a warehouse, as last seen
        self._ended: LRUCache[tuple[RepositoryName, CommitSha, StageName], CheckRun] = LRUCache(maxsize=65536)
        self._settled: LRUCache[tuple[RepositoryName, CommitSha, StageName], bool] = LRUCache(maxsize=65536)

    async def gather(self, site: Site, now: datetime, *, deep: bool = False, anew: bool = False) -> Snapshot | None:
        """Everything a decision needs; None when the repository has no pipeline. `deep` judges every landing known.
        `anew` asks Git once more, even where this look has."""
        url = self._ports.url(site.repository)
        # Pull requests before refs: what shows as merged is then in Git too, and nothing is proposed a second time.
        # While GitHub need not be listed anew neither need Git be asked: both are as they were, but for our own doing.
        await site.github.recent_pulls()
        refs = await (site.git.refs(url) if anew else site.git.seen(url, since=site.github.listed))
        head = refs.heads.get(refs.default_branch)
        if head is None:
            return None
        configuration = await self._configurations.at(site.git, url, head)
        changes = await self._changes.of(site, url, refs, head)
        if configuration is None and not changes:
            return None
        pipeline, problems = configuration or (None, ())
        snapshot = Snapshot(site.repository, url, refs.default_branch, head, pipeline, problems, changes=changes)
        if pipeline is not None:
            found = await self._discovery.of(site, pipeline)
            snapshot = replace(
                snapshot,
                discovered={name: (one.freight,) for name, one in found.items() if one.freight},
                discovery_problems={name: one.lasting for name, one in found.items() if one.lasting},
                discover_again=min((one.again for one in found.values()), default=None),
            )
            snapshot = await _Look(self, self._ports, site, refs, snapshot, pipeline, deep=deep).stages(now)
        if await self._wants_head_checks(snapshot, now):
            checks = {check.name: check for check in await site.github.check_runs(head)}
            snapshot = replace(snapshot, head_checks=checks)
            told = checks.get(WAREHOUSES_CHECK)
            self._troubled[site.repository] = told is not None and told.conclusion is not Conclusion.SUCCESS
        return named(snapshot)

    async def seek(self, site: Site, snapshot: Snapshot, wanted: Mapping[WarehouseName, Mapping[int, str]]) -> Snapshot:
        """The snapshot with what these warehouses have of the versions wanted, newest or not, last of what they have.

        Raises UserError or Retry.
        """
        assert snapshot.pipeline is not None  # noqa: S101 -- whoever names warehouses has read them there
        discovered = dict(snapshot.discovered)
        for name, versions in wanted.items():
            found = await self._discovery.find(site, snapshot.pipeline.warehouses[name], versions)
            if found is not None:
                found = called(snapshot, found)
                discovered[name] = (*discovered.get(name, ()), found)
        return replace(snapshot, discovered=discovered)

    async def _wants_head_checks(self, snapshot: Snapshot, now: datetime) -> bool:
        """They matter only when something is about to be promoted, or complained of."""
        if snapshot.errors or snapshot.discovery_problems or self._troubled.get(snapshot.repository, True):
            return True
        for name, facts in snapshot.stages.items():
            proposal = facts.proposal
            if facts.problem:
                return True
            if proposal is not None and (not proposal.whole or proposal.outdated):
                return True
            if facts.stage.auto and any(True for _ in candidates.automatic(snapshot, name, now)):
                return True
        return False


class _Look:
    """One gathering: the pieces that all need the same refs and pull requests."""

    def __init__(
        self,
        gatherer: Gatherer,
        ports: Ports,
        site: Site,
        refs: Refs,
        snapshot: Snapshot,
        pipeline: Pipeline,
        *,
        deep: bool,
    ) -> None:
        self._gatherer = gatherer
        self._ports = ports
        self._site = site
        self._refs = refs
        self._snapshot = snapshot
        self._pipeline = pipeline
        self._deep = deep

    async def stages(self, now: datetime) -> Snapshot:
        recent = await self._site.github.recent_pulls()
        pulls = [p for p in recent if self._ours(p)]
        stages: dict[StageName, StageFacts] = {}
        for stage in self._pipeline.stages.values():
            stages[stage.name] = StageFacts(stage, "") if stage.is_control_flow else await self._stage(stage, pulls)
        for name, facts in stages.items():
            open_pulls = [p for p in pulls if p.open and p.head_branch == promotion_branch(name)]
            if open_pulls and not facts.stage.is_control_flow and not facts.problem:
                others = tuple(path for other in stages.values() if other is not facts for path in written(other))
                stages[name] = await self._with_proposal(facts, open_pulls[0], others)
        if len(recent) >= _PARTIAL:
            await self._recall_closed(stages, now)
        known = {promotion_branch(s.name) for s in self._pipeline.stages.values() if not s.is_control_flow}
        orphans = tuple(p for p in pulls if p.open and p.head_branch not in known)
        return replace(self._snapshot, stages=stages, orphans=orphans)

    def _ours(self, pull: PullRequest) -> bool:
        """Anybody can name a branch as we do, on a fork even: only what our App opened, from here, counts."""
        return (
            pull.author == self._site.github.bot_login
            and pull.head_repository == self._site.repository
            and pull.head_branch.startswith(_BRANCHES)
        )

    async def _recall_closed(self, stages: dict[StageName, StageFacts], now: datetime) -> None:
        """Where much is going on, what somebody turned down long ago isn't among the recent pull requests."""
        for name, facts in stages.items():
            if not facts.stage.auto or facts.proposal or facts.problem or facts.stage.is_control_flow:
                continue
            if any(True for _ in candidates.automatic(replace(self._snapshot, stages=stages), name, now)):
                found = await self._site.github.pulls_from(promotion_branch(name))
                closed = tuple((p, self._record(p, name)) for p in found if self._ours(p) and not p.open)
                stages[name] = replace(facts, closed=closed)

    async def _stage(self, stage: Stage, pulls: list[PullRequest]) -> StageFacts:
        """One stage, but for its proposal. What is wrong with it alone is no reason not to look at the others."""
        try:
            return await self._landed(stage, pulls)
        except UserError as error:
            return StageFacts(stage, "", problem=str(error))

    async def _with_proposal(self, facts: StageFacts, pull: PullRequest, others: tuple[str, ...]) -> StageFacts:
        try:
            return replace(facts, proposal=await self._proposal(facts, pull, self._site.identity, others))
        except UserError as error:
            return replace(facts, problem=str(error))

    async def _landed(self, stage: Stage, pulls: list[PullRequest]) -> StageFacts:
        repository = self._site.repository
        branch = promotion_branch(stage.name)
        target = landing_branch(stage, repository, self._snapshot.url) or self._refs.default_branch
        facts = StageFacts(stage, target, branch_head=self._refs.heads.get(branch))
        closed = [p for p in pulls if p.head_branch == branch and not p.open]
        tip = self._refs.heads.get(target)
        if tip is not None:
            history = await self._gatherer._histories.of(self._site.git, self._snapshot.url, tip, stage.name)
            facts = replace(facts, landings=history.landings, lock_problem=history.problem)
        kept = self._refs.heads.get(kept_locks.BRANCH)
        facts = await kept_locks.KeptLocks(self._ports).of(self._site, self._gatherer._histories, kept, facts)
        facts = replace(facts, landings=await self._judge(stage.name, facts.landings))
        facts = replace(facts, closed=tuple((pull, self._record(pull, stage.name)) for pull in closed))
        if (noted := self._refs.heads.get(BRANCH)) is not None:
            facts = replace(facts, under_way=await UnderWay(self._ports).at(self._site, noted, stage.name))
        return await self._settle(facts)

    async def _judge(self, stage: StageName, landings: tuple[Landing, ...]) -> tuple[Landing, ...]:
        """Each landing with its verification, back to the first that is verified: what came before no longer counts."""
        judged: list[Landing] = []
        enough = False
        for landing in landings:
            if enough and not self._deep:
                judged.append(landing)
                continue
            check = await self._verification(stage, landing)
            judged.append(replace(landing, check=check))
            enough = judged[-1].verified and len(judged) > 1
        return tuple(judged)

    async def _verification(self, stage: StageName, landing: Landing) -> CheckRun | None:
        key = (self._site.repository, landing.sha, stage)
        if key not in self._gatherer._ended:
            runs = await self._site.github.check_runs(landing.sha)
            check = next((run for run in runs if run.name == verification_check(stage)), None)
            if check is None or not replace(landing, check=check).judged:
                return check
            self._gatherer._ended[key] = check
        return self._gatherer._ended[key]

    async def _settle(self, facts: StageFacts) -> StageFacts:
        """What a landing still needs: its pull request until its end was told, its analysis until it ends."""
        landing = facts.current
        if landing is None:
            return facts
        key = (self._site.repository, landing.sha, facts.stage.name)
        if key in self._gatherer._settled:
            return facts
        if facts.pull_of(landing) is None and landing.lock.promotion:
            facts = replace(facts, closed=await self._closed(facts.stage.name, landing))
        if landing.judged:
            found = facts.pull_of(landing)
            if found is None or not found[0].labels.isdisjoint(labels.FINAL):
                self._gatherer._settled[key] = True
        elif landing.check is not None:
            text = await self._ports.work.recall(analysis_key(self._site.repository, facts.stage.name, landing.sha))
            facts = replace(facts, analysis=analysis.from_json(text) if text else None)
        return facts

    async def _closed(self, stage: StageName, landing: Landing) -> tuple[tuple[PullRequest, Record | None], ...]:
        """The stage's closed pull requests, as they are now. Raises Retry while the one that landed shows as open."""
        self._site.github.forget()  # it was merged after we were told of it
        pulls = [p for p in await self._site.github.pulls_from(promotion_branch(stage)) if self._ours(p)]
        told = [(pull, self._record(pull, stage)) for pull in pulls]
        late = next((p for p, r in told if p.open and r and r.promotion == landing.lock.promotion), None)
        if late is not None and self._ports.clock.now() - landing.at < _PATIENCE:
            soon = self._ports.clock.now() + _LAG
            raise Retry(soon, f"#{late.number} has landed, and GitHub still shows it as open")
        return tuple((pull, found) for pull, found in told if not pull.open)

    def _record(self, pull: PullRequest, stage: StageName) -> Record | None:
        return record.unseal(pull.body, self._ports.signing_key, self._site.repository, stage)

    async def _proposal(
        self, facts: StageFacts, pull: PullRequest, identity: Identity, others: tuple[str, ...]
    ) -> Proposal:
        url, stage = self._snapshot.url, facts.stage.name
        head = facts.branch_head or pull.head_sha
        tip = self._refs.heads.get(pull.base_branch)
        if tip is None:
            raise UserError(f"The branch `{pull.base_branch}`, which #{pull.number} is to be merged into, is gone.")
        found = await self._gatherer._histories.lock_at(self._site.git, url, head, stage)
        told = self._record(pull, stage)
        foreign = await self._gatherer._histories.authors_of_foreign_commits(self._site.git, url, head, tip, identity)
        runs = await self._site.github.check_runs(head)
        return Proposal(
            pull=replace(pull, head_sha=head),
            lock=found if isinstance(found, Lock) else None,
            record=told,
            foreign=foreign,
            outdated=await outdated(self._site.git, self._snapshot, facts, told, others) if told else (),
            check=next((run for run in runs if run.name == promotion_check(stage)), None),
        )
