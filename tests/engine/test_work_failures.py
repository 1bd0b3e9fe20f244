"""What the work port promises when handlers fail, on every engine."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Never

import pytest

from bot.engine.durable.engine import DurableWork
from bot.engine.durable.line import Attempt
from bot.engine.work import CommandJob, Work
from bot.errors import Retry
from tests.engine.desk import Desk, in_, settled, until

Begin = Callable[..., Awaitable[DurableWork]]

JOB = CommandJob("acme/shop#comment-1", "acme/shop")


async def fail() -> Never:
    raise OSError("no route to host")


async def failed_commands(work: Work) -> int:
    return (await work.stats()).commands_failed


async def test_a_failing_look_is_tried_again_a_bounded_number_of_times_and_stops_nobody(
    database_url: str, desk: Desk, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    work = await begin(database_url, desk, attempts=3)
    desk.looks["acme/poison"] = fail
    await work.request_look("acme/poison")
    await until(lambda: "given up" in caplog.text)
    for number in range(5):
        await work.request_look(f"acme/r{number}")
    await until(lambda: all(desk.times("look", f"acme/r{number}") == 1 for number in range(5)))
    assert desk.times("look", "acme/poison") == 3
    assert (await work.stats()).timers == 0
    ids = re.findall(r"look at acme/poison failed, error ([0-9a-f]{8}), attempt (\d) of 3", caplog.text)
    assert [attempt for _, attempt in ids] == ["1", "2", "3"]
    assert "no route to host" in caplog.text

    # The next trigger is looked at, and a look that goes well starts the count anew.
    await work.request_look("acme/poison")
    await until(lambda: desk.times("look", "acme/poison") == 4)
    del desk.looks["acme/poison"]
    desk.world["acme/poison"] += 1
    await work.request_look("acme/poison")
    await until(lambda: desk.seen["acme/poison"] == 1)
    desk.looks["acme/poison"] = fail
    await work.request_look("acme/poison")
    await until(lambda: desk.times("look", "acme/poison") == 8)


async def test_a_look_put_off_is_looked_at_again_at_its_time(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    put_off: list[float] = []

    async def once() -> None:
        if not put_off:
            put_off.append(asyncio.get_running_loop().time())
            raise Retry(datetime.now(UTC) + timedelta(seconds=0.5), "rate limited")

    desk.looks["acme/shop"] = once
    await work.request_look("acme/shop")
    await until(lambda: desk.times("look", "acme/shop") == 2)

    assert asyncio.get_running_loop().time() - put_off[0] >= 0.49


async def test_a_command_put_off_is_run_again_at_its_time_and_then_never(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk, attempts=1)
    put_off: list[float] = []

    async def once() -> None:
        if len(put_off) < 2:
            put_off.append(asyncio.get_running_loop().time())
            raise Retry(datetime.now(UTC) + timedelta(seconds=0.3), "rate limited")

    desk.commands[JOB.key] = once
    await work.submit_command(JOB)
    await until(lambda: len(put_off) == 1)
    await work.request_look("acme/shop")
    await until(lambda: desk.times("look", "acme/shop") == 1)  # what is put off doesn't keep the place
    assert await work.submit_command(JOB) is False
    await until(lambda: desk.times("command", JOB.key) == 3)
    assert put_off[1] - put_off[0] >= 0.29
    assert await failed_commands(work) == 0


async def test_a_failing_command_is_given_up_and_stops_nobody(
    database_url: str, desk: Desk, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    work = await begin(database_url, desk, attempts=2)
    desk.commands[JOB.key] = fail
    await work.submit_command(JOB)
    other = CommandJob("acme/shop#comment-2", "acme/shop")
    await work.submit_command(other)

    await until(lambda: desk.times("command", other.key) == 1)
    await until(lambda: desk.times("command", JOB.key) == 2)
    await until(lambda: failed_commands(work))
    assert await failed_commands(work) == 1
    assert await work.submit_command(JOB) is False
    assert re.search(r"command acme/shop#comment-1 failed, error [0-9a-f]{8}, attempt 2 of 2, given up", caplog.text)


async def test_work_that_takes_too_long_counts_as_failed(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk, limit=timedelta(seconds=0.2))

    async def hang_once() -> None:
        if desk.times("look", "acme/shop") == 1:
            await asyncio.sleep(60)

    desk.looks["acme/shop"] = hang_once
    desk.world["acme/shop"] = 1
    await work.request_look("acme/shop")

    await until(lambda: desk.seen["acme/shop"] == 1)


async def test_a_command_that_was_put_off_just_before_a_crash_runs_only_when_it_is_due(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk)
    again = Attempt(JOB, number=2)  # the process died after writing this and before ending the first attempt
    await work._open.threads.run(work._open.line.enqueue_again, again, in_(0.5))
    await work.submit_command(JOB)
    await settled(work)

    assert desk.times("command", JOB.key) == 1
