"""`/status`: what is where, and how it fares."""

from collections.abc import Mapping
from datetime import datetime

from bot.contracts.commands import Answer, Needs, Outcome, Request
from bot.core import messages
from bot.core.facts import Permission
from bot.core.snapshot import Snapshot

NAME = "status"
USAGE = "/status"
HELP = "Shows what is in each stage, how its verification stands, and what is proposed."
EXAMPLES: Mapping[str, str] = {"/status": "shows every stage of this repository"}


def needs(request: Request, snapshot: Snapshot) -> Needs:
    return Needs(Permission.READ)


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Outcome:
    return Answer(messages.status(snapshot, now))
