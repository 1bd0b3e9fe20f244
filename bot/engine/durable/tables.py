"""Our own tables beside those of DBOS: what was asked for, what began, which times and ids are to be remembered.

`Ledger` changes them and enqueues work in the same transaction, so that neither exists without the other. Every
method blocks and runs in a thread.
"""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.engine.work import CommandJob

T = TypeVar("T")

metadata = sa.MetaData()

looks = sa.Table(
    "towpath_look",
    metadata,
    sa.Column("repository", sa.Text, primary_key=True),
    sa.Column("asked", sa.BigInteger, nullable=False),  # the look last enqueued
    sa.Column("begun", sa.BigInteger, nullable=False),  # the look last begun; asked > begun: one is waiting
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("due", sa.Float(53), index=True),  # Unix time of the timer, if one is set
)
deliveries = sa.Table(
    "towpath_delivery",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.Float(53), nullable=False, index=True),
)
takeovers = sa.Table(
    "towpath_takeover",
    metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("at", sa.Float(53), nullable=False),
)
turns = sa.Table(
    "towpath_turn",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next", sa.Float(53), nullable=False),
)
cache = sa.Table(
    "towpath_cache",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("expires", sa.Float(53), nullable=False, index=True),
)

_CREATE_LOCK = 7_869_431_077
"""Advisory lock under which processes that start together create the tables one after the other."""


class Enqueue(Protocol):
    """How work is put in line within a transaction of ours."""

    def enqueue_look(self, connection: sa.Connection, repository: str, generation: int) -> None: ...

    def enqueue_command(self, connection: sa.Connection, job: CommandJob) -> bool: ...


