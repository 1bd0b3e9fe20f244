"""Sets the stage: a sandbox and a bot in one process, the people, the story, and what is left at its end."""

import asyncio
import signal
import socket
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from bot.app import start as start_bot
from bot.demo.people import NotAsTold, Person
from bot.demo.story import STAGES, Story
from bot.demo.telling import Aloud, AsJson, Teller
from bot.sandbox.demo import REPOSITORY, publish
from bot.sandbox.seed import Seed, env_file, seed
from bot.sandbox.server import HOST, Sandbox
from bot.sandbox.server import start as start_sandbox
from bot.settings import Settings


async def demo(*, keep: bool, as_json: bool) -> int:
    """Tell the story; the exit status. With `keep` it stays up until somebody ends it with Ctrl-C."""
    teller: Teller = AsJson() if as_json else Aloud()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="towpath-demo-")))
        port = _free_port()
        sandbox = await start_sandbox(folder / "sandbox")
        stack.push_async_callback(sandbox.close)
        keys = await seed(sandbox, Seed.DEMO, f"http://{HOST}:{port}/webhook")
        env_path = folder / "sandbox.env"
        text = env_file(sandbox, keys).replace(f"\nPORT={sandbox.port + 1}\n", f"\nPORT={port}\n")
        await asyncio.to_thread(env_path.write_text, text)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await stack.enter_async_context(start_bot(Settings.load({}, env_path)))
        teller.note(
            f"GitHub, a registry and a cluster, all pretended, are at {sandbox.url}; Towpath listens on port {port}."
        )
        story = _story(teller, session, sandbox, keys.tokens)
        status = await _tell(story, teller)
        await _close(story, teller)
        if keep:
            teller.note(f"Open {sandbox.url}/{REPOSITORY}/pulls and look around. Ctrl-C ends it.")
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await stop.wait()
    return status


async def _tell(story: Story, teller: Teller) -> int:
    try:
        await story.tell()
    except NotAsTold as error:
        teller.wrong(f"Not as told: {error}")
        return 1
    return 0


def _story(teller: Teller, session: aiohttp.ClientSession, sandbox: Sandbox, tokens: Mapping[str, str]) -> Story:
    def person(login: str) -> Person:
        return Person(session, sandbox.world.api, REPOSITORY, login, tokens[login])

    async def push(version: str) -> None:
        await publish(sandbox, version)

    async def spoil(version: str) -> None:
        async with session.post(f"{sandbox.url}/cluster/bad", json={"version": version}) as answer:
            answer.raise_for_status()

    return Story(teller, person("maintainer"), person("reader"), push, spoil)


async def _close(story: Story, teller: Teller) -> None:
    """What is where, which pull requests and checks there are, and how long it took."""
    who = story.maintainer
    rows, pulls = [], []
    for stage in STAGES:
        found = await who.pulls(stage)
        for pull in sorted(found, key=lambda one: int(one["number"])):
            state = next((x["name"] for x in pull["labels"] if x["name"].startswith("promotion/")), "")
            head = await who.checks(pull["head"]["sha"])
            landed = await who.checks(pull["merge_commit_sha"]) if pull["merge_commit_sha"] else {}
            checks = {**head, **landed}
            shown = ", ".join(f"{name} {run['conclusion'] or run['status']}" for name, run in sorted(checks.items()))
            pulls.append((f"#{pull['number']}", pull["title"], state.removeprefix("promotion/"), shown))
        merged = [one for one in found if one["merged_at"]]
        newest = max(merged, key=lambda one: str(one["merged_at"]), default=None)
        times = [seconds for _, name, _, seconds in story.landed if name == stage]
        last = next((v for v, name, _, _ in reversed(story.landed) if name == stage), "nothing")
        word = next((w for _, name, w, _ in reversed(story.landed) if name == stage), "")
        number = f"#{newest['number']}" if newest else ""
        rows.append((stage, last, word, number, f"{times[-1]:.1f} s" if times else ""))
    teller.table("What is in each stage", ("stage", "version", "verification", "by", "took"), rows)
    teller.table("Pull requests and their checks", ("number", "title", "state", "checks"), pulls)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port
