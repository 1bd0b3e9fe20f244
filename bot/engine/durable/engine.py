"""`DurableWork`: the work port on DBOS, with SQLite for one process and PostgreSQL for several.

    database.py   DATABASE_URL to an engine      runs.py     handlers: one at a time per repository, retries
    line.py       waiting work, kept by DBOS     upkeep.py   ticks, timers, takeover, mending, pruning
    tables.py     what was asked and what began  liveness.py who is alive

Requesting a look adds one to the repository's number of looks asked for and enqueues the job of that number, in one
transaction, unless that number is already ahead of the looks begun. The job first records its number as begun.
"""

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.engine.durable.database import connect, libpq, parse
from bot.engine.durable.line import COMMAND, LOOK, RUNNING, WAITING, Line, count
from bot.engine.durable.liveness import FileLiveness, Liveness, SessionLiveness
from bot.engine.durable.runs import Runs
from bot.engine.durable.tables import Ledger
from bot.engine.durable.threads import Threads
from bot.engine.durable.upkeep import Upkeep
from bot.engine.work import CommandJob, Handlers, WorkOptions, WorkStats
from bot.errors import Broken

LONGEST_VALUE = 65_536


@dataclass(frozen=True, slots=True)
class _Parts:
    threads: Threads
    line: Line
    ledger: Ledger
    runs: Runs
    upkeep: Upkeep


