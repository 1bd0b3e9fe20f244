"""What goes on beside the work: ticks, timers, taking over from the dead, mending, pruning.

Each method runs until cancelled. If one fails the process ends, and the next one starts with a clean slate.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

from bot.engine.durable.line import COMMAND, LOOK, Line, look_id
from bot.engine.durable.liveness import Liveness
from bot.engine.durable.runs import Runs
from bot.engine.durable.tables import Ledger
from bot.engine.durable.threads import Threads
from bot.engine.work import Handlers, WorkOptions

log = logging.getLogger(__name__)

WATCH = 1.0
"""Seconds between two searches for dead processes, and the longest sleep between two searches for due timers."""


class Upkeep:
    def __init__(
        self,
        *,
        executor: str,
        handlers: Handlers,
        options: WorkOptions,
        ledger: Ledger,
        line: Line,
        alive: Liveness,
        threads: Threads,
        runs: Runs,
    ) -> None:
        self._executor = executor
        self._handlers = handlers
        self._options = options
        self._ledger = ledger
        self._line = line
        self._alive = alive
        self._threads = threads
        self._runs = runs
        self._earlier = asyncio.Event()

    def timer_set(self) -> None:
        """A timer was set that may be the next one due."""
        self._earlier.set()

    async def timers(self) -> None:
        while True:
            self._earlier.clear()
            due = await self._threads.run(self._ledger.fire_timers)
            pause = WATCH if due is None else min(WATCH, max(0.0, due - time.time()))
            try:
                async with asyncio.timeout(pause):
                    await self._earlier.wait()
            except TimeoutError:
                pass

    async def ticks(self, every: float) -> None:
        # The start may follow an outage or the loss of the database, so it doesn't wait for the next turn.
        pause = await self._threads.run(self._ledger.take_turn, "tick", every, anyway=True)
        while True:
            if pause == 0:
                await self._tick()
            else:
                await asyncio.sleep(pause)
            pause = await self._threads.run(self._ledger.take_turn, "tick", every)

    async def _tick(self) -> None:
        try:
            async with asyncio.timeout(self._options.limit.total_seconds()):
                repositories = tuple(await self._handlers.tick())
        except Exception:  # the border: a tick that fails is made good by the next one
            log.exception("tick failed")
            return
        for repository in repositories:
            await self._threads.run(self._ledger.request_look, repository)

    async def takeovers(self) -> None:
        while True:
            await self.take_over()
            await asyncio.sleep(WATCH)

    async def take_over(self) -> None:
        """Put back in line what dead processes were running, but for what seems to kill them."""
        running = await self._threads.run(self._line.running)
        others = frozenset({entry.executor for entry in running if entry.executor}) - {self._executor}
        if not others:
            return
        async with self._alive.mourn(others) as dead:
            left = [entry for entry in await self._threads.run(self._line.running) if entry.executor in dead]
            harmless = []
            for entry in left:
                times = await self._threads.run(self._ledger.count_takeover, entry.id)
                if times <= self._options.takeovers:
                    harmless.append(entry.id)
                else:
                    log.error("%s given up: %d processes died while they ran it", entry.id, times)
                    await self._threads.run(self._line.cancel, entry.id)
            if harmless:
                log.warning("taking over from %d dead: %s", len(dead), ", ".join(harmless[:20]))
                await self._threads.run(self._line.put_back, harmless)

    async def sweeps(self) -> None:
        """Mend and prune."""
        every = self._options.sweep.total_seconds()
        strays: frozenset[str] = frozenset()
        while True:
            strays = await self._mend(strays)
            if await self._threads.run(self._ledger.take_turn, "prune", every) == 0:
                await self._prune()
            await asyncio.sleep(every)

    async def _mend(self, suspects: frozenset[str]) -> frozenset[str]:
        """Ask again for looks that will never begin, and put back what has long been ours and isn't being run.

        Neither happens unless a row was cancelled or deleted by hand, or the database failed at a bad moment.
        """
        ids = {look_id(*look): look for look in (await self._threads.run(self._ledger.waiting_looks)).items()}
        for lost in sorted(await self._threads.run(self._line.missing, ids)):
            if await self._threads.run(self._ledger.replace_look, *ids[lost]):
                log.warning("%s would never have begun; asked again", lost)
        running = await self._threads.run(self._line.running)
        strays = frozenset({entry.id for entry in running if entry.executor == self._executor}) - self._runs.ids
        if stuck := strays & suspects:
            log.warning("claimed but not running, put back: %s", ", ".join(sorted(stuck)))
            await self._threads.run(self._line.put_back, stuck)
        return strays - stuck

    async def _prune(self) -> None:
        now, options = datetime.now(UTC), self._options
        await self._threads.run(self._line.prune, LOOK, now - options.keep_looks)
        await self._threads.run(self._line.prune, COMMAND, now - options.keep_commands)
        deliveries_before, takeovers_before = now - options.keep_deliveries, now - options.keep_commands
        await self._threads.run(self._ledger.forget, deliveries_before.timestamp(), takeovers_before.timestamp())
