"""`/promote`: bring freight into a stage, through every gate."""

from collections.abc import Mapping
from datetime import datetime

from bot.contracts.commands import Needs, Outcome, Request, Seek
from bot.core import candidates, choosing, messages
from bot.core import freight as freight_data
from bot.core.actions import Promote
from bot.core.facts import Permission
from bot.core.gates import Verdict, verdict
from bot.core.lock import Way
from bot.core.model import Freight, FreightCreation, Stage, WarehouseName
from bot.core.snapshot import Snapshot, age_order
from bot.errors import UserError

NAME = "promote"
USAGE = "/promote <stage> [freight|version|name=version...]"
HELP = "Opens the stage's pull request with this freight, or with the newest that may enter it."
EXAMPLES: Mapping[str, str] = {
    "/promote uat": "the newest freight that may enter uat",
    "/promote uat 1.4.2": "the freight with this version",
    "/promote uat quiet-otter": "the freight with this alias; an id or its beginning does as well",
    "/promote uat service=1.4.2 chart=0.3.1": "freight put together of these; what is not named is the newest there is",
}


def needs(request: Request, snapshot: Snapshot) -> Needs:
    stage = choosing.stage(snapshot, request.args, request.stage, USAGE)
    return Needs(Permission.WRITE, stage.allow.get(NAME, ()))


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Outcome:
    stage = choosing.stage(snapshot, request.args, request.stage, USAGE)
    words = request.args[1:]
    if not words:
        answer = _best(snapshot, stage, now)
    elif all("=" in word for word in words):
        chosen = _assembled(request, snapshot, stage, choosing.named(snapshot, stage, words), now)
        if isinstance(chosen, Seek):
            return chosen
        answer = verdict(snapshot, stage.name, chosen, now, Way.COMMAND)
    elif len(words) == 1:
        known = _known(snapshot, stage)
        if not request.sought and not any(freight_data.matches(one, words[0]) for one in known):
            return Seek({name: {0: words[0]} for name in _single(snapshot, stage)})
        answer = verdict(snapshot, stage.name, choosing.freight(known, words[0]), now, Way.COMMAND)
    else:
        raise UserError(f"Too many words: write `{USAGE}`.")
    _not_there_yet(snapshot, stage, answer.freight)
    if not answer.allowed:
        raise UserError(messages.refusal_of(answer))
    return Promote(stage.name, answer.freight, request.actor, Way.COMMAND)


def _known(snapshot: Snapshot, stage: Stage) -> list[Freight]:
    origins = {request.origin for request in stage.requests}
    return [one for one in snapshot.known_freight() if one.origin in origins]


def _single(snapshot: Snapshot, stage: Stage) -> list[WarehouseName]:
    """The warehouses that the stage takes straight from, and of which one version says it all."""
    assert snapshot.pipeline is not None  # noqa: S101 -- there is a stage
    warehouses = [snapshot.pipeline.warehouses[request.origin] for request in stage.requests if request.direct]
    return [one.name for one in warehouses if len(one.subscriptions) == 1]


def _assembled(
    request: Request, snapshot: Snapshot, stage: Stage, named: choosing.Named, now: datetime
) -> Freight | Seek:
    """The freight with the versions named.

    Where all are named, freight that is known goes first. Where some are, a stage that takes straight from the
    warehouse gets the newest of the others with them, one that does not gets what came to it from upstream.
    """
    name = named.warehouse.name
    fitting = [one for one in _known(snapshot, stage) if named.fits(one)]
    if request.sought:
        if named.all or not fitting:
            return choosing.freight(fitting or _known(snapshot, stage), " ".join(request.args[1:]))
        sought = snapshot.discovered[name][-1]
        return next(one for one in fitting if one.id == sought.id)
    direct = any(one.direct for one in stage.requests if one.origin == name)
    if not fitting or (direct and not named.all):
        return Seek({name: named.versions})
    if named.all:
        return choosing.freight(fitting, " ".join(request.args[1:]))
    answers = [verdict(snapshot, stage.name, one, now, Way.COMMAND) for one in fitting]  # newest first
    return next((one for one in answers if one.allowed), answers[0]).freight


def _best(snapshot: Snapshot, stage: Stage, now: datetime) -> Verdict:
    """The newest that may enter; where none may, or only what is there already, the newest of all, for its reasons."""
    facts = snapshot.stages[stage.name]
    for answer in candidates.available(snapshot, stage.name, now):
        if not facts.has(answer.freight.id):
            if _newest_held(snapshot, stage) is None or _newer_than_held(snapshot, stage, answer.freight):
                return answer
            break
    offered = [one for r in stage.requests for one in candidates.offered(snapshot, r)]
    newest = max(offered, key=age_order, default=None)
    if newest is None:
        raise UserError(f"There is no freight for `{stage.name}` yet.{_by_hand(snapshot, stage)}")
    return verdict(snapshot, stage.name, newest, now, Way.COMMAND)


def _by_hand(snapshot: Snapshot, stage: Stage) -> str:
    """What to do where freight is made by nobody but people."""
    assert snapshot.pipeline is not None  # noqa: S101 -- there is a stage
    for request in stage.requests:
        if request.direct and snapshot.pipeline.warehouses[request.origin].creation_policy is FreightCreation.MANUAL:
            return f" It is made by hand: `{choosing.example(snapshot, stage, request.origin)}`."
    return ""


def _newest_held(snapshot: Snapshot, stage: Stage) -> Freight | None:
    return max(snapshot.stages[stage.name].holds, key=age_order, default=None)


def _newer_than_held(snapshot: Snapshot, stage: Stage, freight: Freight) -> bool:
    """Without a version named, `/promote` goes forward only: going back is said with a version, or `/rollback`."""
    held = [one for one in snapshot.stages[stage.name].holds if one.origin == freight.origin]
    ages = {one.id: age_order(one) for one in snapshot.known_freight()}
    return all(ages.get(freight.id, age_order(freight)) > ages.get(one.id, age_order(one)) for one in held)


def _not_there_yet(snapshot: Snapshot, stage: Stage, freight: Freight) -> None:
    facts = snapshot.stages[stage.name]
    name = messages.plain(freight_data.describe(freight))
    if facts.has(freight.id):
        raise UserError(f"{name} is in `{stage.name}` already.")
