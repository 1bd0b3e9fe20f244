"""What the work port promises beside the work itself: pruning, mending, stopping, and knowing when to leave."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bot.engine.durable.database import connect
from bot.engine.durable.engine import DurableWork
from bot.engine.work import CommandJob
from bot.errors import Broken
from tests.engine.desk import Desk, until

Begin = Callable[..., Awaitable[DurableWork]]

JOB = CommandJob("acme/shop#comment-1", "acme/shop")


async def test_finished_work_is_pruned_and_a_pruned_look_is_asked_for_as_ever(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    gone = timedelta(seconds=-10)  # whole seconds count, where SQLite keeps the time
    work = await begin(database_url, desk, keep_looks=gone, keep_commands=gone, keep_deliveries=gone)
    await work.accept_delivery("d-1", ["acme/shop"], [JOB])
    await work.remember("m", "x", timedelta(seconds=-1))
    await until(lambda: len(desk.diary) == 2)

    await until(lambda: not rows(work))
    assert (await work.stats()).deliveries == 0
    await work.request_look("acme/shop")
    await until(lambda: desk.times("look", "acme/shop") == 2)


async def test_nothing_young_is_pruned(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk, sweep=timedelta(seconds=0.05))
    await work.accept_delivery("d-1", ["acme/shop"], [JOB])
    await until(lambda: len(desk.diary) == 2)
    await work.remember("m", "x", timedelta(hours=1))
    await asyncio.sleep(0.5)  # ten rounds

    assert await work.accept_delivery("d-1", ["acme/shop"]) is False
    assert await work.submit_command(JOB) is False
    assert await work.recall("m") == "x"


async def test_a_look_cancelled_by_hand_before_it_began_is_asked_for_again(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk)
    go = asyncio.Event()
    desk.looks["acme/shop"] = go.wait  # type: ignore[assignment]
    await work.request_look("acme/shop")
    await until(lambda: len(desk.diary) == 1)
    desk.world["acme/shop"] = 1
    await work.request_look("acme/shop")
    parts = work._open
    await parts.threads.run(parts.line.cancel, "look:acme/shop:2")
    del desk.looks["acme/shop"]
    go.set()

    await until(lambda: desk.seen["acme/shop"] == 1)


async def test_work_that_is_claimed_but_not_run_is_put_back(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    go = asyncio.Event()
    desk.looks["acme/shop"] = go.wait  # type: ignore[assignment]
    await work.request_look("acme/shop")
    await until(lambda: len(desk.diary) == 1)
    desk.world["acme/shop"] = 1
    await work.request_look("acme/shop")
    table = "workflow_status" if database_url.startswith("sqlite") else "dbos.workflow_status"
    claim = f"update {table} set status = 'PENDING', executor_id = :me where workflow_uuid = 'look:acme/shop:2'"  # noqa: S608
    engine = connect(work._url)
    with engine.begin() as connection:
        assert connection.execute(sa.text(claim), {"me": work._executor}).rowcount == 1
    engine.dispose()
    del desk.looks["acme/shop"]
    go.set()

    await until(lambda: desk.seen["acme/shop"] == 1)


async def test_what_a_stop_cuts_off_is_done_after_the_next_start_and_not_held_against_it(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    first = await begin(database_url, desk, grace=timedelta(seconds=0.1), takeovers=0)
    desk.looks["acme/shop"] = asyncio.Event().wait  # type: ignore[assignment]
    desk.world["acme/shop"] = 1
    await first.request_look("acme/shop")
    await until(lambda: len(desk.diary) == 1)
    await first.stop()
    del desk.looks["acme/shop"]

    await begin(database_url, desk, takeovers=0)
    await until(lambda: desk.seen["acme/shop"] == 1)


async def test_a_stop_lets_running_work_end(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    desk.pause, desk.world["acme/shop"] = 0.3, 1
    await work.request_look("acme/shop")
    await until(lambda: len(desk.diary) == 1)
    await work.stop()
    assert desk.seen["acme/shop"] == 1

    await begin(database_url, desk)
    await asyncio.sleep(0.3)
    assert len(desk.diary) == 1


async def test_losing_what_proves_it_alive_ends_the_work(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    cancelled = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    desk.looks["acme/shop"] = long
    await work.request_look("acme/shop")
    await until(lambda: len(desk.diary) == 1)

    if database_url.startswith("sqlite"):
        database = work._url.database
        assert database
        Path(database).unlink()  # noqa: ASYNC240
    else:
        with psycopg.connect(database_url, autocommit=True) as connection:
            end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'towpath %'"
            assert len(connection.execute(end).fetchall()) == 1

    async with asyncio.timeout(60):
        with pytest.raises(Broken, match=r"session that proves this process alive is lost|was removed or replaced"):
            await work.run_until_lost()
        await cancelled.wait()


async def test_run_until_lost_returns_when_stopped(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    waiting = asyncio.create_task(work.run_until_lost())
    await asyncio.sleep(0)
    await work.stop()
    await asyncio.wait_for(waiting, 60)
    with pytest.raises(Broken, match="not started"):
        await work.request_look("acme/shop")


def rows(work: DurableWork) -> int:
    """Rows of work that are left in the database, finished or not."""
    return len(work._open.line._entries(status=["SUCCESS", "ERROR", "CANCELLED", "ENQUEUED", "PENDING"]))
