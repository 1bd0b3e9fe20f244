"""`towpath demo` tells its story to the end, to people and to programs."""

import asyncio
import json
import sys

import pytest


async def run(*args: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", *args, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 250)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.timeout(300)
async def test_the_demo_ends_well_and_says_so_as_json() -> None:
    status, out, err = await run("--json")

    events = [json.loads(line) for line in out.splitlines()]
    assert status == 0, err + out
    assert not err
    assert [one["title"] for one in events if one["event"] == "chapter"] == [
        "Version 1.0.0 goes through test, uat and prod",
        "Version 1.1.0 misbehaves, and gets no further than test",
        "Version 1.1.1 goes all the way",
    ]
    stages, pulls = (one["rows"] for one in events if one["event"] == "table")
    assert {row["stage"]: row["version"] for row in stages} == dict.fromkeys(("test", "uat", "prod"), "1.1.1")
    assert len(pulls) == 8
    assert not [one for one in events if one["event"] == "wrong"]
