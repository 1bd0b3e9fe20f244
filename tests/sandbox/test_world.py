"""State that lasts: over restarts, over refusals half way, and over being killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.sandbox.model.accounts import Account, AccountKind, App, Level
from bot.sandbox.model.checks import Annotation, CheckAction, CheckOutput, CheckRun
from bot.sandbox.model.hooks import Delivery
from bot.sandbox.model.issues import Issue, Pull
from bot.sandbox.model.repos import Protection
from bot.sandbox.records import decode, encode
from bot.sandbox.seed import env_file, seed
from bot.sandbox.server import start
from bot.sandbox.world import World
from tests.sandbox.driver import running_github

_TIMES = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize("kind", [Account, App, Issue, Pull, Protection, CheckRun, CheckOutput, Delivery])
@given(data=st.data())
def test_every_record_comes_back_from_json_as_it_was(kind: type, data: st.DataObject) -> None:
    st.register_type_strategy(datetime, _TIMES)
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))  # seconds
    record = data.draw(st.from_type(kind))
    assert decode(kind, json.loads(json.dumps(encode(record)))) == record


def test_a_record_written_before_a_field_existed_takes_its_default() -> None:
    output = {"title": "t", "annotations": [encode(Annotation("a", 1, 1, "notice", "m"))]}
    assert decode(CheckOutput, output) == CheckOutput("t", annotations=(Annotation("a", 1, 1, "notice", "m"),))
    assert decode(CheckAction, encode(CheckAction("a", "b", "c"))) == CheckAction("a", "b", "c")
    assert decode(Account, {"id": 1, "login": "a", "kind": "User", "name": None, "email": None, "gone": 1,
                            "created_at": "2024-01-01T00:00:00+00:00"}).kind is AccountKind.USER  # fmt: skip
    assert Level.WRITE.allows(Level.READ)


async def test_a_change_that_fails_leaves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, "http://127.0.0.1:1")
    account = Account(world.new_id(), "one", AccountKind.USER, None, None, world.now())
    async with world.change():
        world.accounts.put(account)

    async def fail() -> None:
        async with world.change():
            world.accounts.put(Account(account.id, "renamed", AccountKind.USER, None, None, world.now()))
            world.accounts.put(Account(world.new_id(), "two", AccountKind.USER, None, None, world.now()))
            world.accounts.delete(account.id)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        await fail()
    assert list(world.accounts) == [account]
    await world.close()
    again = World(tmp_path, "http://127.0.0.1:1")
    assert list(again.accounts) == [account]
    assert again.new_id() > account.id
    await again.close()


async def test_a_restart_changes_nothing_for_those_who_hold_keys(tmp_path: Path, app_key: str) -> None:
    async with running_github(tmp_path / "sandbox", app_key) as github:
        repo = await github.repo()
        await github.file(repo, "a", "1", "topic")
        pull = await github.pull(repo, "topic")
        token, keys, events = await github.installation_token(), github.keys, await github.events()
    async with running_github(tmp_path / "sandbox", app_key) as github:
        assert (github.keys.tokens, github.keys.webhook_secret) == (keys.tokens, keys.webhook_secret)
        assert (await github.user("reader").get(pull)).ok()["title"] == "topic into main"
        async with github.session.get(
            f"{github.sandbox.world.api}/installation/repositories", headers={"Authorization": f"token {token}"}
        ) as response:
            assert response.status == 200
        assert await github.events() == events
        assert github.received == []


async def test_one_directory_has_one_sandbox_and_one_port_one_server(tmp_path: Path) -> None:
    first = await start(tmp_path / "one")
    await seed(first)
    with pytest.raises(UserError, match="another sandbox uses this directory"):
        await start(tmp_path / "one")
    with pytest.raises(UserError, match=f"port {first.port} .* in use"):
        await start(tmp_path / "two", first.port)
    await first.close()


async def test_the_env_file_has_what_a_bot_and_a_person_need(tmp_path: Path) -> None:
    sandbox = await start(tmp_path)
    keys = await seed(sandbox)
    lines = dict(line.split("=", 1) for line in env_file(sandbox, keys).splitlines())
    await sandbox.close()
    assert lines["GITHUB_API_URL"] == f"{sandbox.url}/api/v3"
    assert lines["WEBHOOK_URL"] == f"http://127.0.0.1:{sandbox.port + 1}/webhook"
    assert lines["PORT"] == str(sandbox.port + 1)
    assert {"TOKEN_OWNER", "TOKEN_MAINTAINER", "TOKEN_WRITER", "TOKEN_READER", "TOKEN_OUTSIDER"} <= lines.keys()
    assert lines.keys() >= {
        "GITHUB_SERVER_URL",
        "APP_ID",
        "WEBHOOK_SECRET",
        "HOST",
        "GITHUB_WRITE_INTERVAL",
        "DATA_DIR",
    }
    for secret in (Path(lines["PRIVATE_KEY_PATH"]), tmp_path / "tokens.json", tmp_path / "world.sqlite"):
        assert secret.stat().st_mode & 0o077 == 0


_SERVE = """
import sys
from pathlib import Path
from bot.sandbox.cli import run
from bot.sandbox.seed import Seed
run(0, Path(sys.argv[1]), Path(sys.argv[2]), Seed.EMPTY)
"""


async def serve(directory: Path, env: Path) -> tuple[asyncio.subprocess.Process, dict[str, str], str]:
    """`towpath sandbox` in a process of its own; waits for its line and reads its settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVE, str(directory), str(env),
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    written = await asyncio.to_thread(env.read_text)
    return process, dict(row.split("=", 1) for row in written.splitlines()), line