class Ledger:
    def __init__(self, engine: sa.Engine, line: Enqueue) -> None:
        self._engine = engine
        self._line = line
        self._insert: Callable[[sa.Table], Any] = (
            sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert
        )

    def create(self) -> None:
        def work(connection: sa.Connection) -> None:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATE_LOCK)))
            metadata.create_all(connection)

        self._transaction(work)

    def accept_delivery(self, delivery_id: str, looked: Sequence[str], commands: Sequence[CommandJob]) -> bool:
        def work(connection: sa.Connection) -> bool:
            fresh = self._insert(deliveries).values(id=delivery_id, at=time.time()).on_conflict_do_nothing()
            if connection.execute(fresh.returning(deliveries.c.id)).first() is None:
                return False
            for repository in sorted(set(looked)):  # one order for all, so that no two wait for each other
                self._request(connection, repository)
            for job in sorted(commands, key=lambda job: job.key):
                self._line.enqueue_command(connection, job)
            return True

        return self._transaction(work)

    def request_look(self, repository: str) -> None:
        self._transaction(lambda connection: self._request(connection, repository))

    def submit_command(self, job: CommandJob) -> bool:
        return self._transaction(lambda connection: self._line.enqueue_command(connection, job))

    def _request(self, connection: sa.Connection, repository: str) -> None:
        """Enqueue the next look, unless one waits.

        Why no request is lost: a look that waits here has not begun by the time we read, and what it gathers it
        gathers after it began, so after whatever made the caller ask.
        """
        mine = looks.c.repository == repository
        while True:
            row = connection.execute(sa.select(looks.c.asked, looks.c.begun).where(mine)).first()
            if row is None:
                first = self._insert(looks).values(repository=repository, asked=0, begun=0, failures=0)
                connection.execute(first.on_conflict_do_nothing())
            elif row.asked > row.begun:
                return
            else:
                unchanged = sa.and_(mine, looks.c.asked == row.asked, looks.c.begun == row.begun)
                if connection.execute(looks.update().where(unchanged).values(asked=row.asked + 1)).rowcount:
                    self._line.enqueue_look(connection, repository, row.asked + 1)
                    return

    def begin_look(self, repository: str, generation: int) -> None:
        """From here on a request means the look after this one."""
        begin = looks.update().where(looks.c.repository == repository, looks.c.begun < generation)
        self._transaction(lambda connection: connection.execute(begin.values(begun=generation)))

    def count_failure(self, repository: str, failed: bool) -> int:
        """How many looks in a row have failed by now."""

        def work(connection: sa.Connection) -> int:
            mine = looks.c.repository == repository
            before: int = connection.execute(sa.select(looks.c.failures).where(mine)).scalar() or 0
            after = before + 1 if failed else 0
            if after != before:
                connection.execute(looks.update().where(mine).values(failures=after))
            return after

        return self._transaction(work)

    def waiting_looks(self) -> dict[str, int]:
        """Repository and generation of the looks that were asked for and have not begun."""
        waiting = sa.select(looks.c.repository, looks.c.asked).where(looks.c.asked > looks.c.begun)
        return self._transaction(lambda c: {row.repository: row.asked for row in c.execute(waiting)})

    def replace_look(self, repository: str, generation: int) -> bool:
        """Ask again for a look that will never begin. False if it did begin after all."""

        def work(connection: sa.Connection) -> bool:
            mine = sa.and_(looks.c.repository == repository, looks.c.asked == generation)
            given_up = looks.update().where(mine, looks.c.begun < generation).values(begun=generation)
            if connection.execute(given_up).rowcount == 0:
                return False
            self._request(connection, repository)
            return True

        return self._transaction(work)

    def look_later(self, repository: str, at: float) -> bool:
        """False if a timer as early is set."""

        def work(connection: sa.Connection) -> bool:
            mine = looks.c.repository == repository
            row = connection.execute(sa.select(looks.c.due).where(mine)).first()
            if row is None:
                first = self._insert(looks).values(repository=repository, asked=0, begun=0, failures=0)
                connection.execute(first.on_conflict_do_nothing())
            elif row.due is not None and row.due <= at:
                return False
            earlier = sa.or_(looks.c.due.is_(None), looks.c.due > at)
            return bool(connection.execute(looks.update().where(mine, earlier).values(due=at)).rowcount)

        return self._transaction(work)

    def fire_timers(self) -> float | None:
        """Request the looks that are due; the Unix time of the next timer, or None."""
        now = time.time()
        due = sa.select(looks.c.repository).where(looks.c.due <= now).order_by(looks.c.due).limit(500)

        def fire(repository: str, connection: sa.Connection) -> None:
            mine = sa.and_(looks.c.repository == repository, looks.c.due <= now)
            if connection.execute(looks.update().where(mine).values(due=None)).rowcount:
                self._request(connection, repository)

        for repository in self._transaction(lambda connection: connection.execute(due).scalars().all()):
            self._transaction(partial(fire, repository))
        return self._transaction(lambda connection: connection.execute(sa.select(sa.func.min(looks.c.due))).scalar())

    def take_turn(self, name: str, every: float, *, anyway: bool = False) -> float:
        """0 if it is this process's turn to do `name`, else the seconds until it is somebody's."""

        def work(connection: sa.Connection) -> float:
            now = time.time()
            known = connection.execute(sa.select(turns.c.next).where(turns.c.name == name)).scalar()
            if known is None:
                first = self._insert(turns).values(name=name, next=now + every).on_conflict_do_nothing()
                return 0.0 if connection.execute(first.returning(turns.c.name)).first() else every
            # A time further away than `every` was set by a longer period or a clock that was wrong.
            if not anyway and now < known <= now + every:
                return float(known - now)
            mine = turns.update().where(turns.c.name == name, turns.c.next == known).values(next=now + every)
            return 0.0 if connection.execute(mine).rowcount else every

        return self._transaction(work)

    def count_takeover(self, job: str) -> int:
        """How often `job` has been taken over, this time included."""

        def work(connection: sa.Connection) -> int:
            fresh = self._insert(takeovers).values(job=job, times=1, at=time.time())
            again = fresh.on_conflict_do_update(index_elements=["job"], set_={"times": takeovers.c.times + 1})
            return int(connection.execute(again.returning(takeovers.c.times)).scalar_one())

        return self._transaction(work)

    def remember(self, key: str, value: str, ttl: float) -> None:
        fresh = self._insert(cache).values(key=key, value=value, expires=time.time() + ttl)
        stored = fresh.on_conflict_do_update(
            index_elements=["key"], set_={"value": fresh.excluded.value, "expires": fresh.excluded.expires}
        )
        self._transaction(lambda connection: connection.execute(stored))

    def recall(self, key: str) -> str | None:
        found = sa.select(cache.c.value).where(cache.c.key == key, cache.c.expires > time.time())
        return self._transaction(lambda connection: connection.execute(found).scalar())

    def forget(self, deliveries_before: float, takeovers_before: float) -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(deliveries.delete().where(deliveries.c.at < deliveries_before))
            connection.execute(takeovers.delete().where(takeovers.c.at < takeovers_before))
            connection.execute(cache.delete().where(cache.c.expires < time.time()))

        self._transaction(work)

    def counts(self) -> tuple[int, int]:
        """Timers set, deliveries known."""
        timers = sa.select(sa.func.count()).select_from(looks).where(looks.c.due.is_not(None))
        known = sa.select(sa.func.count()).select_from(deliveries)
        return self._transaction(lambda c: (c.execute(timers).scalar_one(), c.execute(known).scalar_one()))

    def _transaction(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction; again if the database gave up on it for the sake of another one."""
        for pause in (0.05, 0.2, 0.8, 2.0):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except sa.exc.DBAPIError as error:
                if not _lost_a_race(error):
                    raise
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # spreads load, guards nothing
        with self._engine.begin() as connection:
            return work(connection)


def _lost_a_race(error: sa.exc.DBAPIError) -> bool:
    # serialization_failure, deadlock_detected: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"} or "database is locked" in str(error.orig)
