"""From DATABASE_URL to a database fit for durable work."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.engine.durable.database import connect, libpq, parse
from bot.engine.durable.engine import DurableWork
from bot.engine.work import Handlers
from bot.errors import UserError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sqlite:///towpath.db", "sqlite:///towpath.db"),
        ("sqlite:////var/lib/towpath/work.db", "sqlite:////var/lib/towpath/work.db"),
        ("postgresql://bot:pw@db/towpath?sslmode=require", "postgresql+psycopg://bot:pw@db/towpath?sslmode=require"),
        ("postgres://bot:pw@db:5433/towpath", "postgresql+psycopg://bot:pw@db:5433/towpath"),
    ],
)
def test_addresses_of_databases(given: str, kept: str) -> None:
    assert parse(given).render_as_string(hide_password=False) == kept


def test_libpq_gets_the_address_as_it_knows_it() -> None:
    assert libpq(parse("postgres://bot:p%40ss@db/towpath")) == "postgresql://bot:p%40ss@db/towpath"


@pytest.mark.parametrize(
    "given", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://bot:secret@db/towpath", "redis://localhost"]
)
def test_what_is_no_database_is_refused_without_telling_the_password(given: str) -> None:
    with pytest.raises(UserError, match=r"DATABASE_URL: .*want sqlite:///path/to/file.db or postgresql://") as caught:
        DurableWork(given)
    assert "secret" not in str(caught.value)


def test_sqlite_survives_a_power_cut_and_waits_for_its_turn(tmp_path: Path) -> None:
    engine = connect(parse(f"sqlite:///{tmp_path / 'new' / 'folder' / 'work.db'}"))
    with engine.connect() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
        assert values == ["wal", 2, 30_000, 1]
        # What DBOS asks for from Python 3.12 on, whatever the version of SQLite.
        now = connection.execute(sa.text("select unixepoch('subsec') * 1000")).scalar()
        assert isinstance(now, float | int)
        assert now > 1_700_000_000_000
    engine.dispose()


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    async def nothing(*_: object) -> None:
        return None

    work = DurableWork("postgresql://bot:secret@127.0.0.1:1/towpath")
    with pytest.raises(UserError, match=r"DATABASE_URL: PostgreSQL can't be used: .*127\.0\.0\.1") as caught:
        await work.start(Handlers(nothing, nothing, nothing))  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
    await work.stop()
