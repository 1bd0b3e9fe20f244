"""`python -m benchmarks.polling HOST COUNT`: one process that polls so many warehouses, and what that took, as JSON."""

import asyncio
import gc
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter, process_time

import aiohttp

from bot.contracts import Git, Registry
from bot.core.model import Pipeline, RepositoryName, Subscription, Warehouse, WarehouseName
from bot.engine.discovery import Discovery
from bot.registry import RegistryClient, nobody
from bot.subscriptions import BY_NAME

ROUNDS = 5
_AT_ONCE = 16


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class NoGit(Git):
    """Images are in no repository of Git."""


@dataclass(frozen=True, slots=True)
class Place:
    """The repository whose warehouses these are."""

    repository: RepositoryName
    git: Git
    registry: Registry


def name_of(number: int) -> str:
    return f"acme/service-{number}"


def pipeline(host: str, count: int) -> Pipeline:
    """So many warehouses of one image each."""
    warehouses = {}
    for number in range(count):
        name = WarehouseName(f"service-{number}")
        image = Subscription("image", {"repoURL": f"{host}/{name_of(number)}", "constraint": "^1.0.0"})
        warehouses[name] = Warehouse(name, (image,), interval=timedelta(hours=1))
    return Pipeline(warehouses, {})


async def poll(host: str, count: int) -> dict[str, float]:
    """Medians of warm polls of all warehouses: requests, seconds, CPU seconds, and the memory that is kept."""
    sent = 0

    async def note(*_: object) -> None:
        nonlocal sent
        sent += 1

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        registry = RegistryClient(session, SystemClock(), nobody)
        place = Place(RepositoryName("acme/shop"), NoGit(), registry)
        before = memory()
        discovery, pipe = Discovery(BY_NAME, SystemClock()), pipeline(host, count)

        async def all_of_them() -> None:
            discovery.expire(place.repository)
            found = await discovery.of(place, pipe)
            assert all(one.freight for one in found.values())

        cold = await _timed(all_of_them)
        cold_requests, sent = sent, 0
        warm = [await _timed(all_of_them) for _ in range(ROUNDS)]
        kept = memory() - before
        requests = sent / ROUNDS
        idle = [await _timed(lambda: discovery.of(place, pipe)) for _ in range(ROUNDS)]
    return {
        "cold_requests": cold_requests,
        "cold_seconds": cold[0],
        "requests": requests,
        "seconds": median(took for took, _ in warm),
        "cpu": median(cpu for _, cpu in warm),
        "memory": kept,
        "idle": median(took for took, _ in idle),
        "bare": await _bare(host, count),
    }


async def _bare(host: str, count: int) -> float:
    """CPU seconds of the same requests with nothing around them."""
    gate = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(f"http://{host}") as session:

        async def one(number: int) -> None:
            async with gate:
                async with session.get(f"/v2/{name_of(number)}/tags/list?n=1000") as answer:
                    json.loads(await answer.read())
                async with session.head(f"/v2/{name_of(number)}/manifests/1.1.0", headers=_ACCEPT) as answer:
                    await answer.read()

        async def all_of_them() -> None:
            await asyncio.gather(*(one(number) for number in range(count)))

        return median([(await _timed(all_of_them))[1] for _ in range(ROUNDS)])


_ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"}


async def _timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    began, cpu = perf_counter(), process_time()
    await work()
    return perf_counter() - began, process_time() - cpu


def memory() -> int:
    """Bytes this process has in memory now (https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html)."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(poll(sys.argv[1], int(sys.argv[2])))))
