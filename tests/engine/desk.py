"""An application small enough to watch, for engines to work for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from inspect import isawaitable

from bot.engine.work import CommandJob, Handlers, Work


async def until(condition: Callable[[], object], seconds: float = 60.0, what: str = "") -> None:
    """Wait for `condition` (which may be asynchronous), and fail if that takes longer than `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        held = condition()
        if isawaitable(held):
            held = await held
        if held:
            return
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:.0f} s: {what or condition}"
        await asyncio.sleep(0.01)


async def settled(work: Work) -> None:
    """Wait until nothing waits or runs."""

    async def idle() -> bool:
        now = await work.stats()
        return not (now.looks_waiting or now.looks_running or now.commands_waiting or now.commands_running)

    await until(idle, what="nothing waits or runs")


def in_(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


class Desk:
    """An application: a world of counters, handlers that read it, and a diary. Notes whatever must never happen."""

    def __init__(self) -> None:
        self.world: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.diary: list[tuple[str, str]] = []
        self.clashes: list[str] = []
        self.ticked: list[str] = []
        self.pause = 0.0
        self.looks: dict[str, Callable[[], Awaitable[datetime | None]]] = {}
        self.commands: dict[str, Callable[[], Awaitable[None]]] = {}
        self._busy: set[str] = set()

    def times(self, kind: str, name: str) -> int:
        return self.diary.count((kind, name))

    async def done(self, kind: str, name: str, times: int = 1) -> None:
        """Wait until that has been begun so many times."""
        await until(lambda: self.times(kind, name) >= times, what=f"{times} x {kind} {name}")

    @asynccontextmanager
    async def _alone(self, repository: str) -> AsyncIterator[None]:
        if repository in self._busy:
            self.clashes.append(repository)
        self._busy.add(repository)
        try:
            yield
        finally:
            self._busy.discard(repository)

    async def look(self, repository: str) -> datetime | None:
        async with self._alone(repository):
            found = self.world[repository]
            self.diary.append(("look", repository))
            await asyncio.sleep(self.pause)
            again = await self.looks[repository]() if repository in self.looks else None
            self.seen[repository] = max(self.seen[repository], found)
            return again

    async def command(self, job: CommandJob) -> None:
        async with self._alone(job.repository):
            self.diary.append(("command", job.key))
            await asyncio.sleep(self.pause)
            if job.key in self.commands:
                await self.commands[job.key]()

    async def tick(self) -> Sequence[str]:
        self.diary.append(("tick", ""))
        return self.ticked

    @property
    def handlers(self) -> Handlers:
        return Handlers(self.look, self.command, self.tick)