async def test_the_command_says_one_line_and_stops_when_told(tmp_path: Path) -> None:
    process, settings, line = await serve(tmp_path / "dir", tmp_path / "env")
    assert line == f"sandbox: listening on {settings['GITHUB_SERVER_URL']}\n"
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGTERM)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out) == (0, b"")


async def test_a_killed_sandbox_wakes_with_everything_it_had_answered(tmp_path: Path) -> None:
    directory, env, answered = tmp_path / "dir", tmp_path / "env", 0
    for _ in range(3):
        process, settings, _ = await serve(directory, env)
        headers = {"Authorization": f"token {settings['TOKEN_OWNER']}"}
        api = f"{settings['GITHUB_API_URL']}"

        async with aiohttp.ClientSession(headers=headers) as session:
            if answered == 0:
                async with session.post(f"{api}/orgs/acme/repos", json={"name": "r", "auto_init": True}) as made:
                    assert made.status == 201
            kill = asyncio.get_running_loop().call_later(0.4, process.kill)
            try:
                while True:
                    body = {"message": "x", "content": "eA=="}
                    async with session.put(f"{api}/repos/acme/r/contents/f{answered}", json=body) as written:
                        if written.status == 422:  # written, but killed before it could say so
                            answered += 1
                            continue
                        assert written.status == 201, await written.text()
                    answered += 1
            except aiohttp.ClientError:
                kill.cancel()
        await process.wait()
    process, settings, _ = await serve(directory, env)
    async with aiohttp.ClientSession(headers={"Authorization": f"token {settings['TOKEN_OWNER']}"}) as session:
        api = settings["GITHUB_API_URL"]
        async with session.get(f"{api}/repos/acme/r/contents/") as listing:
            names = {row["name"] for row in await listing.json()}
        async with session.get(f"{settings['GITHUB_SERVER_URL']}/sandbox/deliveries") as sent:
            pushes = [row["payload"] for row in await sent.json() if row["event"] == "push"]
    process.terminate()
    await process.wait()
    assert answered > 5
    assert {f"f{number}" for number in range(answered)} <= names
    for earlier, later in itertools.pairwise(pushes):
        assert later["before"] == earlier["after"]  # no push untold, none told twice
