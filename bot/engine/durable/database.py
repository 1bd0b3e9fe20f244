"""From the setting DATABASE_URL to an engine of SQLAlchemy, tuned for durable work on SQLite or PostgreSQL."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import UserError

WANTED = "want sqlite:///path/to/file.db or postgresql://user:password@host/database"

# A peer that is gone without a word is noticed after some 11 s, on both ends.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
KEEPALIVES: dict[str, int] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
    "connect_timeout": 10,
}


def parse(database_url: str) -> sa.URL:
    """The address with SQLAlchemy's driver in it. Raises UserError, which never repeats a password."""
    try:
        url = sa.make_url(database_url)
    except sa.exc.ArgumentError as error:
        raise UserError(f"DATABASE_URL: not an address of a database; {WANTED}") from error
    match url.drivername:
        case "sqlite" if url.database and url.database != ":memory:":
            return url
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return url.set(drivername="postgresql+psycopg")
        case _:
            shown = url.render_as_string(hide_password=True)
            raise UserError(f"DATABASE_URL: {shown!r} is no database that work can be kept in; {WANTED}")


def libpq(url: sa.URL) -> str:
    """The address of a PostgreSQL as libpq wants it, password and all."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def connect(url: sa.URL) -> sa.Engine:
    """An engine for `url` as returned by `parse`. Makes the folder of an SQLite file, and connects to nothing yet."""
    if url.drivername == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        # Two connections: SQLite has one writer at a time, and a crowd that waits for it by sleeping is slow.
        engine = sa.create_engine(url, pool_size=2, max_overflow=0, pool_timeout=60)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return sa.create_engine(
        url, pool_size=10, max_overflow=0, pool_timeout=60, pool_pre_ping=True, connect_args=dict(KEEPALIVES)
    )


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # A transaction that writes takes the write lock as it begins, so it never has to give way half done.
    connection.isolation_level = "IMMEDIATE"
    if sqlite3.sqlite_version_info < (3, 42):
        # DBOS asks for unixepoch('subsec') from Python 3.12 on; SQLite knows 'subsec' since 3.42 only, and
        # Debian 12 has 3.40. https://www.sqlite.org/lang_datefunc.html
        connection.create_function("unixepoch", 1, _unixepoch)
    # FULL: with WAL, what is committed survives a power cut too. https://www.sqlite.org/pragma.html#pragma_synchronous
    for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute("PRAGMA " + pragma)


def _unixepoch(_modifier: str) -> float:
    return round(time.time(), 3)
