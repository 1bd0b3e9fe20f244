"""Whatever people and programs do, the invariants of DESIGN §3 hold once Towpath has looked."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.commands import promote, rollback
from bot.contracts.commands import Request, Seek
from bot.core import labels
from bot.core.actions import Promote
from bot.core.discoveries import DiscoveryProblem
from bot.core.facts import CheckStatus, Conclusion
from bot.core.gates import verdict
from bot.core.model import StageName
from bot.core.plan import plan
from bot.core.snapshot import Snapshot
from bot.errors import UserError
from tests.core.world import SERVICE, World, freight, pipeline, stage

STAGES = [StageName("test"), StageName("uat"), StageName("prod")]
NAMES = st.sampled_from(STAGES)


class Pipelines(RuleBasedStateMachine):
    """test is automatic and merges by itself; uat is automatic but people merge; prod soaks and is by command."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(
            pipeline(
                stage("test", auto=True, merge="auto"),
                stage("uat", "test", auto=True),
                stage("prod", "uat", soak=60),
            )
        )
        self.settled = True
        self.version = 0

    @rule(bad=st.booleans(), unrenderable=st.integers(0, 5))
    def something_new_is_published(self, bad: bool, unrenderable: int) -> None:
        self.version += 1
        new = freight(f"1.{self.version}.0", self.world.now)
        self.world.discovered = new
        if bad:
            self.world.bad.add(new.id)
        if unrenderable == 0:
            self.world.unrenderable.add(new.id)
        self.settled = False

    @rule()
    def towpath_looks(self) -> None:
        self.world.settle()
        self.settled = True

    @rule()
    def towpath_is_killed_half_way_through_a_round(self) -> None:
        snapshot = self.world.snapshot()
        actions = plan(snapshot, self.world.now).actions
        for action in actions[: len(actions) // 2 + 1]:
            self.world.apply(action, snapshot)
        self.settled = False

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.settled = False

    @precondition(lambda self: self.world.proposals)
    @rule(data=st.data())
    def somebody_merges_what_is_green(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.proposals)))
        check = self.world.proposals[name].check
        if check is not None and check.conclusion is Conclusion.SUCCESS:
            self.world.merge(name)
            self.settled = False

    @precondition(lambda self: self.world.proposals)
    @rule(data=st.data())
    def somebody_closes_a_pull_request(self, data: st.DataObject) -> None:
        self.world.close(data.draw(st.sampled_from(sorted(self.world.proposals))))
        self.settled = False

    @precondition(lambda self: self.world.proposals)
    @rule(data=st.data(), what=st.sampled_from(["body", "labels", "check", "branch", "outdated"]))
    def somebody_tampers_with_a_pull_request(self, data: st.DataObject, what: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.proposals)))
        proposal = self.world.proposals[name]
        pull = replace(proposal.pull, labels=frozenset({labels.State.VERIFIED.value, "mine"}))
        changes = {
            "body": replace(proposal, record=None),
            "labels": replace(proposal, pull=pull),
            "check": replace(proposal, check=None),
            "branch": replace(proposal, lock=None, check=None, pull=replace(proposal.pull, head_sha=self.world.sha())),
            "outdated": replace(proposal, outdated=("chart/values.yaml",)),
        }
        self.world.proposals[name] = changes[what]
        self.settled = False

    @rule(name=NAMES, version=st.integers(0, 6))
    def somebody_comments_promote(self, name: StageName, version: int) -> None:
        args = (name, f"1.{version}.0") if version else (name,)
        self._command(promote, args)

    @rule(name=NAMES)
    def somebody_comments_rollback(self, name: StageName) -> None:
        self._command(rollback, (name,))

    def _command(self, command: object, args: tuple[str, ...]) -> None:
        snapshot = self.world.snapshot()
        try:
            outcome = command.decide(Request(args, "maintainer", "", ()), snapshot, self.world.now)  # type: ignore[attr-defined]
            if isinstance(outcome, Seek):
                snapshot = self._sought(snapshot, outcome)
                asked = Request(args, "maintainer", "", (), sought=True)
                outcome = command.decide(asked, snapshot, self.world.now)  # type: ignore[attr-defined]
        except UserError:
            return
        assert isinstance(outcome, Promote)
        assert verdict(snapshot, outcome.stage, outcome.freight, self.world.now, outcome.way).allowed
        self.world.apply(outcome, snapshot)
        self.settled = False

    def _sought(self, snapshot: Snapshot, seek: Seek) -> Snapshot:
        """What was ever published is in the registry still."""
        version = seek.versions.get(SERVICE, {}).get(0, "")
        if not version or int(version.split(".")[1]) > self.version:
            return snapshot
        found = replace(freight(version), discovered_at=None)
        return replace(snapshot, discovered={SERVICE: (*snapshot.discovered.get(SERVICE, ()), found)})

    @rule(name=NAMES)
    def somebody_reverts_a_promotion(self, name: StageName) -> None:
        landings = self.world.landings.get(name, [])
        if len(landings) > 1:
            landings.insert(0, replace(landings[1], sha=self.world.sha(), at=self.world.now, check=None))
            self.settled = False

    @rule(trouble=st.sampled_from([None, DiscoveryProblem("gone"), DiscoveryProblem("nothing found", is_fault=False)]))
    def a_warehouse_gets_into_trouble_or_out_of_it(self, trouble: DiscoveryProblem | None) -> None:
        self.world.trouble = trouble
        self.settled = False

    @rule()
    def the_configuration_breaks_or_is_mended(self) -> None:
        self.world.valid = not self.world.valid
        self.world.head_checks.pop("promotion/config", None)
        self.settled = False

    @invariant()
    def a_plan_comes_to_an_end(self) -> None:
        if self.settled:
            assert not plan(self.world.snapshot(), self.world.now).actions

    @invariant()
    def nothing_opens_without_leave(self) -> None:
        assert not self.world.merged_without_leave

    @invariant()
    def what_is_reported_mergeable_may_be_merged(self) -> None:
        if not self.settled:
            return
        snapshot = self.world.snapshot()
        for name, proposal in self.world.proposals.items():
            assert proposal.check is not None, f"{name} is proposed without a check"
            if proposal.check.conclusion is Conclusion.SUCCESS:
                assert proposal.record is not None
                assert not proposal.outdated
                answer = verdict(snapshot, name, proposal.record.freight, self.world.now, proposal.record.way)
                assert answer.allowed
                assert self.world.valid

    @invariant()
    def what_is_in_a_stage_came_by_an_allowed_way(self) -> None:
        """Verified upstream at some time, or verified here before."""
        for name, upstream in (("uat", "test"), ("prod", "uat")):
            for landing in self.world.landings.get(StageName(name), []):
                well = [x for x in self.world.landings.get(StageName(upstream), []) if _verified(x)]
                ids = {one.id for x in well for one in x.lock.collection}
                assert landing.lock.promoted in ids

    @invariant()
    def every_open_pull_request_has_one_state(self) -> None:
        if self.settled:
            for proposal in self.world.proposals.values():
                assert len(proposal.pull.labels & {state.value for state in labels.STATES}) == 1

    @invariant()
    def every_pull_request_that_ended_says_how(self) -> None:
        """Its label is the mark that the result was told; what lands while another is shown overtook it."""
        if not self.settled:
            return
        snapshot = self.world.snapshot()
        for name, pulls in self.world.closed.items():
            landing = snapshot.stages[name].current
            for pull, told in pulls[:1]:
                newest = landing is not None and pull.merge_sha == landing.sha
                turned_down = not pull.merged and name not in self.world.proposals
                landed_anyway = told is not None and snapshot.stages[name].has(told.promoted)
                if newest or (turned_down and not landed_anyway):
                    assert pull.labels & {state.value for state in labels.FINAL}


def _verified(landing: object) -> bool:
    check = landing.check  # type: ignore[attr-defined]
    return bool(check is not None and check.status is CheckStatus.COMPLETED and check.conclusion is Conclusion.SUCCESS)


TestPipelines = Pipelines.TestCase
TestPipelines.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
