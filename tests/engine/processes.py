"""Processes that work (`programs/worker.py`), and the world they see and write their journal in."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.engine.desk import until

numbers = count(1)


@dataclass
class Worker:
    """A running `programs/worker.py`."""

    process: asyncio.subprocess.Process
    acks: dict[int, bool] = field(default_factory=dict)
    said: dict[str, object] = field(default_factory=dict)
    reading: "asyncio.Task[None] | None" = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, **request: object) -> int:
        """Ask for something; the number under which `acks` will say that it is durable."""
        number = next(numbers)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"ack": number, **request}).encode() + b"\n")
        return number

    async def ask(self, **request: object) -> bool:
        number = self.send(**request)
        await until(lambda: number in self.acks, what=f"answer to {request}")
        return self.acks[number]

    async def acknowledged(self, number: int) -> None:
        """Wait for so many answers."""
        await until(lambda: len(self.acks) >= number, what=f"{number} answers")

    async def read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            word = json.loads(line)
            if "ack" in word:
                self.acks[word["ack"]] = word["fresh"]
            else:
                self.said.update(word)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        if self.reading is not None:
            await self.reading
        if self.process.stdin is not None:
            self.process.stdin.close()


class World:
    """What the workers see and did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counts: Counter[str] = Counter()

    def trigger(self, repository: str) -> int:
        self._counts[repository] += 1
        (self.folder / repository.replace("/", "_")).write_text(str(self._counts[repository]))
        return self._counts[repository]

    def hold(self, repository: str, how: str = "wait") -> None:
        (self.folder / (repository.replace("/", "_") + ".hold")).write_text(how)

    def release(self, repository: str) -> None:
        (self.folder / (repository.replace("/", "_") + ".hold")).unlink()

    def journal(self) -> list[list[str]]:
        """Lines of: pid, begin or end, look or command, repository, command's key, triggers seen."""
        path = self.folder / "journal"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def begun(self, repository: str, pid: int | None = None) -> bool:
        return any(
            line[1] == "begin" and line[3] == repository and pid in {None, int(line[0])} for line in self.journal()
        )

    def ended(self, repository: str, pid: int) -> list[str]:
        """The kinds of work on the repository that the process has finished."""
        return [line[2] for line in self.journal() if line[:2] == [str(pid), "end"] and line[3] == repository]

    def seen(self) -> dict[str, int]:
        """The newest trigger of each repository that a look which ended has seen."""
        newest: dict[str, int] = defaultdict(int)
        for _, what, kind, repository, _, seen in self.journal():
            if (what, kind) == ("end", "look"):
                newest[repository] = max(newest[repository], int(seen))
        return newest

    def clashes(self, killed: Sequence[int]) -> list[str]:
        """Repositories on which work began while other work on them had not ended, in a process still alive."""
        running: dict[str, int] = {}
        found = []
        for pid, what, _, repository, *_ in self.journal():
            if what == "begin" and running.get(repository) not in {None, *killed}:
                found.append(repository)
            if what == "begin":
                running[repository] = int(pid)
            else:
                running.pop(repository, None)
        return found
