"""What the work port promises when processes are killed, on every engine. The processes are real ones."""

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg

from tests.engine.desk import until
from tests.engine.processes import Worker, World

Spawn = Callable[..., Awaitable[Worker]]

PACKAGE = Path(__file__).parents[2] / "bot"


async def test_killed_under_load_it_loses_no_acknowledged_delivery(
    database_url: str, world: World, spawn: Spawn
) -> None:
    choose = random.Random(7)  # noqa: S311
    wanted: dict[str, int] = {}
    commands: set[str] = set()
    killed: list[int] = []
    for _life in range(3):
        worker = await spawn(database_url, pause=0.02)
        sent: dict[int, tuple[str, int, str]] = {}
        for number in range(120):
            repository = f"acme/r{choose.randrange(20)}"
            seen, command = world.trigger(repository), f"{repository}#comment-{worker.pid}-{number}"
            sent[worker.send(delivery=f"d-{worker.pid}-{number}", looks=[repository], commands=[command])] = (
                repository,
                seen,
                command,
            )
            await asyncio.sleep(0.002)
            if len(worker.acks) >= 60:
                break
        await worker.acknowledged(50)
        await worker.kill()
        killed.append(worker.pid)
        for ack in worker.acks:
            repository, seen, command = sent[ack]
            wanted[repository] = max(seen, wanted.get(repository, 0))
            commands.add(command)

    await spawn(database_url)
    await until(lambda: all(world.seen()[repository] >= seen for repository, seen in wanted.items()))
    await until(lambda: commands <= {line[4] for line in world.journal() if line[1:3] == ["end", "command"]})
    assert len(commands) >= 150
    assert world.clashes(killed) == []


async def test_a_kill_loses_neither_timers_nor_commands_nor_the_memory_of_deliveries(
    database_url: str, world: World, spawn: Spawn
) -> None:
    worker = await spawn(database_url)
    assert await worker.ask(delivery="d-1", looks=[], commands=["acme/shop#comment-1"]) is True
    await until(lambda: ["end", "command", "acme/shop"] in [line[1:4] for line in world.journal()])
    await asyncio.sleep(0.3)  # for its success to be written down: that it isn't run again is promised from then on
    await worker.ask(later="acme/later", **{"in": 1.5})
    await worker.kill()

    second = await spawn(database_url)
    assert not world.begun("acme/later")
    assert await second.ask(delivery="d-1", looks=["acme/site"], commands=["acme/shop#comment-1"]) is False
    await until(lambda: world.begun("acme/later", second.pid))
    assert [line[3] for line in world.journal() if line[1] == "begin"] == ["acme/shop", "acme/later"]


