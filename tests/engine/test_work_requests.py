"""What the work port promises about requests, on every engine."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from bot.engine.work import CommandJob, Work
from tests.engine.desk import Desk, in_, settled, until

Begin = Callable[..., Awaitable[Work]]


async def test_fifty_repositories_with_twenty_triggers_each_lose_no_last_trigger_and_never_overlap(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk)
    desk.pause = 0.05
    repositories = [f"acme/r{number}" for number in range(50)]

    async def trigger(repository: str) -> None:
        for _ in range(20):
            desk.world[repository] += 1
            await work.request_look(repository)
            await asyncio.sleep(0.02)

    await asyncio.gather(*map(trigger, repositories))
    await until(lambda: all(desk.seen[repository] == 20 for repository in repositories))
    await settled(work)

    assert desk.clashes == []
    looks = len(desk.diary)
    assert 50 <= looks < 1000, "many triggers should make few looks"


async def test_requests_during_a_look_make_exactly_one_more(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    go = asyncio.Event()

    async def slow() -> None:
        await go.wait()

    desk.looks["acme/shop"] = slow
    await work.request_look("acme/shop")
    await until(lambda: desk.times("look", "acme/shop") == 1)
    for _ in range(10):
        desk.world["acme/shop"] += 1
        await work.request_look("acme/shop")
    go.set()
    await settled(work)

    assert desk.times("look", "acme/shop") == 2
    assert desk.seen["acme/shop"] == 10


async def test_a_look_starts_soon_after_it_is_asked_for(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk, poll=timedelta(seconds=0.1))
    waits = []
    for number in range(9):
        asked = asyncio.get_running_loop().time()
        await work.request_look(f"acme/r{number}")
        await desk.done("look", f"acme/r{number}")
        waits.append(asyncio.get_running_loop().time() - asked)

    assert sorted(waits)[4] < 10  # 0.07 on an idle machine


async def test_a_delivery_works_once(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    job = CommandJob("acme/shop#comment-1", "acme/shop", {"issue": "7"})

    assert await work.accept_delivery("d-1", ["acme/shop", "acme/site"], [job]) is True
    await settled(work)
    assert await work.accept_delivery("d-1", ["acme/shop", "acme/site"], [job]) is False
    await settled(work)

    assert sorted(desk.diary) == [("command", job.key), ("look", "acme/shop"), ("look", "acme/site")]
    assert (await work.stats()).deliveries == 1


async def test_a_delivery_handed_in_many_times_at_once_is_accepted_once(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk)

    answers = await asyncio.gather(*(work.accept_delivery("d-1", ["acme/shop"]) for _ in range(10)))
    await settled(work)

    assert sorted(answers) == [False] * 9 + [True]
    assert desk.times("look", "acme/shop") == 1


async def test_a_command_is_done_once_however_often_it_is_submitted(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk)
    job = CommandJob("acme/shop#comment-1", "acme/shop", {"issue": "7", "text": "ünïcode"})
    handed: list[CommandJob] = []

    async def keep() -> None:
        handed.append(job)

    desk.commands[job.key] = keep
    answers = await asyncio.gather(*(work.submit_command(job) for _ in range(5)))
    await settled(work)
    assert await work.submit_command(job) is False
    await settled(work)

    assert sorted(answers) == [False] * 4 + [True]
    assert desk.diary == [("command", job.key)]
    assert handed == [job]


async def test_commands_and_looks_of_one_repository_take_turns_and_commands_go_first(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    work = await begin(database_url, desk)
    desk.pause = 0.05
    await work.request_look("acme/shop")
    await until(lambda: bool(desk.diary))
    await work.request_look("acme/shop")
    for number in range(5):
        await work.submit_command(CommandJob(f"acme/shop#comment-{number}", "acme/shop"))
    await settled(work)

    assert desk.clashes == []
    assert [kind for kind, _ in desk.diary] == ["look", *["command"] * 5, "look"]


async def test_a_timer_fires_once_at_the_earliest_time_asked_for(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    asked = asyncio.get_running_loop().time()
    for seconds in (60, 0.5, 30):
        await work.look_later("acme/shop", in_(seconds))
    assert (await work.stats()).timers == 1

    await until(lambda: desk.times("look", "acme/shop") == 1)
    assert 0.5 <= asyncio.get_running_loop().time() - asked < 30
    await settled(work)

    assert (await work.stats()).timers == 0
    assert desk.times("look", "acme/shop") == 1


async def test_a_look_says_when_to_look_again(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)

    async def twice() -> datetime | None:
        return in_(0.2) if desk.times("look", "acme/shop") < 2 else None

    desk.looks["acme/shop"] = twice
    await work.request_look("acme/shop")
    await until(lambda: desk.times("look", "acme/shop") == 2)
    await settled(work)

    assert (await work.stats()).timers == 0


async def test_the_tick_comes_at_the_start_and_then_at_intervals_and_asks_for_looks(
    database_url: str, desk: Desk, begin: Begin
) -> None:
    desk.ticked = ["acme/shop", "acme/site"]
    work = await begin(database_url, desk, tick_every=timedelta(seconds=0.5))

    for _ in range(3):  # what two ticks ask for may be one look, and then the next tick's is waited for
        before = {name: desk.times("look", name) for name in desk.ticked}
        await until(lambda before=before: all(desk.times("look", name) > seen for name, seen in before.items()))
    await settled(work)

    ticks = desk.times("tick", "")
    assert ticks >= 3
    assert all(desk.times("look", name) <= ticks for name in desk.ticked)


async def test_a_start_ticks_even_if_the_last_tick_was_just_before(database_url: str, desk: Desk, begin: Begin) -> None:
    for life in (1, 2):
        work = await begin(database_url, desk, tick_every=timedelta(hours=1))
        await desk.done("tick", "", times=life)
        await work.stop()


async def test_a_tick_that_fails_is_made_good_by_the_next(
    database_url: str, desk: Desk, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __iter__(self) -> object:
            raise OSError("GitHub is away")

    desk.ticked = Broken()  # type: ignore[assignment]
    await begin(database_url, desk, tick_every=timedelta(seconds=0.3))
    await until(lambda: "tick failed" in caplog.text)
    desk.ticked = ["acme/shop"]

    await until(lambda: desk.times("look", "acme/shop") >= 1)


async def test_the_cache_forgets_in_time(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)

    assert await work.recall("m") is None
    await work.remember("m", '{"count": 1}', timedelta(hours=1))
    await work.remember("m", '{"count": 2}', timedelta(hours=1))
    await work.remember("short", "x", timedelta(seconds=-1))
    assert await work.recall("m") == '{"count": 2}'
    assert await work.recall("short") is None
    with pytest.raises(ValueError, match="'big': 70000 characters"):
        await work.remember("big", "x" * 70_000, timedelta(hours=1))


async def test_stats_count_what_waits_and_runs(database_url: str, desk: Desk, begin: Begin) -> None:
    work = await begin(database_url, desk)
    go = asyncio.Event()

    async def slow() -> None:
        await go.wait()

    desk.looks["acme/shop"] = slow
    await work.request_look("acme/shop")
    await until(lambda: bool(desk.diary))
    await work.request_look("acme/shop")
    await work.submit_command(CommandJob("acme/shop#comment-1", "acme/shop"))
    await work.look_later("acme/site", in_(60))

    stats = await work.stats()
    assert (stats.looks_waiting, stats.looks_running, stats.commands_waiting, stats.commands_running) == (1, 1, 1, 0)
    assert (stats.timers, stats.deliveries, stats.commands_failed) == (1, 0, 0)
    assert timedelta(0) < stats.oldest < timedelta(seconds=30)
    go.set()
    await settled(work)
