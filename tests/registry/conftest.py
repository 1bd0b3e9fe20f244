"""A real registry, images pushed to it by skopeo and charts by helm, and a client to read them with."""

import asyncio
import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import yaml

from bot.registry import RegistryClient
from tests.environment import required
from tests.ports import free_port

SECRET_BY_BCRYPT = "$2b$04$cITIdd7iQvV3f46QdLSl8e9LSjTipIt14afgTjgYh.sr9ZCupbiwq"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class SteadyClock:
    """A clock that a test moves."""

    def __init__(self):
        self.time = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return SteadyClock()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def counted():
    """A session that notes every request, as `METHOD path`, whatever host it goes to."""

    async def started(_session, _context, parameters):
        sent.append(f"{parameters.method} {parameters.url.raw_path_qs}")

    sent = []
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(started)
    return sent, trace


@pytest.fixture
async def requests(counted):
    return counted[0]


@pytest.fixture
async def client(counted, clock):
    async def nobody(_address):
        return None

    async with aiohttp.ClientSession(trace_configs=[counted[1]]) as opened:
        yield RegistryClient(opened, clock, nobody)


class Layout:
    """Images as an OCI layout on disk (https://github.com/opencontainers/image-spec/blob/main/image-layout.md)."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, content, media_type):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        name = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs" / "sha256" / name).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(content)}

    def image(self, created="2026-01-01T00:00:00Z", labels=None, annotations=None, arch="amd64", variant="", text="x"):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("version")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
        config = {
            "architecture": arch,
            "os": "linux",
            "config": {"Labels": labels or {}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(archive.getvalue()).hexdigest()]},
        }
        config |= {"created": created} if created else {}
        config |= {"variant": variant} if variant else {}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(config, CONFIG),
            "layers": [self.blob(gzip.compress(archive.getvalue(), mtime=0), LAYER)],
        }
        manifest |= {"annotations": annotations} if annotations else {}
        return self.blob(manifest, MANIFEST)

    def index(self, children, annotations=None):
        """`children`: (descriptor, platform as `os/arch[/variant]` or None, annotations)."""
        entries = []
        for descriptor, platform, notes in children:
            entry = dict(descriptor)
            if platform:
                entry["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
            entries.append(entry | ({"annotations": notes} if notes else {}))
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self.blob(index | ({"annotations": annotations} if annotations else {}), INDEX)

    def tag(self, descriptor, name):
        entry = descriptor | {"annotations": {"org.opencontainers.image.ref.name": name}}
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


class RealRegistry:
    """Debian's docker-registry on a free port. `host` is `127.0.0.1:PORT`."""

    def __init__(self, host, folder):
        self.host, self._folder, self._count = host, folder, 0
        self.login = ()

    def push(self, repository, tag, make):
        """Push the image that `make(layout)` describes; its digest."""
        self._count += 1
        layout = Layout(self._folder / f"layout-{self._count}")
        descriptor = make(layout)
        layout.tag(descriptor, tag)
        target = f"docker://{self.host}/{repository}:{tag}"
        self.skopeo("copy", "--all", "--dest-tls-verify=false", *self.login, f"oci:{layout.folder}:{tag}", target)
        return descriptor["digest"]

    def skopeo(self, *arguments):
        command = ["skopeo", "--insecure-policy", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def inspect(self, repository, tag, *options):
        return json.loads(
            self.skopeo("inspect", "--tls-verify=false", *options, f"docker://{self.host}/{repository}:{tag}")
        )

    def list_tags(self, repository):
        return json.loads(self.skopeo("list-tags", "--tls-verify=false", f"docker://{self.host}/{repository}"))["Tags"]


async def answers(host):
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.close()
    await writer.wait_closed()
    return reader is not None


@contextmanager
def serving(folder: Path, more=""):
    """Debian's docker-registry on a free port, its files in `folder`; `more` goes into its configuration."""
    for name in ("docker-registry", "skopeo"):
        required(shutil.which(name), f"not installed: {name}")
    host = f"127.0.0.1:{free_port()}"
    (folder / "config.yml").write_text(
        "version: 0.1\n"
        "log: {accesslog: {disabled: true}, level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '{host}'}}\n{more}"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(host.split(":")[1]))) == 0:
                    break
            assert process.poll() is None, (folder / "log").read_text()
            asyncio.run(asyncio.sleep(0.05))
        yield RealRegistry(host, folder)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """The same, for nobody but `reader`, whose password is `secret`."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "htpasswd").write_text(f"reader:{SECRET_BY_BCRYPT}\n")
    with serving(folder, f"auth: {{htpasswd: {{realm: here, path: {folder / 'htpasswd'}}}}}\n") as registry:
        registry.login = ("--dest-creds", "reader:secret")
        yield registry


@dataclass
class Helm:
    """The program, and a folder to package charts in."""

    program: str
    folder: Path

    def run(self, *arguments):
        environment = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([self.program, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def package(self, name, version):
        source = self.folder / "source" / name
        source.mkdir(parents=True, exist_ok=True)
        metadata = {"apiVersion": "v2", "name": name, "version": version, "description": "entries:\n  a: b"}
        (source / "Chart.yaml").write_text(yaml.safe_dump(metadata))
        packages = self.folder / "packages"
        self.run("package", str(source), "--destination", str(packages))
        return packages / f"{name}-{version}.tgz"


@pytest.fixture
def helm(tmp_path):
    beside = Path(sys.executable).parent / "helm"
    program = str(beside) if beside.exists() else shutil.which("helm")
    required(program, "not installed: helm")
    return Helm(program, tmp_path)
