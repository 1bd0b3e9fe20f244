"""Decide: a snapshot and the time in, what to do out. The heart of Towpath, and pure.

Level-triggered: nothing here knows what happened, only what is. Applied to the world it made, a plan is empty
(DESIGN §3, invariants 1, 2 and 5).
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from bot.core import analysis, candidates, labels, merging, messages
from bot.core.actions import Action, Close, Finish, GoOn, Measure, Merge, Plan, Promote, PutCheck, Relabel, Tell
from bot.core.continuing import going_on
from bot.core.facts import CheckRun, PullRequest
from bot.core.gates import verdict
from bot.core.lock import Lock, Way
from bot.core.model import Freight, Pipeline, StageName
from bot.core.record import Record
from bot.core.snapshot import (
    CONFIG_CHECK,
    WAREHOUSES_CHECK,
    Landing,
    Proposal,
    Snapshot,
    StageFacts,
    age_order,
    promotion_branch,
)

AUTOMATION = "automation"  # the actor of promotions nobody asked for

Decision = Action | datetime  # a time means: look again then


def plan(snapshot: Snapshot, now: datetime) -> Plan:
    """Everything that should be done now, upstream stages first."""
    decisions: list[Decision] = list(_configuration(snapshot))
    if snapshot.pipeline is not None:
        for stage in snapshot.pipeline.stages_in_order():
            facts = snapshot.stages[stage.name]
            if facts.problem:
                decisions += _stuck(snapshot, facts)
            elif not stage.is_control_flow:
                decisions += _landed(snapshot.pipeline, facts, now)
                begun = list(going_on(snapshot, facts, facts.under_way, now))
                others = list(_proposed(snapshot, facts, now) if facts.proposal else _next(snapshot, facts, now))
                decisions += begun + [one for one in others if not (begun and isinstance(one, Promote))]
        decisions += chain.from_iterable(_orphan(pull) for pull in snapshot.orphans)
        decisions += _warehouses(snapshot)  # last: nothing waits for it
    times = [d for d in (*decisions, snapshot.discover_again) if isinstance(d, datetime)]
    return Plan(tuple(d for d in decisions if not isinstance(d, datetime)), min(times, default=None))


def _configuration(snapshot: Snapshot) -> Iterator[Decision]:
    """A broken configuration is said on its commit. What a commit says never changes, so once is enough."""
    if snapshot.errors and CONFIG_CHECK not in snapshot.head_checks:
        yield PutCheck(messages.config_check(snapshot))
    for change in snapshot.changes:
        wanted = messages.config_change_check(change, snapshot.pipeline, snapshot.stages)
        yield from _publish(change.check, wanted)


def _warehouses(snapshot: Snapshot) -> Iterator[Decision]:
    """What keeps warehouses from making freight is said on the newest commit, and taken back there once it is over."""
    seen = snapshot.head_checks.get(WAREHOUSES_CHECK)
    if snapshot.discovery_problems:
        yield from _publish(seen, messages.warehouses_check(snapshot))
    elif seen is not None:
        yield from _publish(seen, messages.warehouses_well_check(snapshot.head))


def _stuck(snapshot: Snapshot, facts: StageFacts) -> Iterator[Decision]:
    """A stage that can't be looked at keeps no other waiting; why is said on the commit that says so."""
    wanted = messages.stuck_check(snapshot.head, facts.stage.name, facts.problem)
    yield from _publish(snapshot.head_checks.get(wanted.name), wanted)


# --- what has landed ---------------------------------------------------------------------------------


def _landed(pipeline: Pipeline, facts: StageFacts, now: datetime) -> Iterator[Decision]:
    for earlier in facts.landings[1:]:
        yield from _overtaken(facts, earlier)
    landing = facts.current
    if landing is None:
        return
    check = landing.check
    if check is None or check.external_id != landing.lock.content_id:
        yield Finish(facts.stage.name)
    elif not landing.judged:
        yield from _state(facts, landing, labels.State.VERIFYING)
        when = analysis.next_time(facts.analysis, now) if facts.analysis else now
        if when is None or when <= now:
            yield Measure(facts.stage.name)
        else:
            yield when
    else:
        yield from _judged(pipeline, facts, landing)