class DurableWork:
    """The engine behind `bot.engine.work.Work`. One may be started per process at a time: DBOS is a singleton."""

    def __init__(self, database_url: str, options: WorkOptions | None = None) -> None:
        """Connects to nothing yet. Raises UserError if `database_url` is nothing work can be kept in."""
        self._url = parse(database_url)
        self._options = options or WorkOptions()
        self._executor = str(uuid.uuid4())  # one life of one process; no id is ever used again
        self._parts: _Parts | None = None
        self._undo = AsyncExitStack()
        self._chores: set[asyncio.Task[None]] = set()
        self._end: asyncio.Future[None] | None = None

    async def start(self, handlers: Handlers) -> None:
        if self._end is not None:
            raise Broken("this work engine was started before")
        self._end = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as undo:
            database = connect(self._url)
            undo.callback(database.dispose)
            threads = Threads(4 if self._url.drivername == "sqlite" else 8)
            undo.callback(threads.close)
            alive = self._liveness()
            undo.push_async_callback(alive.release)
            await alive.claim()
            line = Line(database, self._executor)
            ledger = Ledger(database, line)
            await threads.run(ledger.create)
            runs = Runs(
                handlers=handlers,
                options=self._options,
                ledger=ledger,
                line=line,
                alive=alive,
                threads=threads,
                look_later=self.look_later,
            )
            upkeep = Upkeep(
                executor=self._executor,
                handlers=handlers,
                options=self._options,
                ledger=ledger,
                line=line,
                alive=alive,
                threads=threads,
                runs=runs,
            )
            self._parts = _Parts(threads, line, ledger, runs, upkeep)
            undo.push_async_callback(self._hand_back)
            undo.push_async_callback(self._close_line)
            await line.launch(runs.look, runs.command, self._options.concurrency, self._options.poll)
            undo.push_async_callback(self._end_runs)
            undo.push_async_callback(self._end_chores)
            self._begin_chores(alive, upkeep)
            self._undo = undo.pop_all()

    def _liveness(self) -> Liveness:
        if self._url.drivername == "sqlite":
            return FileLiveness(Path(str(self._url.database)))
        return SessionLiveness(libpq(self._url), self._executor)

    def _begin_chores(self, alive: Liveness, upkeep: Upkeep) -> None:
        chores = [alive.watch(), upkeep.timers(), upkeep.takeovers(), upkeep.sweeps()]
        if self._options.tick_every is not None:
            chores.append(upkeep.ticks(self._options.tick_every.total_seconds()))
        for chore in chores:
            task = asyncio.ensure_future(chore)
            self._chores.add(task)
            task.add_done_callback(self._chore_ended)

    def _chore_ended(self, chore: asyncio.Task[None]) -> None:
        if chore.cancelled() or self._end is None or self._end.done():
            return
        cause = chore.exception() or Broken("it returned")
        if isinstance(cause, Broken):
            self._end.set_exception(cause)
        else:
            broken = Broken(f"the upkeep of work failed: {type(cause).__name__}: {cause}")
            broken.__cause__ = cause
            self._end.set_exception(broken)
        if self._parts is not None:
            self._parts.runs.abandon()

    @property
    def _is_lost(self) -> bool:
        return self._end is not None and self._end.done() and self._end.exception() is not None

    async def run_until_lost(self) -> None:
        if self._end is None:
            raise Broken("the work engine was not started")
        await asyncio.shield(self._end)

    async def stop(self) -> None:
        await self._undo.aclose()
        self._parts = None
        if self._end is not None and not self._end.done():
            self._end.set_result(None)

    async def _end_chores(self) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    async def _end_runs(self) -> None:
        grace = 0.0 if self._is_lost else self._options.grace.total_seconds()
        await self._open.runs.end(grace)

    async def _close_line(self) -> None:
        await self._open.threads.run(self._open.line.close)
        await self._open.runs.cancel()  # what was claimed while the line was closing
        # DBOS had made its threads those of the loop, and they are gone now.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    async def _hand_back(self) -> None:
        """Let another process, or the next one, go on at once with what this one leaves."""
        if not self._is_lost:
            line, threads = self._open.line, self._open.threads
            left = [entry.id for entry in await threads.run(line.running) if entry.executor == self._executor]
            await threads.run(line.put_back, left)

    @property
    def _open(self) -> _Parts:
        if self._parts is None:
            raise Broken("the work engine is not started")
        return self._parts

    async def accept_delivery(
        self, delivery_id: str, looks: Sequence[str], commands: Sequence[CommandJob] = ()
    ) -> bool:
        accept = self._open.ledger.accept_delivery
        return await self._open.threads.run(accept, delivery_id, looks, commands)

    async def request_look(self, repository: str) -> None:
        await self._open.threads.run(self._open.ledger.request_look, repository)

    async def look_later(self, repository: str, at: datetime) -> None:
        if await self._open.threads.run(self._open.ledger.look_later, repository, at.timestamp()):
            self._open.upkeep.timer_set()

    async def submit_command(self, job: CommandJob) -> bool:
        return await self._open.threads.run(self._open.ledger.submit_command, job)

    async def remember(self, key: str, value: str, ttl: timedelta) -> None:
        if len(value) > LONGEST_VALUE:
            raise ValueError(f"{key!r}: {len(value)} characters are more than a cache of small values takes")
        await self._open.threads.run(self._open.ledger.remember, key, value, ttl.total_seconds())

    async def recall(self, key: str) -> str | None:
        return await self._open.threads.run(self._open.ledger.recall, key)

    async def stats(self) -> WorkStats:
        parts, now = self._open, datetime.now(UTC)
        entries = await parts.threads.run(parts.line.unfinished)
        found = count(entries)
        ready = [entry.created for entry in entries if entry.status == WAITING[0]]
        timers, deliveries = await parts.threads.run(parts.ledger.counts)
        return WorkStats(
            looks_waiting=sum(found.get((LOOK, status), 0) for status in WAITING),
            looks_running=found.get((LOOK, RUNNING), 0),
            commands_waiting=sum(found.get((COMMAND, status), 0) for status in WAITING),
            commands_running=found.get((COMMAND, RUNNING), 0),
            commands_failed=await parts.threads.run(parts.line.failed_commands),
            timers=timers,
            deliveries=deliveries,
            oldest=max((now - created for created in ready), default=timedelta(0)),
        )
