"""The bot's database in the scenarios: made once, and asked whether there is anything left to do."""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from bot.engine.durable.engine import DurableWork
from bot.engine.work import Handlers, WorkOptions


def waits(store: Path) -> bool:
    """Whether there is work to do now. Asking the bot, many times a second, would keep it from that work."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)) as database:
        unfinished = "select 1 from workflow_status where status in ('ENQUEUED', 'DELAYED', 'PENDING')"
        return database.execute(f"select exists ({unfinished})").fetchone() == (1,)


@cache
def new_store() -> bytes:
    """The database of a bot that has had nothing to do yet. Making its tables takes longer than many a scenario."""

    async def nothing(_: object = None) -> tuple[()]:
        return ()

    async def make(store: Path) -> None:
        work = DurableWork(f"sqlite:///{store}", WorkOptions(tick_every=None))
        await work.start(Handlers(nothing, nothing, nothing))
        await work.stop()

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "towpath.db"
        asyncio.run(make(store))
        return store.read_bytes()


def give_store(folder: Path) -> Path:
    """Where the bot with this data folder has its database, which is there from now on."""
    store = folder / "towpath.db"
    if not store.exists():
        folder.mkdir(parents=True, exist_ok=True)
        store.write_bytes(new_store())
    return store