def _overtaken(facts: StageFacts, landing: Landing) -> Iterator[Decision]:
    """A verification that something newer overtook can't be ended any more: what it judged is gone."""
    if landing.check is not None and not landing.judged:
        yield PutCheck(messages.overtaken_check(facts.stage.name, landing.check))
        yield from _state(facts, landing, labels.State.SUPERSEDED)


def _judged(pipeline: Pipeline, facts: StageFacts, landing: Landing) -> Iterator[Decision]:
    """Tell the result, then set the label, which marks that it was told."""
    found = facts.pull_of(landing)
    if found is None:
        return
    state = labels.State.VERIFIED if landing.verified else labels.State.FAILED
    if landing.superseded:
        state = labels.State.SUPERSEDED
    pull = found[0]
    if state.value not in pull.labels and not landing.superseded:
        yield Tell(pull.number, messages.result_marker(landing), messages.result(pipeline, facts, landing))
    yield from _state(facts, landing, state)


def _state(facts: StageFacts, landing: Landing, state: labels.State) -> Iterator[Decision]:
    found = facts.pull_of(landing)
    if found is not None:
        yield from _relabel(found[0], facts, state)


def _relabel(pull: PullRequest, facts: StageFacts, state: labels.State) -> Iterator[Decision]:
    add, remove = labels.change(pull.labels, facts.stage.name, state)
    if add or remove:
        yield Relabel(pull.number, add, remove)


# --- what is proposed --------------------------------------------------------------------------------


def _proposed(snapshot: Snapshot, facts: StageFacts, now: datetime) -> Iterator[Decision]:
    proposal = facts.proposal
    assert proposal is not None  # noqa: S101 -- the caller asked
    freight = proposal.freight
    if proposal.foreign:
        yield from _relabel(proposal.pull, facts, labels.State.HELD)
        yield from _publish(proposal.check, messages.edited_check(facts.stage.name, proposal))
        return
    if freight is None:
        yield from _unreadable(snapshot, facts, proposal, now)
        return
    if facts.current and proposal.lock and facts.current.lock.promotion == proposal.lock.promotion:
        return  # it has just landed: what we know of the pull request is older than that
    if facts.has(freight.id):
        yield from _retire(proposal.pull, facts, messages.already_there(facts.stage.name, freight))
        return
    newer = _newer(snapshot, facts, proposal, now)
    if newer is not None:
        yield newer
    elif not proposal.whole or proposal.outdated:
        assert proposal.lock is not None  # noqa: S101 -- there is freight
        yield from _again(snapshot, facts, proposal, freight, proposal.lock, now)
    else:
        yield from _judge_proposal(snapshot, facts, proposal, now)


def _again(
    snapshot: Snapshot, facts: StageFacts, proposal: Proposal, freight: Freight, of: Lock | Record, now: datetime
) -> Iterator[Decision]:
    """Render anew what is proposed, if it may come at all; where that failed on this very commit, say so."""
    answer = verdict(snapshot, facts.stage.name, freight, now, of.way)
    yield from _relabel(proposal.pull, facts, labels.State.AWAITING_MERGE)
    if not answer.allowed:
        yield from _publish(proposal.check, messages.proposal_check(facts, proposal, answer))
        if answer.until is not None:
            yield answer.until
    elif candidates.broke(snapshot, facts.stage.name, freight):
        yield from _publish(proposal.check, messages.stale_check(facts.stage.name, proposal, freight))
    else:
        yield Promote(facts.stage.name, freight, of.actor, of.way, of.request)


