"""May this freight enter this stage, and if not: why, until when, and who can change that?

The one answer for automation, commands, check runs and the command line alike (DESIGN §3). Every gate is always
asked, so that a refusal names all that stands in the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core import freight as freight_data
from bot.core.lock import Way
from bot.core.model import Availability, Freight, FreightRequest, StageName
from bot.core.snapshot import Landing, Snapshot, StageFacts


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `because` is a sentence without its full stop; `until` the time at which it opens by itself.

    `remedy` says who can change it, and how. `waiting` means it will resolve without anybody's doing.
    """

    name: str
    holds: bool
    because: str
    until: datetime | None = None
    remedy: str = ""
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    stage: StageName
    freight: Freight
    gates: tuple[Gate, ...]

    @property
    def allowed(self) -> bool:
        return all(gate.holds for gate in self.gates)

    @property
    def closed(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if not gate.holds)

    @property
    def waiting(self) -> bool:
        """Refused now, but nobody has to do anything for that to end."""
        return not self.allowed and all(gate.waiting for gate in self.closed)

    @property
    def until(self) -> datetime | None:
        """When to ask again: the latest time among gates that open by themselves, where all closed ones do."""
        times = [gate.until for gate in self.closed]
        return max((t for t in times if t), default=None) if all(times) else None


def verdict(snapshot: Snapshot, stage: StageName, freight: Freight, now: datetime, way: Way) -> Verdict:
    """Ask every gate. `snapshot` must know the stage."""
    facts = snapshot.stages[stage]
    if facts.problem:
        return Verdict(stage, freight, (_unreadable(facts),))
    gates = [_configuration(snapshot), *_sources(snapshot, facts, freight, now, way)]
    if way is not Way.ROLLBACK:
        gates.append(_quiet(facts))
    return Verdict(stage, freight, tuple(gates))


def _configuration(snapshot: Snapshot) -> Gate:
    count = len(snapshot.errors)
    if not count:
        return Gate("configuration", True, "the configuration is valid")
    noun = "problem" if count == 1 else "problems"
    return Gate(
        "configuration",
        False,
        f"`.promotion.yaml` on `{snapshot.default_branch}` has {count} {noun}",
        remedy="Whoever may push there can mend it; the check run `promotion/config` names every line",
    )


def _unreadable(facts: StageFacts) -> Gate:
    return Gate("stage", False, f"{facts.stage.name} can't be looked at: {facts.problem.rstrip('.')}")


def _quiet(facts: StageFacts) -> Gate:
    """A stage that is being verified is left alone: its verification would judge something else half-way.

    Kargo's rule: a verification that has not ended blocks the next promotion (kargo.md §1.3, queue).
    """
    landing = facts.current
    if landing is None or landing.judged or facts.stage.is_control_flow:
        return Gate("quiet", True, f"nothing is being verified in {facts.stage.name}")
    return Gate(
        "quiet",
        False,
        f"{facts.stage.name} is still verifying {freight_data.describe(landing.lock.freight)}",
        remedy=f"Wait for it to end, or take it back with `/rollback {facts.stage.name}`",
        waiting=True,
    )


def _sources(snapshot: Snapshot, facts: StageFacts, freight: Freight, now: datetime, way: Way) -> Iterator[Gate]:
    stage = facts.stage
    if way is Way.ROLLBACK:
        yield _was_well_here(facts, freight)
        return
    request = next((r for r in stage.requests if r.origin == freight.origin), None)
    if request is None:
        takes = ", ".join(f"`{r.origin}`" for r in stage.requests)
        yield Gate("source", False, f"{stage.name} takes freight of {takes}, not of `{freight.origin}`")
    elif request.direct or not request.stages:
        yield Gate("source", True, f"{stage.name} takes freight straight from `{request.origin}`")
    else:
        yield from _upstreams(snapshot, request, freight, now)


def _was_well_here(facts: StageFacts, freight: Freight) -> Gate:
    """A rollback goes to what this stage was verified with before; where it came from then was asked then."""
    well = any(landing.verified for landing in facts.landings_with(freight.id))
    name = freight_data.describe(freight)
    if well:
        return Gate("source", True, f"{name} was verified in {facts.stage.name} before")
    return Gate("source", False, f"{name} was never verified in {facts.stage.name}, so there is no going back to it")


def _upstreams(snapshot: Snapshot, request: FreightRequest, freight: Freight, now: datetime) -> Iterator[Gate]:
    """Kargo's IsFreightAvailable (kargo.md §1.3): one upstream that is verified and soaked, or all of them."""
    answers = [(name, *_upstream(snapshot, name, freight, request.required_soak, now)) for name in request.stages]
    if request.availability is Availability.ONE_OF:
        # The upstream nearest to yes speaks for all, so that nobody is told of a branch that no longer matters.
        answers = [max(answers, key=lambda answer: (answer[1].holds, answer[2] is None or answer[2].holds))]
    for _, verified, soaked in answers:
        yield verified
        if soaked is not None:
            yield soaked


