"""Which freight a stage could have next."""

from collections.abc import Iterator
from datetime import datetime

from bot.core import lock
from bot.core.facts import CheckStatus, Conclusion
from bot.core.gates import Verdict, verdict
from bot.core.labels import State
from bot.core.lock import Way
from bot.core.model import Freight, FreightRequest, Selection, StageName
from bot.core.snapshot import Snapshot, StageFacts, age_order, promotion_check


def automatic(snapshot: Snapshot, stage: StageName, now: datetime) -> Iterator[Verdict]:
    """What automation would bring into the stage, one verdict for each warehouse that has something new for it.

    Automation never brings back what has been here before, what somebody closed the pull request of, or what could
    not be rendered from this very commit: those take a person.
    """
    facts = snapshot.stages[stage]
    for request in facts.stage.requests:
        freight = _choose(snapshot, request, stage, now)
        if freight is None or facts.had(freight.id) or _turned_down(facts, freight) or broke(snapshot, stage, freight):
            continue
        yield verdict(snapshot, stage, freight, now, Way.AUTOMATION)


def _choose(snapshot: Snapshot, request: FreightRequest, stage: StageName, now: datetime) -> Freight | None:
    if request.selection is Selection.MATCH_UPSTREAM and request.stages:
        upstream = snapshot.stages[request.stages[0]].current
        return upstream.lock.freight_of(request.origin) if upstream else None
    available = [f for f in offered(snapshot, request) if _may_come(verdict(snapshot, stage, f, now, Way.AUTOMATION))]
    return max(available, key=age_order, default=None)


def _may_come(answer: Verdict) -> bool:
    """Whether its source lets it through, now or in a while that ends by itself, other gates aside."""
    return all(gate.holds or gate.until for gate in answer.gates if gate.name in {"source", "verified", "soak"})


def offered(snapshot: Snapshot, request: FreightRequest) -> tuple[Freight, ...]:
    """Freight of a warehouse there is for this request: found now, or known from upstream. Newest first."""
    known = {f.id: f for f in snapshot.known_freight() if f.origin == request.origin}
    if request.direct:
        found = snapshot.discovered.get(request.origin, ())
        return tuple(known[f.id] for f in found[:1])
    return tuple(known.values())


def available(snapshot: Snapshot, stage: StageName, now: datetime) -> tuple[Verdict, ...]:
    """Every freight the stage may have now, newest first, by a person's command."""
    facts = snapshot.stages[stage]
    verdicts = [
        verdict(snapshot, stage, freight, now, Way.COMMAND)
        for request in facts.stage.requests
        for freight in offered(snapshot, request)
    ]
    return tuple(sorted((v for v in verdicts if v.allowed), key=lambda v: age_order(v.freight), reverse=True))


def collection(snapshot: Snapshot, stage: StageName, freight: Freight, now: datetime) -> tuple[Freight, ...]:
    """All that the stage will hold once this freight is in, one for each warehouse that it takes from.

    What it has of the others stays. Of those it has nothing of yet the newest that may enter comes along, for
    manifests are seldom to be rendered from half of what they are made of.
    """
    facts = snapshot.stages[stage]
    origins = {request.origin for request in facts.stage.requests}
    held = lock.replace([f for f in facts.holds if f.origin in origins], freight)
    missing = [r for r in facts.stage.requests if r.origin not in {f.origin for f in held}]
    along = [
        max((f for f in offered(snapshot, r) if _may_enter(snapshot, stage, f, now)), key=age_order, default=None)
        for r in missing
    ]
    return (*(f for f in along if f), *held)


def _may_enter(snapshot: Snapshot, stage: StageName, freight: Freight, now: datetime) -> bool:
    return verdict(snapshot, stage, freight, now, Way.AUTOMATION).allowed


def _turned_down(facts: StageFacts, freight: Freight) -> bool:
    """Somebody closed its pull request without merging it. Those that we closed ourselves say so by their label."""
    return any(
        not pull.merged and State.SUPERSEDED not in pull.labels and record and record.promoted == freight.id
        for pull, record in facts.closed
    )


def broke(snapshot: Snapshot, stage: StageName, freight: Freight) -> bool:
    """Its steps failed on this very head of the default branch; another commit may mend that."""
    check = snapshot.head_checks.get(promotion_check(stage))
    return (
        check is not None
        and check.status is CheckStatus.COMPLETED
        and check.conclusion is Conclusion.FAILURE
        and freight.id in check.external_id.split(",")
    )
