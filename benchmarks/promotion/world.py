"""The world a promotion happens in: the sandbox, people who push, dispatch and merge, and a stopwatch on every call.

The sandbox runs in this process, which does nothing else while it is measured; who promotes runs in another one.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from benchmarks.promotion.pipelines import IMAGE, Pipeline
from bot.sandbox.faults import HookFault, HookFaultKind
from bot.sandbox.observers import Exchange, Webhook
from bot.sandbox.oci import push_image, storage_of
from bot.sandbox.seed import Keys, seed
from bot.sandbox.server import Sandbox, start

BOT = "towpath[bot]"
_PATIENCE = 120.0
_TRIES = 100
_SILENCE = 0.5  # seconds without a call, longer than any step takes, after which nothing more is to come
# What makes a proposal whole, and the status that says it was done.
_PARTS = (
    ("POST", r"/pulls", 201),
    ("POST", r"/issues/\d+/labels", 200),
    ("POST", r"/check-runs", 201),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of GitHub's API, and when it was answered, on the clock of `perf_counter`."""

    at: float
    method: str
    path: str
    status: int
    account: str


@dataclass(slots=True)
class Stopwatch:
    """Watches the sandbox. `calls` are all there have been."""

    calls: list[Call] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def exchange(self, exchange: Exchange) -> None:
        path = exchange.path.partition("?")[0]
        self.calls.append(Call(perf_counter(), exchange.method, path, exchange.status, exchange.account))
        self.happened.set()

    def webhook(self, webhook: Webhook) -> None:
        """Not of interest."""

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait for something that only a call can bring about."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while not holds():
                    self.happened.clear()
                    await self.happened.wait()
        except TimeoutError:
            last = "\n".join(f"{call.method} {call.path} {call.status} {call.account}" for call in self.calls[-20:])
            raise TimeoutError(f"waited {_PATIENCE:g} s for {what}; the last calls were\n{last}") from None

    def of_bot(self, since: int, repository: str = "") -> list[Call]:
        """The App's calls from number `since` on, about one repository, tokens apart."""
        return [
            call
            for call in self.calls[since:]
            if call.account == BOT and "access_tokens" not in call.path and call.path.startswith(f"/repos/{repository}")
        ]


