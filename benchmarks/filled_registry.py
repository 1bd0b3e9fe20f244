"""A real registry with one repository of many images, pushed in the fewest requests that it takes."""

import asyncio
import hashlib
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import aiohttp
from yarl import URL

from benchmarks.promotion.programs import free_port

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_START = datetime(2024, 1, 1, tzinfo=UTC)
_PATIENCE = 20.0


@dataclass
class FilledRegistry:
    """`url` is the repository. Image N is `1.N.0`, made at a time that says nothing of its number."""

    url: str
    pushed: int = 0

    def tag(self, number: int) -> str:
        return f"1.{number}.0"

    @property
    def newest_version(self) -> str:
        return self.tag(self.pushed - 1)

    def newest_builds(self, count: int) -> list[str]:
        """The tags made last, the newest first."""
        return [self.tag(n) for n in sorted(range(self.pushed), key=_created, reverse=True)[:count]]

    async def push(self, count: int) -> None:
        """Push so many images more. All share a layer; each has a config of its own, as builds have."""
        async with aiohttp.ClientSession(f"http://{self.url.partition('/')[0]}") as session:
            layer = await self._blob(session, b"a layer")
            gate = asyncio.Semaphore(16)

            async def one(number: int) -> None:
                async with gate:
                    await self._image(session, number, {"mediaType": _LAYER, **layer})

            await asyncio.gather(*(one(number) for number in range(self.pushed, self.pushed + count)))
        self.pushed += count

    async def _image(self, session: aiohttp.ClientSession, number: int, layer: dict[str, object]) -> None:
        config = {
            "created": _created(number).isoformat(),
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": [f"BUILD={number}"]},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        described = await self._blob(session, json.dumps(config).encode())
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, **described},
            "layers": [layer],
        }
        path = f"/v2/{self.url.partition('/')[2]}/manifests/{self.tag(number)}"
        async with session.put(path, data=json.dumps(manifest), headers={"Content-Type": _MANIFEST}) as answer:
            answer.raise_for_status()

    async def _blob(self, session: aiohttp.ClientSession, content: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        async with session.post(f"/v2/{self.url.partition('/')[2]}/blobs/uploads/") as started:
            started.raise_for_status()
            place = URL(started.headers["Location"])
        async with session.put(place.update_query(digest=digest), data=content) as answer:
            answer.raise_for_status()
        return {"digest": digest, "size": len(content)}


def _created(number: int) -> datetime:
    """A time of its own for each number below 100,003, a prime: in no order one could guess."""
    return _START + timedelta(minutes=(number + 1) * 7919 % 100_003)


@contextmanager
def running(folder: Path) -> Iterator[FilledRegistry]:
    """Debian's docker-registry on a free port of this machine, empty; its cache is on, as in Debian's configuration."""
    host = f"127.0.0.1:{free_port()}"
    (folder / "config.yml").write_text(
        "version: 0.1\n"
        "log: {accesslog: {disabled: true}, level: error}\n"
        f"storage: {{cache: {{blobdescriptor: inmemory}}, filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
        f"http: {{addr: '{host}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        _wait(host, process, folder / "log")
        yield FilledRegistry(f"{host}/acme/service")
    finally:
        process.terminate()
        process.wait(10)


def _wait(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    name, _, port = host.partition(":")
    deadline = monotonic() + _PATIENCE
    while process.poll() is None and monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((name, int(port))) == 0:
                return
        sleep(0.05)
    raise RuntimeError(f"docker-registry does not answer:\n{log.read_text()}")
