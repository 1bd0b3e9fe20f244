"""What others on this machine can see of a git command that shows credentials: not the credentials."""

import asyncio
from pathlib import Path

from bot.contracts.git import Credential


def command_lines() -> list[str]:
    lines = []
    for process in Path("/proc").iterdir():
        try:
            lines.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:  # no process, or gone
            continue
    return lines


async def test_credentials_are_not_in_the_list_of_processes(new_git, server, remote):
    asked_for: list[str] = []

    async def credentials(url: str) -> Credential | None:
        asked_for.append(url)
        return Credential("x-access-token", "precious")

    server.password, server.hold_from = "precious", 1
    looking = asyncio.create_task(new_git(credentials).refs(server.url))
    await server.held.wait()
    seen = await asyncio.to_thread(command_lines)
    server.released.set()

    assert (await looking).default_branch == "main"
    assert asked_for == [server.url], "who may be asked is judged where credentials are asked for"
    ours = [line for line in seen if server.url in line]
    assert ours, "git was running"
    assert not [line for line in seen if "precious" in line or "eC1hY2Nlc3MtdG9rZW46" in line]