def _judge_proposal(snapshot: Snapshot, facts: StageFacts, proposal: Proposal, now: datetime) -> Iterator[Decision]:
    """Say on the head whether it may be merged, and merge it where that is ours to do."""
    record = proposal.record
    assert record is not None  # noqa: S101 -- a whole proposal has one
    yield from _relabel(proposal.pull, facts, labels.State.AWAITING_MERGE)
    answer = verdict(snapshot, facts.stage.name, record.freight, now, record.way)
    yield from _publish(proposal.check, messages.proposal_check(facts, proposal, answer))
    if answer.until is not None:
        yield answer.until
    if not answer.allowed or proposal.pull.draft:
        return
    method = merging.method(facts.stage, record, snapshot.url)
    if merging.under_way(record):
        yield GoOn(facts.stage.name, proposal.pull.number, proposal.pull.head_sha, method)
    elif method:
        yield Merge(proposal.pull.number, proposal.pull.head_sha, method)


def _newer(snapshot: Snapshot, facts: StageFacts, proposal: Proposal, now: datetime) -> Promote | None:
    """Newer freight takes the place of what automation proposed; what a person asked for stays theirs."""
    lock = proposal.lock
    if not facts.stage.auto or lock is None or lock.way is not Way.AUTOMATION:
        return None
    for answer in candidates.automatic(snapshot, facts.stage.name, now):
        same_origin = answer.freight.origin == lock.freight.origin
        if answer.allowed and same_origin and age_order(answer.freight) > age_order(lock.freight):
            return Promote(facts.stage.name, answer.freight, AUTOMATION, Way.AUTOMATION)
    return None


def _unreadable(snapshot: Snapshot, facts: StageFacts, proposal: Proposal, now: datetime) -> Iterator[Decision]:
    """The branch has no lock of ours: what the record says is rendered anew, else the pull request is given up."""
    record = proposal.record
    if record is not None:
        yield from _again(snapshot, facts, proposal, record.freight, record, now)
    else:
        yield from _retire(proposal.pull, facts, messages.unreadable(facts.stage.name))


def _publish(seen: CheckRun | None, wanted: CheckRun) -> Iterator[Decision]:
    """Only what differs is written. An earlier check run of the same commit is updated in place."""
    if seen is None:
        yield PutCheck(wanted)
    elif _face(seen) != _face(wanted):
        yield PutCheck(messages.with_id(wanted, seen.id))


def _face(check: CheckRun) -> tuple[object, ...]:
    return (check.external_id, check.status, check.conclusion, check.title, check.summary)


def _retire(pull: PullRequest, facts: StageFacts, why: str) -> Iterator[Decision]:
    yield Tell(pull.number, messages.marker("retired", str(pull.number)), why)
    yield from _relabel(pull, facts, labels.State.SUPERSEDED)
    yield Close(pull.number)


def _orphan(pull: PullRequest) -> Iterator[Decision]:
    stage = StageName(pull.head_branch.removeprefix(promotion_branch(StageName(""))))
    yield Tell(pull.number, messages.marker("retired", str(pull.number)), messages.orphan(pull))
    add, remove = labels.change(pull.labels, stage, labels.State.SUPERSEDED)
    if add or remove:
        yield Relabel(pull.number, add, remove)
    yield Close(pull.number)


# --- what could come next ----------------------------------------------------------------------------


def _next(snapshot: Snapshot, facts: StageFacts, now: datetime) -> Iterator[Decision]:
    yield from _turned_down(facts)
    if not facts.stage.auto:
        return
    for answer in candidates.automatic(snapshot, facts.stage.name, now):
        if answer.allowed:
            yield Promote(facts.stage.name, answer.freight, AUTOMATION, Way.AUTOMATION)
            return  # one pull request for a stage: what else there is comes after it
        if answer.until is not None:
            yield answer.until


def _turned_down(facts: StageFacts) -> Iterator[Decision]:
    """Somebody closed our pull request: say what that means, once."""
    if not facts.closed:
        return
    pull, told = facts.closed[0]
    if pull.merged or not pull.labels.isdisjoint(labels.FINAL) or (told and facts.has(told.promoted)):
        return
    if told is not None:
        yield Tell(pull.number, messages.marker("closed", str(pull.number)), messages.turned_down(facts.stage, told))
    yield from _relabel(pull, facts, labels.State.ABORTED)
