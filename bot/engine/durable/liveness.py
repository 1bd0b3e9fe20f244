"""Who is alive: a lock that goes with its process, on a file for SQLite and in a session for PostgreSQL.

A process works only while it holds the lock of its own name. Whoever gets the lock of another's name knows that
one to be dead, and may take its work over.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg

from bot.engine.durable.database import KEEPALIVES
from bot.errors import Broken, UserError

HEARTBEAT = 0.5
"""Seconds between two proofs that the lock is still held."""

SILENCE = 5.0
"""Seconds without an answer after which a session counts as lost: fewer than the server's keepalive takes."""

MOURNING = 1.5
"""Seconds from finding another process dead to taking its work over: several heartbeats, so that one that lost
its session but not its life has stopped by then."""

PATIENCE = 1.0
"""Seconds that a process which holds the file, but may be ending, is waited for."""


class Liveness(Protocol):
    async def claim(self) -> None:
        """Take the lock of this process. Raises UserError if it can't be had."""

    async def watch(self) -> None:
        """Run while the lock is held; raise Broken once it isn't."""

    def mourn(self, executors: frozenset[str]) -> AbstractAsyncContextManager[frozenset[str]]:
        """Those of `executors` that are dead; while the context lasts nobody else finds them dead."""

    def hold(self, repository: str) -> AbstractAsyncContextManager[None]:
        """Keep `repository` from all other processes, waiting for it if need be.

        Waits for ever once this process has lost its lock: what it does from then on must not count as done.
        """

    async def release(self) -> None:
        """Give up every lock."""


class FileLiveness:
    """One process per SQLite file, so whatever another one left running is dead.

    The lock is on a file of its own beside the database, because closing any descriptor of the database would
    drop SQLite's own locks: https://www.sqlite.org/howtocorrupt.html (2.2).
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._beside = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    async def claim(self) -> None:
        descriptor = os.open(self._beside, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
                    os.close(descriptor)
                    raise UserError(
                        f"DATABASE_URL: process {holder or '(unknown)'} is already working on {self._database}. "
                        "One SQLite file serves one process: stop that one first, or use PostgreSQL "
                        "(postgresql://…), which serves several"
                    ) from None
                await asyncio.sleep(0.05)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    async def watch(self) -> None:
        created = self._identity()
        while self._identity() == created:  # noqa: ASYNC110  # nobody in this process could set an event
            await asyncio.sleep(HEARTBEAT)
        raise Broken(f"the database {self._database} was removed or replaced while this process worked on it")

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._database.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @asynccontextmanager
    async def mourn(self, executors: frozenset[str]) -> AsyncIterator[frozenset[str]]:
        yield executors

    def hold(self, repository: str) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class SessionLiveness:
    """Session-level advisory locks of one connection, which PostgreSQL drops when the session ends.

    The connection has to reach the server itself, or a pooler in session mode.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, conninfo: str, executor: str) -> None:
        self._conninfo = conninfo
        self._executor = executor
        self._session: psycopg.AsyncConnection[Any] | None = None

    async def claim(self) -> None:
        try:
            self._session = await psycopg.AsyncConnection.connect(
                self._conninfo,
                autocommit=True,
                application_name=f"towpath {self._executor}",
                **KEEPALIVES,  # type: ignore[arg-type]  # psycopg's annotations know no libpq options by name
            )
            # The server looks after its end as closely; it ignores these on a Unix socket.
            # https://www.postgresql.org/docs/current/runtime-config-connection.html#RUNTIME-CONFIG-TCP-SETTINGS
            await self._session.execute("set tcp_keepalives_idle = 5")
            await self._session.execute("set tcp_keepalives_interval = 2")
            await self._session.execute("set tcp_keepalives_count = 3")
            await self._session.execute("set idle_session_timeout = 0")
        except psycopg.Error as error:
            raise UserError(
                f"DATABASE_URL: PostgreSQL can't be used: {str(error).strip()}. "
                "Check host, database, user and password, and that the server is up"
            ) from error
        if not await self._try_lock("executor", self._executor):
            raise Broken(f"the fresh executor id {self._executor!r} is taken")

    async def watch(self) -> None:
        while True:
            beat = asyncio.ensure_future(self._ask("select true"))
            # Not wait_for: cancelling would have psycopg talk to the very server that is silent.
            done, _ = await asyncio.wait({beat}, timeout=SILENCE)
            if not done:
                raise Broken(f"PostgreSQL has been silent for {SILENCE:.0f} s; another process may take over")
            if error := beat.exception():
                raise Broken("the PostgreSQL session that proves this process alive is lost") from error
            await asyncio.sleep(HEARTBEAT)

    @asynccontextmanager
    async def mourn(self, executors: frozenset[str]) -> AsyncIterator[frozenset[str]]:
        dead = frozenset([name for name in sorted(executors) if await self._try_lock("executor", name)])
        try:
            if dead:
                await asyncio.sleep(MOURNING)
            yield dead
        finally:
            for name in dead:
                await self._unlock("executor", name)

    @asynccontextmanager
    async def hold(self, repository: str) -> AsyncIterator[None]:
        try:
            while not await self._try_lock("repository", repository):  # noqa: ASYNC110  # another process has it
                await asyncio.sleep(0.1)
        except psycopg.Error:
            await _for_ever()  # watch() meets the same error, and ends the process
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # then the lock went with the session; watch() meets the same error
                await self._unlock("repository", repository)

    async def release(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _try_lock(self, kind: str, name: str) -> bool:
        return await self._ask("select pg_try_advisory_lock(%s)", _lock_key(kind, name))

    async def _unlock(self, kind: str, name: str) -> None:
        await self._ask("select pg_advisory_unlock(%s)", _lock_key(kind, name))

    async def _ask(self, query: str, *parameters: int) -> bool:
        if self._session is None:
            raise psycopg.OperationalError("no session")
        cursor = await self._session.execute(query, parameters)
        row = await cursor.fetchone()
        return bool(row and row[0])


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def _lock_key(kind: str, name: str) -> int:
    """A 64-bit key for `pg_advisory_lock`, the same in every process."""
    digest = hashlib.sha256(f"towpath {kind} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
