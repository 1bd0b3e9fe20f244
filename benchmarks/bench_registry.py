"""What it takes to watch an image repository of many tags: our client against skopeo, at the same real registry."""

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import cast

import aiohttp

from benchmarks.figures import Figure, Say, Unavailable
from benchmarks.filled_registry import FilledRegistry, running
from bot.contracts import Discovered, DiscoveryContext, Git
from bot.core.model import Image
from bot.registry import RegistryClient, nobody
from bot.subscriptions import image

NAME = "registry"
TAGS = 2000
SAMPLE = 50
ROUNDS = 5
NEWEST_ROUNDS = 3
NEW_TAGS = 10
ABOUT = f"""\
A repository of {TAGS} tags, each an image of its own, in Debian's docker-registry on this machine.
Towpath discovers as in a running bot: cold with a client and connections that are new, warm with what it knows.
skopeo is a process each time. `list-tags` against SemVer: medians of {ROUNDS} rounds in which they take turns.
`inspect` against NewestBuild: {SAMPLE} of the tags, evenly spread, one after another, times {TAGS // SAMPLE}: the time
of all is reckoned, not measured. It lists all tags each time, which `--no-tags` leaves out. Medians of {NEWEST_ROUNDS}.
Requests are those that go to the registry. Warm NewestBuild: {NEW_TAGS} tags were pushed since."""
_AIM_TIME = 1.3
_AIM_REQUESTS_COLD = TAGS / 1000 + 2
_AIM_REQUESTS_WARM = TAGS / 1000 + 1  # as many pages as the list has, and a HEAD
_AIM_NEWEST = 0.1
_AIM_NEWEST_REQUESTS = 2 * TAGS + TAGS / 1000 + 1  # a manifest and a config each, and the pages of the list


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Watcher:
    """A client as the bot has one, and the requests it sent, as `METHOD kind`."""

    client: RegistryClient
    sent: list[str]

    async def discover(
        self, repo_url: str, strategy: str, previous: Discovered | None = None
    ) -> tuple[Discovered, float, Sequence[str]]:
        """What there is, the seconds it took, and the requests."""
        self.sent.clear()
        context = DiscoveryContext(cast(Git, None), self.client, SystemClock(), previous)
        began = perf_counter()
        found = await image.discover(context, {"repoURL": repo_url, "imageSelectionStrategy": strategy}, "")
        return found, perf_counter() - began, tuple(self.sent)


@asynccontextmanager
async def watching() -> AsyncIterator[Watcher]:
    sent: list[str] = []

    async def note(_session: object, _context: object, started: aiohttp.TraceRequestStartParams) -> None:
        sent.append(f"{started.method} {started.url.path.rsplit('/', 2)[-2]}")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        yield Watcher(RegistryClient(session, SystemClock(), nobody), sent)


def run(say: Say) -> Iterator[Figure]:
    missing = [name for name in ("docker-registry", "skopeo") if shutil.which(name) is None]
    if missing:
        raise Unavailable(" and ".join(missing))
    with tempfile.TemporaryDirectory(prefix="towpath-bench-") as folder, running(Path(folder)) as registry:
        yield from asyncio.run(_measure(registry, say))


async def _measure(registry: FilledRegistry, say: Say) -> list[Figure]:
    say(f"pushing {TAGS} images")
    await registry.push(TAGS)
    return [*await _semver(registry, say), *await _newest_build(registry, say)]


async def _semver(registry: FilledRegistry, say: Say) -> list[Figure]:
    cold, warm, theirs = [], [], []
    listing = _skopeo("list-tags", "--tls-verify=false", f"docker://{registry.url}")
    for number in range(ROUNDS + 1):
        say(f"SemVer, round {number} of {ROUNDS}")
        async with watching() as watcher:
            first = await watcher.discover(registry.url, "SemVer")
            again = await watcher.discover(registry.url, "SemVer", first[0])
        assert _tags(first[0]) == _tags(again[0]) == [registry.newest_version]
        seconds, tags = await asyncio.to_thread(listing)
        assert len(json.loads(tags)["Tags"]) == TAGS
        cold.append(first)
        warm.append(again)
        theirs.append(seconds)
    peer = median(theirs[1:]) * 1000  # the first round was to warm up
    against = "skopeo list-tags"
    return [
        Figure("SemVer cold, time", median(c[1] for c in cold[1:]) * 1000, "ms", against, peer, _AIM_TIME),
        Figure("SemVer warm, time", median(w[1] for w in warm[1:]) * 1000, "ms", against, peer, _AIM_TIME),
        Figure("SemVer cold, requests", max(len(c[2]) for c in cold), "requests", aim=_AIM_REQUESTS_COLD),
        Figure("SemVer warm, requests", max(len(w[2]) for w in warm), "requests", aim=_AIM_REQUESTS_WARM),
    ]


async def _newest_build(registry: FilledRegistry, say: Say) -> list[Figure]:
    cold, requests = [], 0
    theirs: dict[str, list[float]] = {"skopeo inspect": [], "skopeo inspect --no-tags": []}
    for number in range(NEWEST_ROUNDS):
        say(f"NewestBuild, round {number + 1} of {NEWEST_ROUNDS}")
        async with watching() as watcher:
            found, seconds, sent = await watcher.discover(registry.url, "NewestBuild")
        assert _tags(found) == registry.newest_builds(20)
        cold.append(seconds)
        requests = max(requests, len(sent))
        for command, seen in theirs.items():
            seen.append(await asyncio.to_thread(_inspect_all, registry, command.split()[2:], number))
    say("NewestBuild, warm")
    async with watching() as watcher:
        await watcher.discover(registry.url, "NewestBuild")
        await registry.push(NEW_TAGS)
        found, warm, sent = await watcher.discover(registry.url, "NewestBuild")
    assert _tags(found) == registry.newest_builds(20)
    return [
        *(
            Figure("NewestBuild cold, time", median(cold), "s", command, median(seen), _AIM_NEWEST)
            for command, seen in theirs.items()
        ),
        Figure("NewestBuild cold, requests", requests, "requests", aim=_AIM_NEWEST_REQUESTS),
        Figure("NewestBuild warm, time", warm * 1000, "ms"),
        Figure("NewestBuild warm, HEADs", sent.count("HEAD manifests"), "requests", aim=TAGS),
        Figure("NewestBuild warm, manifests fetched", sent.count("GET manifests"), "requests", aim=NEW_TAGS),
        Figure("NewestBuild warm, configs fetched", sent.count("GET blobs"), "requests", aim=NEW_TAGS),
    ]


def _tags(found: Discovered) -> list[str]:
    return [one.tag for one in found.artifacts if isinstance(one, Image)]


def _inspect_all(registry: FilledRegistry, options: Sequence[str], number: int) -> float:
    """Seconds that all tags would take, told from some: other ones in each round."""
    total, chosen = 0.0, range(number, TAGS, TAGS // SAMPLE)
    for one in chosen:
        total += _skopeo("inspect", *options, "--tls-verify=false", f"docker://{registry.url}:{registry.tag(one)}")()[0]
    return total / len(chosen) * TAGS


def _skopeo(*arguments: str) -> Callable[[], tuple[float, str]]:
    def call() -> tuple[float, str]:
        began = perf_counter()
        done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, check=True, timeout=60)
        return perf_counter() - began, done.stdout

    return call
