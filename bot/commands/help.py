"""`/help`: the menu."""

from collections.abc import Mapping
from datetime import datetime

from bot.contracts.commands import Answer, Needs, Outcome, Request
from bot.core import messages
from bot.core.facts import Permission
from bot.core.snapshot import Snapshot

NAME = "help"
USAGE = "/help"
HELP = "Lists these commands."
EXAMPLES: Mapping[str, str] = {"/help": "lists the commands"}


def needs(request: Request, snapshot: Snapshot) -> Needs:
    return Needs(Permission.READ)


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Outcome:
    return Answer(messages.command_help([(command.USAGE, command.HELP) for command in request.menu]))
