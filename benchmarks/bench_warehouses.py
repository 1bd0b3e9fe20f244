"""What it takes to poll many warehouses when nothing is new, and how that grows."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from benchmarks.figures import Figure, Say, Unavailable
from benchmarks.filled_registry import running
from benchmarks.polling import ROUNDS, name_of

NAME = "warehouses"
FEW, MANY = 100, 1000
ABOUT = f"""\
{FEW} and {MANY} warehouses, each of an image repository of its own, in Debian's docker-registry on this machine, polled
all at once by one process for each number: medians of {ROUNDS} warm polls, in which every tag list and every digest is
asked for again. Memory is what the process has more of after them than before. Bare requests are the same, sent by
aiohttp with nothing around them."""
_TAGS = ("1.0.0", "1.1.0")
_AT_ONCE = 16


def run(say: Say) -> Iterator[Figure]:
    """Raises Unavailable without docker-registry."""
    if shutil.which("docker-registry") is None:
        raise Unavailable("the program docker-registry (Debian's package of that name)")
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as registry:
        say(f"pushing {MANY} images")
        host = registry.url.partition("/")[0]
        asyncio.run(registry.push(1))
        asyncio.run(_copy(host, registry.url.partition("/")[2], registry.tag(0)))
        say(f"polling {FEW} warehouses")
        few = _polled(host, FEW)
        say(f"polling {MANY} warehouses")
        many = _polled(host, MANY)
    yield Figure("requests of a warm poll, each", many["requests"] / MANY, "requests", aim=2)
    yield Figure("requests of a cold poll, each", many["cold_requests"] / MANY, "requests", aim=3)
    each, unit = f"each of {MANY}", f"each of {FEW}"
    yield Figure(f"CPU, {each}", many["cpu"] / MANY * 1000, "ms", unit, few["cpu"] / FEW * 1000, aim=1.2)
    yield Figure(f"CPU, {each}", many["cpu"] / MANY * 1000, "ms", "bare requests", many["bare"] / MANY * 1000)
    yield Figure(f"time, {each}", many["seconds"] / MANY * 1000, "ms", unit, few["seconds"] / FEW * 1000, aim=1.2)
    yield Figure(f"memory, {each}", many["memory"] / MANY / 1024, "KiB", unit, few["memory"] / FEW / 1024, aim=1.2)
    yield Figure(f"a look when none is due, {each}", many["idle"] / MANY * 1e6, "µs", unit, few["idle"] / FEW * 1e6)


def _polled(host: str, count: int) -> dict[str, float]:
    program = [sys.executable, "-m", "benchmarks.polling", host, str(count)]
    done = subprocess.run(program, check=True, capture_output=True, timeout=300)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


async def _copy(host: str, source: str, tag: str) -> None:
    """Images like this one into every repository, the blobs mounted from where they are.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
    """
    async with aiohttp.ClientSession(f"http://{host}", raise_for_status=True) as session:
        kind = "application/vnd.oci.image.manifest.v1+json"
        async with session.get(f"/v2/{source}/manifests/{tag}", headers={"Accept": kind}) as answer:
            manifest = json.loads(await answer.read())
        blobs = [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int) -> None:
            async with gate:
                name = name_of(number)
                for digest in blobs:
                    mount = {"mount": digest, "from": source}
                    async with session.post(f"/v2/{name}/blobs/uploads/", params=mount) as answer:
                        assert answer.status == 201
                for version in _TAGS:
                    own = json.dumps({**manifest, "annotations": {"build": f"{name} {version}"}})
                    async with session.put(
                        f"/v2/{name}/manifests/{version}", data=own, headers={"Content-Type": kind}
                    ) as pushed:
                        assert pushed.status == 201

        await asyncio.gather(*(one(number) for number in range(MANY)))
