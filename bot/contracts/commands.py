"""What a comment command is: arguments and a snapshot in, an action or an answer out. Pure, like the core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.actions import Promote
from bot.core.facts import Permission
from bot.core.model import WarehouseName
from bot.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Needs:
    """What it takes to give a command: this permission on the repository, or, where `allow` names anybody, to be
    one of those (`login` or `@organisation/team`) and able to read it."""

    permission: Permission
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One command as written. `stage` is the stage whose pull request the comment is on, "" elsewhere.

    `sought` is true once everything that could be looked for has been.
    """

    args: Sequence[str]
    actor: str
    stage: str
    menu: Sequence["Command"]
    sought: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply, when a command needs nothing done."""

    text: str


@dataclass(frozen=True, slots=True)
class Seek:
    """Freight that is not known here: have these warehouses look for it, then ask again.

    `versions` are those wanted of a warehouse's subscriptions, by their place; of others it takes the newest.
    """

    versions: Mapping[WarehouseName, Mapping[int, str]]


Outcome = Promote | Answer | Seek


class Command(Protocol):
    """A comment command: one module in `bot/commands`, its name the verb after the slash."""

    NAME: str
    USAGE: str  # "/promote <stage> [freight|version]"
    HELP: str  # one line
    EXAMPLES: Mapping[str, str]  # command line -> what it does

    def needs(self, request: Request, snapshot: Snapshot) -> Needs:
        """Who may give this command with these arguments, as the configuration says. Raises UserError."""
        ...

    def decide(self, request: Request, snapshot: Snapshot, now: datetime) -> Outcome:
        """What is to be done. Raises UserError for a refusal: why, and what to do instead."""
        ...