@dataclass(frozen=True, slots=True)
class World:
    """What people and the machine do between two measurements."""

    sandbox: Sandbox
    keys: Keys
    stopwatch: Stopwatch
    session: aiohttp.ClientSession

    @property
    def address(self) -> str:
        return self.sandbox.url.removeprefix("http://")

    async def ask(self, login: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API as somebody, and expect it to work."""
        url = path if path.startswith("http") else f"{self.sandbox.world.api}{path}"
        headers = {"Authorization": f"token {self.keys.tokens[login]}"}
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json() if answer.content_type == "application/json" else None

    async def make(self, repository: str) -> None:
        owner, _, name = repository.partition("/")
        await self.ask("owner", "POST", f"/orgs/{owner}/repos", {"name": name, "auto_init": True})

    async def write(self, repository: str, files: dict[str, str], branch: str = "main") -> None:
        """One commit by the owner."""
        repo = f"/repos/{repository}"
        parent = (await self.ask("owner", "GET", f"{repo}/git/ref/heads/{branch}"))["object"]["sha"]
        base = (await self.ask("owner", "GET", f"{repo}/git/commits/{parent}"))["tree"]["sha"]
        tree = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
        made = (await self.ask("owner", "POST", f"{repo}/git/trees", {"base_tree": base, "tree": tree}))["sha"]
        commit = {"message": "Change files", "tree": made, "parents": [parent]}
        sha = (await self.ask("owner", "POST", f"{repo}/git/commits", commit))["sha"]
        await self.ask("owner", "PATCH", f"{repo}/git/refs/heads/{branch}", {"sha": sha})

    async def push(self, version: str) -> None:
        """An image, of which nobody is told yet."""
        await asyncio.to_thread(push_image, storage_of(self.sandbox.world), IMAGE, version)

    async def dispatch(self, repository: str) -> None:
        """What a build's pipeline does at its end: tell that there is something new."""
        await self.ask("owner", "POST", f"/repos/{repository}/dispatches", {"event_type": "published"})

    async def merge(self, pipeline: Pipeline) -> int:
        """A person merges the one open pull request; its number."""
        (found,) = await self.ask("maintainer", "GET", f"/repos/{pipeline.repository}/pulls?state=open")
        pull = f"/repos/{pipeline.repository}/pulls/{found['number']}"
        for _ in range(_TRIES):  # GitHub finds out after it was first asked
            if (await self.ask("maintainer", "GET", pull))["mergeable"]:
                break
            await asyncio.sleep(0.05)
        await self.ask("maintainer", "PUT", f"{pull}/merge", {"merge_method": "squash"})
        return int(found["number"])

    async def follow(self, pipeline: Pipeline) -> None:
        """From now on the cluster runs what this repository holds, without delay."""
        rules = {"delaySeconds": 0, "repository": pipeline.repository}
        await self.ask("owner", "POST", f"{self.sandbox.url}/cluster/config", rules)

    def deafen(self) -> None:
        """No webhook arrives until `listen`: what is done by hand shall not wake Towpath."""
        self.sandbox.faults.hooks.append(HookFault(HookFaultKind.DROP, re.compile(".*"), 1_000_000))

    async def listen(self) -> None:
        await self.sandbox.settle()
        self.sandbox.faults.clear()

    async def proposed(self, repository: str, since: int) -> float:
        """Wait until a pull request is open, with labels and check run; when that was."""
        await self.stopwatch.until(f"a proposal in {repository}", lambda: _proposed_at(self, repository, since) > 0)
        return _proposed_at(self, repository, since)

    async def verified(self, pipeline: Pipeline, number: int, since: int) -> None:
        """Wait until Towpath has told of a promotion's end and is quiet. Raises RuntimeError if it did not end well."""
        comments = f"/repos/{pipeline.repository}/issues/{number}/comments"
        await self.stopwatch.until(
            f"the end of {pipeline.repository}#{number}",
            lambda: any((c.method, c.path) == ("POST", comments) for c in self.stopwatch.of_bot(since)),
        )
        await self.quiet()
        labels = await self.ask("owner", "GET", f"/repos/{pipeline.repository}/issues/{number}/labels")
        if "promotion/verified" not in {label["name"] for label in labels}:
            raise RuntimeError(f"{pipeline.repository}#{number} was not verified: {labels}")

    async def merged(self, pipeline: Pipeline) -> None:
        """Wait until Towpath has merged once for each stage."""
        merge, wanted = re.compile(rf"/repos/{pipeline.repository}/pulls/\d+/merge"), len(pipeline.stages)

        def merges() -> int:
            calls = self.stopwatch.of_bot(0, pipeline.repository)
            return sum(1 for call in calls if call.status == 200 and merge.fullmatch(call.path))

        await self.stopwatch.until(f"{wanted} merges in {pipeline.repository}", lambda: merges() >= wanted)

    async def quiet(self) -> None:
        """Wait until every webhook is delivered and nobody has called for a while."""
        async with asyncio.timeout(_PATIENCE):
            seen = -1
            while seen != len(self.stopwatch.calls):
                seen = len(self.stopwatch.calls)
                await self.sandbox.settle()
                await asyncio.sleep(_SILENCE)


def _proposed_at(world: World, repository: str, since: int) -> float:
    calls = world.stopwatch.of_bot(since, repository)
    last = 0.0
    for method, path, status in _PARTS:
        whole = re.compile(rf"/repos/{repository}{path}")
        times = [c.at for c in calls if (c.method, c.status) == (method, status) and whole.fullmatch(c.path)]
        if not times:
            return 0.0
        last = max(last, times[0])
    return last


@asynccontextmanager
async def running_world(folder: Path, webhook_url: str) -> AsyncIterator[World]:
    """A seeded sandbox that sends its webhooks to `webhook_url`."""
    stopwatch = Stopwatch()
    sandbox = await start(folder, observers=[stopwatch])
    try:
        keys = await seed(sandbox, webhook_url=webhook_url)
        async with aiohttp.ClientSession() as session:
            yield World(sandbox, keys, stopwatch, session)
    finally:
        await sandbox.close()


async def prepare(world: World, pipelines: Sequence[Pipeline]) -> None:
    """Make repositories in which every stage holds version 1.0.0, by Towpath's own doing."""
    await world.push("1.0.0")
    for pipeline in pipelines:
        await world.make(pipeline.repository)
        filling = pipeline.configuration(world.address, filling=True)
        await world.write(pipeline.repository, {**pipeline.chart(), ".promotion.yaml": filling})
        await world.merged(pipeline)
        await world.quiet()
        await world.write(pipeline.repository, {".promotion.yaml": pipeline.configuration(world.address)})
        await world.quiet()
