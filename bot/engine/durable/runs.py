"""Running the handlers: one at a time per repository, within a limit, and again when that may help."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from bot.engine.durable.line import Attempt, Line, look_id
from bot.engine.durable.liveness import Liveness
from bot.engine.durable.tables import Ledger
from bot.engine.durable.threads import Threads
from bot.engine.work import Handlers, WorkOptions
from bot.errors import Broken, Retry

log = logging.getLogger(__name__)


class Runs:
    """What DBOS calls when it is some work's turn.

    DBOS writes down as failed for good what leaves `look` or `command` by an exception, so only what is to count as
    such leaves them. What leaves by cancellation stays running in the books, and is taken over.
    """

    def __init__(
        self,
        *,
        handlers: Handlers,
        options: WorkOptions,
        ledger: Ledger,
        line: Line,
        alive: Liveness,
        threads: Threads,
        look_later: Callable[[str, datetime], Awaitable[None]],
    ) -> None:
        self._handlers = handlers
        self._options = options
        self._ledger = ledger
        self._line = line
        self._alive = alive
        self._threads = threads
        self._look_later = look_later
        self._closing = False
        self._tasks: dict[asyncio.Task[object], str] = {}
        self._working: set[asyncio.Task[object]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def ids(self) -> frozenset[str]:
        """The work in the hands of this process."""
        return frozenset(self._tasks.values())

    async def look(self, repository: str, generation: int) -> None:
        async with self._turn(repository, look_id(repository, generation)):
            await self._threads.run(self._ledger.begin_look, repository, generation)
            again: datetime | None
            try:
                async with asyncio.timeout(self._options.limit.total_seconds()):
                    again = await self._handlers.look(repository)
            except Retry as retry:
                again = retry.at
            except Exception as error:  # noqa: BLE001  # the border: one look's failure is nobody else's
                failures = await self._threads.run(self._ledger.count_failure, repository, failed=True)
                again = self._after_failure(f"look at {repository}", failures, error)
            else:
                await self._threads.run(self._ledger.count_failure, repository, failed=False)
            if again is not None:
                await self._look_later(repository, again)

    async def command(self, attempt: Attempt) -> None:
        async with self._turn(attempt.job.repository, attempt.id):
            following = replace(attempt, number=attempt.number + 1)
            if await self._threads.run(self._line.knows, following.id):
                return  # put off before, by a process that died before it could say so
            try:
                async with asyncio.timeout(self._options.limit.total_seconds()):
                    await self._handlers.command(attempt.job)
            except Retry as retry:
                await self._threads.run(self._line.enqueue_again, following, retry.at)
            except Exception as error:  # noqa: BLE001  # the border: one command's failure is nobody else's
                following = replace(following, failures=attempt.failures + 1)
                again = self._after_failure(f"command {attempt.job.key}", following.failures, error)
                if again is None:
                    raise Broken(f"command {attempt.job.key} failed {following.failures} times") from None
                await self._threads.run(self._line.enqueue_again, following, again)

    def _after_failure(self, what: str, failures: int, error: Exception) -> datetime | None:
        """When to try again, if at all."""
        again = None
        if failures < self._options.attempts:
            pause = min(self._options.backoff * 2 ** (failures - 1), self._options.longest_backoff)
            again = datetime.now(UTC) + pause
        log.error(
            "%s failed, error %s, attempt %d of %d, %s",
            what,
            uuid.uuid4().hex[:8],
            failures,
            self._options.attempts,
            f"again at {again:%H:%M:%S} UTC" if again else "given up",
            exc_info=error,
        )
        return again

    @asynccontextmanager
    async def _turn(self, repository: str, identity: str) -> AsyncIterator[None]:
        """Wait for the repository to be free, here and everywhere.

        The line lets one job per repository run at a time, but decides that by what it reads before others commit:
        with several workers two jobs can slip through at once. The lock makes sure, and outlives no process.
        """
        task = asyncio.current_task()
        if task is None:
            raise Broken("work runs in no task")
        self._tasks[task] = identity
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        # The dictionary keeps a lock for as long as somebody has or awaits it.
        async with self._turns.setdefault(repository, asyncio.Lock()), self._alive.hold(repository):
            if self._closing:
                await asyncio.get_running_loop().create_future()  # until `end` or the process ends it
            self._working.add(task)
            task.add_done_callback(self._working.discard)
            yield

    async def end(self, grace: float) -> None:
        """Begin nothing more, give what runs `grace` seconds, and cancel the rest."""
        self._closing = True
        if self._working and grace:
            await asyncio.wait(set(self._working), timeout=grace)
        await self.cancel()

    async def cancel(self) -> None:
        """Cancel everything, and wait for it to be over."""
        if rest := self.abandon():
            await asyncio.wait(rest)

    def abandon(self) -> set[asyncio.Task[object]]:
        """Cancel everything; what that was."""
        self._closing = True
        rest = set(self._tasks)
        for task in rest:
            task.cancel()
        return rest