def _upstream(
    snapshot: Snapshot, name: StageName, freight: Freight, soak: timedelta, now: datetime
) -> tuple[Gate, Gate | None]:
    facts = snapshot.stages[name]
    if facts.stage.is_control_flow:
        return _junction(snapshot, facts, freight, soak, now)
    landings = facts.landings_with(freight.id)
    verified = _judgement(landings, freight)
    text = freight_data.describe(freight)
    if verified is None:
        if landings and landings[0] is facts.current:
            return Gate("verified", False, f"{name} is still verifying {text}", waiting=True), None
        why = f"{text} has not been in {name}" if not landings else f"{text} left {name} before it was verified"
        return Gate("verified", False, why, remedy=f"Bring it there first: `/promote {name} {short(freight)}`"), None
    if not verified.verified:
        title = f" ({verified.check.title})" if verified.check and verified.check.title else ""
        remedy = f"Promote another version, or mend {name} and bring {text} there again"
        return Gate("verified", False, f"verification of {text} in {name} failed{title}", remedy=remedy), None
    gate = Gate("verified", True, f"{text} is verified in {name}")
    return gate, _soaked(facts, freight, soak, now) if soak else None


def _judgement(landings: Sequence[Landing], freight: Freight) -> Landing | None:
    """The landing that says whether freight is well: the newest that was judged.

    A failure is that of the freight that came last: what was there before, from another warehouse, keeps its own.
    """
    judged = [one for one in landings if one.judged and not one.superseded]
    own = (one for one in judged if one.verified or one.lock.promoted == freight.id)
    return next(own, judged[0] if judged else None)


def _junction(
    snapshot: Snapshot, facts: StageFacts, freight: Freight, soak: timedelta, now: datetime
) -> tuple[Gate, Gate | None]:
    """A control-flow stage holds nothing: freight is verified there once it might enter it."""
    request = next((r for r in facts.stage.requests if r.origin == freight.origin), None)
    text, name = freight_data.describe(freight), facts.stage.name
    if request is None:
        return Gate("verified", False, f"{name} takes no freight of `{freight.origin}`"), None
    if request.direct or not request.stages:
        return Gate("verified", True, f"{text} is free to pass {name}"), None
    needed = FreightRequest(
        origin=request.origin,
        stages=request.stages,
        required_soak=max(soak, request.required_soak),
        availability=request.availability,
    )
    gates = tuple(_upstreams(snapshot, needed, freight, now))
    closed = next((gate for gate in gates if not gate.holds), None)
    return (closed, None) if closed else (Gate("verified", True, f"{text} is free to pass {name}"), None)


def _soaked(facts: StageFacts, freight: Freight, soak: timedelta, now: datetime) -> Gate:
    name = facts.stage.name
    longest, since = longest_stay(facts, freight, now)
    if longest >= soak:
        return Gate("soak", True, f"{freight_data.describe(freight)} has been in {name} for {_text(soak)}")
    until = since + soak if since else None
    because = f"{freight_data.describe(freight)} has to be in {name} for {_text(soak)}"  # no clock: texts stay equal
    return Gate("soak", False, because, until=until, waiting=until is not None)


def longest_stay(facts: StageFacts, freight: Freight, now: datetime) -> tuple[timedelta, datetime | None]:
    """The longest unbroken time the freight was in the stage, and since when it is there now (None: it is not).

    Time counts from entry, not from verification (kargo.md §1.2, soak).
    """
    longest, since = timedelta(0), None
    left: datetime | None = None
    stays: list[tuple[datetime, datetime | None]] = []
    for landing in facts.landings:  # newest first; adjacent landings that hold the freight are one stay
        if _holds(landing, freight):
            if stays and stays[-1][0] == left:
                stays[-1] = (landing.at, stays[-1][1])
            else:
                stays.append((landing.at, left))
        left = landing.at
    for start, end in stays:
        longest = max(longest, (end or now) - start)
        if end is None:
            since = start
    return longest, since


def _holds(landing: Landing, freight: Freight) -> bool:
    return any(f.id == freight.id for f in landing.lock.collection)


def short(freight: Freight) -> str:
    """What a person would type to mean this freight."""
    return freight_data.version_of(freight)


def _text(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds % 86400 // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s")]
    shown = [f"{count}{unit}" for count, unit in parts if count][:2]
    return " ".join(shown) or "0s"
