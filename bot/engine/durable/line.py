"""The line of waiting and running work, kept by DBOS. No other file imports it.

DBOS is used for little: a queue with one place per repository, rows that outlive the process, and the claim that
exactly one process gets. Its replay of steps isn't used: a look that is run again looks again.

Two of its defaults would strand work. The application version is a constant here, because the default is a hash
of our source, and work of another version is never run. Names of queue and jobs must never change for the same
reason. And DBOS alone never notices that a process died; `upkeep.py` does.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
    WorkflowSerializationFormat,
    error,
)

from bot.engine.work import CommandJob

APPLICATION = "towpath"
VERSION = "towpath-1"
QUEUE = "repositories"
LOOK, COMMAND = "look", "command"

WAITING = ("ENQUEUED", "DELAYED")
RUNNING = "PENDING"
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
FAILED = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

_MOST = 10_000
"""Rows that are read or deleted in one go."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a command. `number` counts all runs, `failures` those that failed."""

    job: CommandJob
    number: int = 1
    failures: int = 0

    @property
    def id(self) -> str:
        return f"{COMMAND}:{self.job.key}:{self.number}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece of work in the line."""

    id: str
    kind: str
    status: str
    executor: str | None
    created: datetime


def look_id(repository: str, generation: int) -> str:
    return f"{LOOK}:{repository}:{generation}"


class Line:
    """Blocking, but for what runs the work itself; to be called in a thread, `launch` excepted."""

    def __init__(self, engine: sa.Engine, executor: str) -> None:
        self._engine = engine
        self._executor = executor
        logger = logging.getLogger("dbos")
        logger.setLevel(logging.WARNING)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # or DBOS adds one that prints past our own log format
        self._client = DBOSClient(
            system_database_engine=engine,
            application_name=APPLICATION,
            serializer=DBOSPortableJSONSerializer(),
            lazy=True,
            retry_connection_errors=False,  # whoever calls sees to it that the process ends
        )

    async def launch(
        self,
        look: Callable[[str, int], Awaitable[None]],
        command: Callable[[Attempt], Awaitable[None]],
        concurrency: int,
        poll: timedelta,
    ) -> None:
        """Begin to work, on the event loop this is called from. Blocks it while tables are made or migrated."""

        async def run_look(repository: str, generation: int) -> None:
            await look(repository, generation)

        async def run_command(key: str, repository: str, details: dict[str, str], number: int, failures: int) -> None:
            await command(Attempt(CommandJob(key, repository, details), number, failures))

        portable = WorkflowSerializationFormat.PORTABLE
        DBOS.workflow(name=LOOK, serialization_type=portable)(run_look)
        DBOS.workflow(name=COMMAND, serialization_type=portable)(run_command)
        config = self._config()
        DBOS(config=config)
        DBOS.launch()  # in the loop's own thread, or DBOS would run the work on a loop of its own
        if await asyncio.to_thread(self._register_queue, concurrency, poll):
            # DBOS finds a queue made after the launch only within a second; a fresh database shouldn't cost one.
            await asyncio.to_thread(DBOS.destroy)
            DBOS(config=config)
            DBOS.launch()

    def _config(self) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": self._executor,
            "system_database_url": self._engine.url.render_as_string(hide_password=False),
            "system_database_engine": self._engine,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "max_executor_threads": 64,
            # Messages between workflows and cron, which these are about, aren't used.
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.1,
            "scheduler_polling_interval_sec": 3600.0,
        }

    def _register_queue(self, concurrency: int, poll: timedelta) -> bool:
        """True if the queue was not there before."""
        known = self._client.retrieve_queue(QUEUE)
        self._client.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=concurrency,
            polling_interval_sec=poll.total_seconds(),
            on_conflict="always_update",
        )
        return known is None

    def enqueue_look(self, connection: sa.Connection, repository: str, generation: int) -> None:
        options = self._options(LOOK, look_id(repository, generation), repository, priority=2)
        self._client.enqueue_in_transaction(connection, options, repository, generation)

    def enqueue_command(self, connection: sa.Connection, job: CommandJob) -> bool:
        return self._enqueue_attempt(connection, Attempt(job), delay=0.0)

    def enqueue_again(self, attempt: Attempt, at: datetime) -> None:
        delay = max(0.0, at.timestamp() - time.time())
        with self._engine.begin() as connection:
            self._enqueue_attempt(connection, attempt, delay)

    def _enqueue_attempt(self, connection: sa.Connection, attempt: Attempt, delay: float) -> bool:
        job = attempt.job
        options = self._options(COMMAND, attempt.id, job.repository, priority=1)
        options["workflow_id_reuse_policy"] = "reject"
        if delay:
            options["delay_seconds"] = delay
        arguments = (job.key, job.repository, dict(job.details), attempt.number, attempt.failures)
        try:
            self._client.enqueue_in_transaction(connection, options, *arguments)
        except error.DBOSWorkflowIDInUseError:
            return False
        return True

    def _options(self, kind: str, identity: str, repository: str, priority: int) -> EnqueueOptions:
        return EnqueueOptions(
            workflow_name=kind,
            queue_name=QUEUE,
            workflow_id=identity,
            queue_partition_key=repository,
            priority=priority,
            app_version=VERSION,
            serialization_type=WorkflowSerializationFormat.PORTABLE,
        )

    def running(self) -> list[Entry]:
        return self._entries(status=[RUNNING])

    def unfinished(self) -> list[Entry]:
        return self._entries(status=[*WAITING, RUNNING])

    def failed_commands(self) -> int:
        return len(self._entries(status=[*FAILED], name=COMMAND))

    def knows(self, job: str) -> bool:
        return bool(self._entries(workflow_ids=[job], status=[*WAITING, RUNNING, *FINISHED]))

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that will never run: ended, or not there."""
        wanted = list(ids)[:500]
        alive = self._entries(workflow_ids=wanted, status=[*WAITING, RUNNING]) if wanted else []
        return set(wanted) - {entry.id for entry in alive}

    def put_back(self, ids: Iterable[str]) -> None:
        """Have running work of a dead process run by another one."""
        if wanted := list(ids):
            self._client.resume_workflows(wanted, queue_name=QUEUE)

    def cancel(self, job: str) -> None:
        self._client.cancel_workflows([job])

    def prune(self, kind: str, before: datetime) -> int:
        """Delete what finished before `before`; how much that was."""
        moment = before.astimezone(UTC).isoformat()
        old = self._entries(status=[*FINISHED], name=kind, completed_before=moment)
        if old:
            self._client.delete_workflows([entry.id for entry in old])
        return len(old)

    def close(self) -> None:
        DBOS.destroy(destroy_registry=True)

    def _entries(
        self,
        status: list[str],
        name: str | None = None,
        workflow_ids: list[str] | None = None,
        completed_before: str | None = None,
    ) -> list[Entry]:
        rows = self._client.list_workflows(
            status=status,
            name=name or [LOOK, COMMAND],
            workflow_ids=workflow_ids,
            completed_before=completed_before,
            limit=_MOST,
            load_input=False,
            load_output=False,
        )
        return [
            Entry(
                row.workflow_id,
                row.name,
                str(row.status),
                row.executor_id,
                datetime.fromtimestamp((row.created_at or 0) / 1000, UTC),
            )
            for row in rows
        ]


def count(entries: Iterable[Entry]) -> Mapping[tuple[str, str], int]:
    """How many there are of each kind and status."""
    found: dict[tuple[str, str], int] = {}
    for entry in entries:
        found[entry.kind, entry.status] = found.get((entry.kind, entry.status), 0) + 1
    return found