async def test_what_a_newer_version_finds_it_does(
    database_url: str, world: World, spawn: Spawn, tmp_path: Path
) -> None:
    """DBOS by itself runs only work of the version that accepted it, and tells versions apart by their source."""
    newer = tmp_path / "newer"
    shutil.copytree(PACKAGE, newer / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    line = newer / "bot" / "engine" / "durable" / "line.py"
    source = line.read_text()
    look = "            await look(repository, generation)\n"
    changed = source.replace(look, "            newer = True\n" + look)
    assert changed != source
    line.write_text(changed)

    world.hold("acme/shop")
    old = await spawn(database_url)
    await old.ask(delivery="d-1", looks=["acme/shop", "acme/site"], commands=[])
    await until(lambda: world.begun("acme/shop"))
    await old.ask(delivery="d-2", looks=["acme/shop"], commands=["acme/shop#comment-1"])
    await old.ask(later="acme/later", **{"in": 0.5})
    await old.kill()
    world.release("acme/shop")

    new = await spawn(database_url, source=newer)
    await until(lambda: world.begun("acme/later", new.pid))
    await until(lambda: len(world.ended("acme/shop", new.pid)) == 3)
    assert sorted(world.ended("acme/shop", new.pid)) == ["command", "look", "look"]


async def test_work_that_kills_its_process_is_given_up_and_the_rest_is_done(
    database_url: str, world: World, spawn: Spawn
) -> None:
    world.hold("acme/poison", "die")
    killed: list[int] = []
    for _life in range(3):
        worker = await spawn(database_url, takeovers=2)
        if not killed:
            worker.send(delivery="d-1", looks=["acme/poison"])
        await asyncio.wait_for(worker.process.wait(), 60)
        killed.append(worker.pid)
    assert [world.begun("acme/poison", pid) for pid in killed] == [True, True, True]

    # Only that one look is given up: the next one goes ahead, and it alone.
    world.release("acme/poison")
    last = await spawn(database_url, takeovers=2)
    await last.ask(delivery="d-2", looks=["acme/shop", "acme/poison"])
    await until(lambda: world.ended("acme/poison", last.pid) and world.ended("acme/shop", last.pid))
    await asyncio.sleep(0.5)
    assert world.ended("acme/poison", last.pid) == ["look"]


async def test_a_lost_database_costs_nothing_but_the_work_in_it(world: World, spawn: Spawn, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    url = f"sqlite:///{folder / 'towpath.db'}"
    worker = await spawn(url)
    await worker.ask(delivery="d-1", looks=["acme/shop"])
    await worker.kill()
    shutil.rmtree(folder)

    second = await spawn(url)
    assert await second.ask(delivery="d-1", looks=["acme/site"]) is True
    await until(lambda: world.begun("acme/site", second.pid))


async def test_a_second_process_on_one_sqlite_file_is_refused(world: World, spawn: Spawn, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'towpath.db'}"
    first = await spawn(url)
    second = await spawn(url, wait=False)
    await until(lambda: second.process.returncode is not None)
    await until(lambda: "refused" in second.said)

    refusal = str(second.said["refused"])
    assert f"process {first.pid} is already working on {tmp_path / 'towpath.db'}" in refusal
    assert "use PostgreSQL" in refusal
    assert await first.ask(delivery="d-1", looks=["acme/shop"]) is True


async def test_a_killed_workers_looks_are_taken_over_within_seconds(
    postgres_url: str, world: World, spawn: Spawn
) -> None:
    repositories = [f"acme/r{number}" for number in range(8)]
    for repository in repositories:
        world.hold(repository)
    first = await spawn(postgres_url)
    await first.ask(delivery="d-1", looks=repositories)
    await until(lambda: all(world.begun(repository, first.pid) for repository in repositories))
    others = [await spawn(postgres_url), await spawn(postgres_url)]
    await others[0].ask(delivery="d-2", looks=repositories)
    await asyncio.sleep(1.5)
    assert not any(world.begun(repository, other.pid) for repository in repositories for other in others)

    await first.kill()
    for repository in repositories:
        world.release(repository)
    killed_at = asyncio.get_running_loop().time()
    await until(lambda: len([line for line in world.journal() if line[1] == "end"]) == 2 * len(repositories))
    assert asyncio.get_running_loop().time() - killed_at < 45  # 3 on an idle machine
    assert world.clashes([first.pid]) == []


async def test_several_workers_share_the_work_and_never_look_at_one_repository_at_once(
    postgres_url: str, world: World, spawn: Spawn
) -> None:
    workers = await asyncio.gather(*(spawn(postgres_url, pause=0.02) for _ in range(3)))
    world.hold("acme/long")
    await workers[0].ask(delivery="d-long", looks=["acme/long"])
    held_since = asyncio.get_running_loop().time()
    repositories = [f"acme/r{number}" for number in range(15)]
    last = {}
    for turn in range(12):
        for repository in repositories:
            last[repository] = world.trigger(repository)
            command = [f"{repository}#comment-{turn}"] if turn % 3 == 0 else []
            workers[turn % 3].send(delivery=f"d-{turn}-{repository}", looks=[repository], commands=command)
        await asyncio.sleep(0.05)

    await until(lambda: all(world.seen()[repository] == seen for repository, seen in last.items()))
    await until(lambda: sum(line[1:3] == ["end", "command"] for line in world.journal()) == 4 * len(repositories))
    # A worker that takes long is not taken for dead.
    await asyncio.sleep(held_since + 4 - asyncio.get_running_loop().time())
    world.release("acme/long")
    await until(lambda: any(world.ended("acme/long", worker.pid) for worker in workers))
    await asyncio.sleep(0.5)
    assert sum(len(world.ended("acme/long", worker.pid)) for worker in workers) == 1
    assert world.clashes([]) == []
    assert {int(line[0]) for line in world.journal()} == {worker.pid for worker in workers}


async def test_a_worker_that_loses_its_session_leaves(postgres_url: str, world: World, spawn: Spawn) -> None:
    world.hold("acme/shop")
    first = await spawn(postgres_url)
    await first.ask(delivery="d-1", looks=["acme/shop"])
    await until(lambda: world.begun("acme/shop"))
    second = await spawn(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        sessions = "from pg_stat_activity where application_name like 'towpath %' order by backend_start limit 1"
        connection.execute("select pg_terminate_backend(pid) " + sessions)

    await until(lambda: first.process.returncode == 70)
    assert "session that proves this process alive is lost" in str(first.said["broken"])
    world.release("acme/shop")
    await until(lambda: world.ended("acme/shop", second.pid) == ["look"])
    assert world.clashes([first.pid]) == []
