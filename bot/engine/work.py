"""The work port: what the bot asks of a durable engine, in plain types.

Truth is in Git and GitHub; an engine behind this port holds only work to do. Deleting its database costs
nothing but caches and timers, because the first tick of the next start asks for a look at every repository.

    intake ──▶ accept_delivery ──┐
    a look's answer ▶ look_later ├─▶ one look per repository at a time ─▶ Handlers.look
    tick ──────▶ request_look ───┘
    comment ───▶ submit_command ────▶ one durable job per comment ─────▶ Handlers.command

What every engine promises (`tests/engine/test_work_*.py` holds them, for each engine):

* When `accept_delivery`, `request_look`, `look_later` or `submit_command` returns, the work is committed:
  a process killed the moment after still does it once it is back.
* Work on one repository, looks and commands alike, never runs twice at once, in however many processes.
  Commands go before looks that wait. Different repositories never wait for one another, except for a free place.
* Many requests make one look: at most one runs and one waits per repository, and the one that waits begins
  after the last request, so it sees what that request was about.
* Everything may be done twice (a process can die after an effect and before its record), so handlers act by
  natural key. A command that ended well is never run again.

`bot.engine.durable.engine.DurableWork` is the engine: SQLite for one process, PostgreSQL for several.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CommandJob:
    """One thing a person asked for, to be answered once.

    `key` is its natural key and names the comment it came in ("acme/shop#comment-123"). `repository`
    ("acme/shop", spelled as GitHub spells it) is the one whose turn it takes. `details` are the ids the handler
    needs to read the rest from GitHub; bodies don't belong here.
    """

    key: str
    repository: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handlers:
    """What the application does when work is due. All run on the event loop that called `Work.start`.

    `look(repository)` returns when to look again at the latest, or None to wait for the next request.
    `command(job)` answers one command. `tick()` returns the repositories that want a look now.

    A handler that raises `bot.errors.Retry` is run again at its time. Any other exception is logged with an id and
    the work tried again, ever later, a bounded number of times. A handler may be cancelled when the process ends.
    """

    look: Callable[[str], Awaitable[datetime | None]]
    command: Callable[[CommandJob], Awaitable[None]]
    tick: Callable[[], Awaitable[Iterable[str]]]


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How an engine works. The defaults are the bot's; tests shorten them."""

    tick_every: timedelta | None = timedelta(minutes=5)
    """Between two ticks of all processes together; each process also ticks once as it starts. None: never."""
    concurrency: int = 16
    """Looks and commands that run at once in this process."""
    poll: timedelta = timedelta(milliseconds=100)
    """How often waiting work is looked for: half of it is the mean delay before a look starts."""
    limit: timedelta = timedelta(minutes=30)
    """How long one look or command may run before it counts as failed."""
    attempts: int = 8
    """How often a failing command, or a failing look that nobody asks for again, is run in all."""
    backoff: timedelta = timedelta(seconds=2)
    """Before the second attempt; doubled before each further one."""
    longest_backoff: timedelta = timedelta(minutes=5)
    takeovers: int = 3
    """How often work may outlive the process that ran it before it is given up as what kills them."""
    keep_looks: timedelta = timedelta(hours=1)
    """How long finished looks stay in the database, for whoever reads it."""
    keep_commands: timedelta = timedelta(days=7)
    """How long the key of a finished command is known. Afterwards the reaction on its comment is the mark."""
    keep_deliveries: timedelta = timedelta(days=7)
    """How long a delivery id is known. GitHub redelivers for three days:
    https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks"""
    sweep: timedelta = timedelta(minutes=1)
    """Between two rounds of pruning what is finished and mending what is damaged."""
    grace: timedelta = timedelta(seconds=10)
    """How long `stop` waits for running work; what isn't done by then is done after the next start."""


@dataclass(frozen=True, slots=True)
class WorkStats:
    """Counts at one moment, over all processes that share the database."""

    looks_waiting: int
    looks_running: int
    commands_waiting: int
    """Those put off by `Retry` or a failure included."""
    commands_running: int
    commands_failed: int
    """Given up within `WorkOptions.keep_commands`."""
    timers: int
    """Repositories with a `look_later` that is not yet due."""
    deliveries: int
    """Delivery ids known."""
    oldest: timedelta
    """Age of the oldest work that could run and waits; zero if none does."""


class Work(Protocol):
    """A durable engine. Between `start` and `stop` every method may be called from any task of the loop."""

    async def start(self, handlers: Handlers) -> None:
        """Open the database, take over what dead processes left, and begin to work.

        Raises `UserError` if the address is none, the server can't be reached, or (SQLite) another process works
        on the same file. A database that is missing is created empty.
        """

    async def run_until_lost(self) -> None:
        """Return once stopped; raise `Broken` once this process may no longer work.

        That is when the session that proves it alive is lost, so that others may take over, or when the upkeep
        failed. Running handlers have then been cancelled. The caller ends the process at once (`os._exit`: threads may
        hang in a database that is away) with a status that has it started again; nothing is repaired in place.
        """

    async def stop(self) -> None:
        """Let running work end within the grace, hand the rest over to the next process, close the database."""

    async def accept_delivery(
        self, delivery_id: str, looks: Sequence[str], commands: Sequence[CommandJob] = ()
    ) -> bool:
        """Record a webhook delivery and the work it asks for, in one transaction. False if the id was seen before.

        The id is the `X-GitHub-Delivery` header, which GitHub keeps when it redelivers.
        """

    async def request_look(self, repository: str) -> None:
        """Have `repository` ("acme/shop", as GitHub spells it) looked at soon, by a look begun after this call."""

    async def look_later(self, repository: str, at: datetime) -> None:
        """Have `repository` looked at no later than `at` (aware). The earliest time asked for wins.

        There is one timer per repository, so asking again is cheap. A look at an earlier time doesn't clear it.
        """

    async def submit_command(self, job: CommandJob) -> bool:
        """Have `job` done. False if its key is known, whatever became of it."""

    async def remember(self, key: str, value: str, ttl: timedelta) -> None:
        """Keep a small text (JSON, say) for `ttl`, in place of what `key` held. Raises ValueError above 64 kB.

        A cache: it may be gone any time, and whoever reads must be able to do without.
        """

    async def recall(self, key: str) -> str | None:
        """What `remember` was last given for `key`, unless that has expired."""

    async def stats(self) -> WorkStats:
        """Counts for health and metrics. Costs a few small queries."""
