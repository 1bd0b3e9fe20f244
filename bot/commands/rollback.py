"""`/rollback`: back to what the stage was last verified with."""

from collections.abc import Mapping
from datetime import datetime

from bot.contracts.commands import Needs, Outcome, Request
from bot.core import choosing, messages
from bot.core import freight as freight_data
from bot.core.actions import Promote
from bot.core.facts import Permission
from bot.core.gates import verdict
from bot.core.lock import Way
from bot.core.model import Freight
from bot.core.snapshot import Snapshot, StageFacts
from bot.errors import UserError

NAME = "rollback"
USAGE = "/rollback <stage> [freight|version]"
HELP = "Opens a pull request that takes the stage back to what it was last verified with, or to this freight."
EXAMPLES: Mapping[str, str] = {
    "/rollback prod": "back to what prod held, verified, before what it holds now",
    "/rollback prod 1.4.1": "back to this version, if it was verified in prod before",
}


def needs(request: Request, snapshot: Snapshot) -> Needs:
    stage = choosing.stage(snapshot, request.args, request.stage, USAGE)
    return Needs(Permission.WRITE, stage.allow.get(NAME, stage.allow.get("promote", ())))


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Outcome:
    stage = choosing.stage(snapshot, request.args, request.stage, USAGE)
    if len(request.args) > 2:
        raise UserError(f"Too many words: write `{USAGE}`.")
    facts = snapshot.stages[stage.name]
    if len(request.args) == 2:
        was_here = [f for landing in facts.landings for f in landing.lock.collection]
        unique = list({f.id: f for f in was_here}.values())
        target = choosing.freight(unique, request.args[1])
        if facts.has(target.id):
            raise UserError(f"{messages.plain(freight_data.describe(target))} is in `{stage.name}` already.")
    else:
        target = _before(facts)
    answer = verdict(snapshot, stage.name, target, now, Way.ROLLBACK)
    if not answer.allowed:
        raise UserError(messages.refusal_of(answer))
    return Promote(stage.name, target, request.actor, Way.ROLLBACK)


def _before(facts: StageFacts) -> Freight:
    """What the stage held, verified, most recently before what it holds now."""
    if facts.current is None:
        raise UserError(f"Nothing has been in `{facts.stage.name}` yet, so there is nothing to go back to.")
    for landing in facts.landings[1:]:
        freight = landing.lock.freight
        if landing.verified and not facts.has(freight.id):
            return freight
    raise UserError(
        f"`{facts.stage.name}` has not been verified with anything before "
        f"{messages.plain(freight_data.describe(facts.current.lock.freight))}, so there is nothing to go back to."
    )
