"""What all locks together say of freight and stages: its alias, its metadata, and where it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.core import freight as freight_data
from bot.core.durations import format_duration
from bot.core.gates import longest_stay
from bot.core.lock import Lock
from bot.core.model import Freight, FreightId
from bot.core.notes import Known, Metadata, renamed
from bot.core.snapshot import Landing, Snapshot, StageFacts


def named(snapshot: Snapshot) -> Snapshot:
    """The same facts with all freight by the alias it has: the one it was given last, else the one its id makes.

    What has landed goes before what is proposed, and of what is proposed only our own, signed records count.
    """
    landed = _given_by_landings(snapshot)
    given = {**_given_by_proposals(snapshot), **landed}

    def call(collection: Iterable[Freight]) -> tuple[Freight, ...]:
        return tuple(renamed(one, given.get(one.id) or freight_data.alias_of(one.id)) for one in collection)

    return replace(
        snapshot,
        stages={name: _called(facts, call) for name, facts in snapshot.stages.items()},
        discovered={name: call(found) for name, found in snapshot.discovered.items()},
        aliases=landed,
    )


def as_landed(snapshot: Snapshot, collection: Iterable[Freight]) -> tuple[Freight, ...]:
    """Freight by the alias it has at the start of a promotion: what a proposal, its own even, gives it comes later."""
    return tuple(renamed(one, snapshot.aliases.get(one.id) or freight_data.alias_of(one.id)) for one in collection)


def called(snapshot: Snapshot, freight: Freight) -> Freight:
    """Freight by the alias it has where it is known already."""
    return renamed(
        freight, next((one.alias for one in snapshot.known_freight() if one.id == freight.id), freight.alias)
    )


Call = Callable[[Iterable[Freight]], tuple[Freight, ...]]


def _called(facts: StageFacts, call: Call) -> StageFacts:
    landings = tuple(
        one if (lock := _called_in(one.lock, call)) is one.lock else replace(one, lock=lock) for one in facts.landings
    )
    proposal = facts.proposal
    if proposal is not None and proposal.lock is not None:
        proposal = replace(proposal, lock=_called_in(proposal.lock, call))
    return replace(facts, landings=landings, proposal=proposal)


def _called_in(lock: Lock, call: Call) -> Lock:
    """The same lock where nothing in it changes, as a rule."""
    collection = call(lock.collection)
    changed = any(new is not old for new, old in zip(collection, lock.collection, strict=True))
    return replace(lock, collection=collection) if changed else lock


def _given_by_proposals(snapshot: Snapshot) -> dict[FreightId, str]:
    proposals = [facts.proposal for facts in snapshot.stages.values() if facts.proposal]
    records = [one.record for one in proposals if one.record is not None and one.whole]
    return {one.id: one.alias for record in records for one in record.collection if _is_given(one)}


def _given_by_landings(snapshot: Snapshot) -> dict[FreightId, str]:
    """A copy of an alias counts less than the lock of the promotion that gave it."""
    given: dict[FreightId, str] = {}
    landings = list(_landings(snapshot))
    for own in (False, True):
        for landing in landings:
            for one in landing.lock.collection:
                if one.id in landing.lock.renamed if own else _is_given(one):
                    given[one.id] = one.alias
    return given


def _is_given(freight: Freight) -> bool:
    return freight.alias != freight_data.alias_of(freight.id)


def _landings(snapshot: Snapshot) -> Iterable[Landing]:
    """What has landed in all stages, oldest first: what comes later counts."""
    return sorted((one for facts in snapshot.stages.values() for one in facts.landings), key=lambda one: one.at)


def known(snapshot: Snapshot) -> Known:
    """What expressions may know of stages and freight. The snapshot is one whose freight has been `named`."""
    freight = {one.id: one for one in snapshot.known_freight()}

    def status(name: str) -> Metadata | None:
        found = freight.get(FreightId(name))
        return None if found is None else _status(snapshot, found)

    return Known(
        stages={name: one.lock.metadata for name, facts in snapshot.stages.items() if (one := facts.current)},
        freight=_metadata(snapshot),
        aliases={one.id: one.alias for one in freight.values()},
        status=status,
    )


def _metadata(snapshot: Snapshot) -> dict[str, Metadata]:
    """Key by key what was set last. A copy of it in a later lock counts less than the lock it was set with."""
    return _merged([landing.lock for landing in _landings(snapshot)])


def _merged(locks: Sequence[Lock]) -> dict[str, Metadata]:
    """From locks, oldest first."""
    merged: dict[str, dict[str, Any]] = {}
    for kind in ("inherited", "freight_metadata"):
        for lock in locks:
            for name, values in getattr(lock, kind).items():
                merged.setdefault(name, {}).update(values)
    return dict(merged)


def known_by(locks: Sequence[Lock]) -> Known:
    """What locks say without their history: of a stage with several, the one given first counts.

    Where freight has been since when they don't say, so that nothing is known of its status.
    """
    stages: dict[str, Metadata] = {}
    for lock in locks:
        stages.setdefault(lock.stage, lock.metadata)
    in_time = sorted(locks, key=lambda lock: lock.promotion.split(".")[1:2])  # promotions are named by their time
    return Known(stages, _merged(in_time), {one.id: one.alias for lock in in_time for one in lock.collection})


# --- where freight is ------------------------------------------------------------------------------------


def _status(snapshot: Snapshot, freight: Freight) -> Metadata:
    """Kargo's `status` of freight under its names (reference/kargo.md §1.2); what is empty is left out.

    Nobody approves freight for a stage without its having been verified upstream, so `approvedFor` is never there.
    """
    currently, verified = dict(_currently_in(snapshot, freight)), dict(_verified_in(snapshot, freight))
    return {key: value for key, value in (("currentlyIn", currently), ("verifiedIn", verified)) if value}


def _currently_in(snapshot: Snapshot, freight: Freight) -> Iterator[tuple[str, Metadata]]:
    for name, facts in snapshot.stages.items():
        if facts.current is not None and facts.has(freight.id):
            _, since = longest_stay(facts, freight, facts.current.at)
            yield name, {"since": _time(since or facts.current.at)}


def _verified_in(snapshot: Snapshot, freight: Freight) -> Iterator[tuple[str, Metadata]]:
    for name, facts in snapshot.stages.items():
        landing = next((one for one in facts.landings_with(freight.id) if one.verified), None)
        if landing is None or landing.check is None:
            continue
        at = landing.check.completed_at or landing.at
        _, since = longest_stay(facts, freight, at)
        ended, _ = longest_stay(facts, freight, since or at)  # a stay that goes on is none of it, as in Kargo
        yield name, {"verifiedAt": _time(at), **({"longestSoak": format_duration(ended)} if ended else {})}


def _time(moment: datetime) -> str:
    """As Kubernetes writes times. https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Time"""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
