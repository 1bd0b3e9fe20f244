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
from bot.core.model import Freight, Stage
from bot.core.snapshot import Snapshot, age_order
from bot.errors import UserError

NAME = "promote"
USAGE = "/promote <stage> [freight|version]"
HELP = "Opens the stage's pull request with this freight, or with the newest that may enter it."
EXAMPLES: Mapping[str, str] = {
    "/promote uat": "the newest freight that may enter uat",
    "/promote uat 1.4.2": "the freight with this version",
    "/promote uat quiet-otter": "the freight with this alias; an id or its beginning does as well",
}


def needs(request: Request, snapshot: Snapshot) -> Needs:
    stage = choosing.stage(snapshot, request.args, request.stage, USAGE)
    return Needs(Permission.WRITE, stage.allow.get(NAME, ()))


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Outcome:
    stage = choosing.stage(snapshot, request.args, request.stage, USAGE)
    if len(request.args) > 2:
        raise UserError(f"Too many words: write `{USAGE}`.")
    if len(request.args) == 2:
        known = _known(snapshot, stage)
        if not request.sought and not any(freight_data.matches(one, request.args[1]) for one in known):
            return Seek(tuple(one.origin for one in stage.requests if one.direct), request.args[1])
        answer = verdict(snapshot, stage.name, choosing.freight(known, request.args[1]), now, Way.COMMAND)
    else:
        answer = _best(snapshot, stage, now)
    _not_there_yet(snapshot, stage, answer.freight)
    if not answer.allowed:
        raise UserError(messages.refusal_of(answer))
    return Promote(stage.name, answer.freight, request.actor, Way.COMMAND)


def _known(snapshot: Snapshot, stage: Stage) -> list[Freight]:
    origins = {request.origin for request in stage.requests}
    return [one for one in snapshot.known_freight() if one.origin in origins]


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
        raise UserError(f"There is no freight for `{stage.name}` yet.")
    return verdict(snapshot, stage.name, newest, now, Way.COMMAND)


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
