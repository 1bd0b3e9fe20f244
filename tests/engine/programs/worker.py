"""A process that works, for tests to kill: intake on stdin, answers on stdout, and a journal of what it did.

argv: DATABASE_URL, the folder of the world, options as JSON. The world has `journal`, a file per repository that
counts its triggers, and `<repository>.hold`: while that is there, work on the repository doesn't end.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.engine.durable.engine import DurableWork
from bot.engine.work import CommandJob, Handlers, WorkOptions
from bot.errors import Broken, UserError


class World:
    def __init__(self, folder: Path, pause: float) -> None:
        self.folder = folder
        self.pause = pause

    def count(self, repository: str) -> int:
        path = self.folder / repository.replace("/", "_")
        return int(path.read_text()) if path.exists() else 0

    def note(self, *words: object) -> None:
        line = " ".join(map(str, (os.getpid(), *words))) + "\n"
        descriptor = os.open(self.folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line.encode())
        os.close(descriptor)

    async def do(self, kind: str, repository: str, name: str) -> None:
        seen = self.count(repository)
        self.note("begin", kind, repository, name, seen)
        await asyncio.sleep(self.pause)
        hold = self.folder / (repository.replace("/", "_") + ".hold")
        while hold.exists():
            if hold.read_text() == "die":
                os.abort()
            await asyncio.sleep(0.01)
        self.note("end", kind, repository, name, seen)

    async def look(self, repository: str) -> datetime | None:
        await self.do("look", repository, "-")
        return None

    async def command(self, job: CommandJob) -> None:
        await self.do("command", job.repository, job.key)

    async def tick(self) -> list[str]:
        return []


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)


async def serve(work: DurableWork, request: dict[str, Any]) -> None:
    """One line of intake; answered only when it is durable."""
    fresh = True
    match request:
        case {"delivery": str(delivery), "looks": list(looks)}:
            jobs = [CommandJob(key, key.split("#")[0], {}) for key in request.get("commands", [])]
            fresh = await work.accept_delivery(delivery, looks, jobs)
        case {"later": str(repository), "in": float(seconds)}:
            await work.look_later(repository, datetime.now(UTC) + timedelta(seconds=seconds))
    say(ack=request["ack"], fresh=fresh)


async def main(url: str, folder: str, options: dict[str, float]) -> int:
    world = World(Path(folder), options.get("pause", 0.0))
    poll, takeovers = timedelta(seconds=0.05), int(options.get("takeovers", 3))
    work = DurableWork(url, WorkOptions(tick_every=None, poll=poll, concurrency=32, takeovers=takeovers))
    try:
        await work.start(Handlers(world.look, world.command, world.tick))
    except UserError as error:
        say(refused=str(error))
        return 2
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(up=os.getpid())
    lost = asyncio.ensure_future(work.run_until_lost())
    lost.add_done_callback(leave_if_broken)
    serving = set()
    while line := await reader.readline():
        serving.add(task := asyncio.create_task(serve(work, json.loads(line))))
        task.add_done_callback(serving.discard)
    await work.stop()
    return 0


def leave_if_broken(lost: "asyncio.Future[None]") -> None:
    if isinstance(error := lost.exception(), Broken):
        say(broken=str(error))
        os._exit(70)


sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
