"""Running helm and kustomize: no shell, nothing of the machine's environment, limits on time, memory and output."""

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.contracts.steps import Network
from bot.errors import UserError
from bot.steps.rendering.confine import Fence, start

_SECONDS = 300.0
_OUTPUT_LIMIT = 64 * 1024 * 1024
_MEBIBYTE = 1024 * 1024
_MEMORY = 1536 * _MEBIBYTE
# Of memory only what is written to counts (DATA): Go reserves far more addresses (AS) than it ever uses.
# https://man7.org/linux/man-pages/man2/getrlimit.2.html
_LIMITS: Mapping[int, int] = {
    resource.RLIMIT_DATA: _MEMORY,
    resource.RLIMIT_CPU: int(_SECONDS),
    resource.RLIMIT_FSIZE: 512 * _MEBIBYTE,
    resource.RLIMIT_CORE: 0,
}
_NO_MEMORY = ("out of memory", "cannot allocate memory", "goroutine stack exceeds")
# For kustomize, which fetches remote bases by git.
GIT_ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "http:https",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    output: bytes
    complaint: str


def helm_environment(workdir: Path) -> dict[str, str]:
    """What keeps helm to itself: everything it would look up or keep lies in a folder of this run.

    https://helm.sh/docs/helm/helm/
    """
    home = workdir / ".helm"
    return {
        "HOME": str(home),
        "TMPDIR": str(workdir),
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_DATA_HOME": str(home / "data"),
        "HELM_PLUGINS": str(home / "plugins"),  # without it `HELM_NO_PLUGINS` still has those that fetch charts run
        "HELM_REGISTRY_CONFIG": str(home / "registry.json"),
        "HELM_REPOSITORY_CACHE": str(home / "repository"),
        "HELM_REPOSITORY_CONFIG": str(home / "repositories.yaml"),
        "HELM_NO_PLUGINS": "1",
        "KUBECONFIG": os.devnull,
    }


def without_folder(text: str, workdir: Path) -> str:
    """What a program said, with paths as its user wrote them, and not without end."""
    return text.replace(f"{workdir.resolve()}/", "./")[-2000:]


async def run(
    program: Sequence[str],
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float = _SECONDS,
    network: Network | None = None,
    starts: Sequence[Path] = (),
    reads: Sequence[Path] = (),
) -> Answer:
    """Run it in `folder`. Raises UserError when it takes too long, needs too much memory or says too much.

    Files outside `folder` it does not reach, but for what programs are made of, the programs it `starts` and what it
    `reads`. `network` is how it reaches others, where it may want to.
    """
    name = Path(program[0]).name
    if network is not None:
        environment = {**network.environment, **environment}
    process = start(
        (*program, *arguments),
        Fence((folder,), reads, starts, network.only_port if network is not None else 0),
        folder=folder,
        environment={"PATH": os.defpath, "LC_ALL": "C", **environment},
    )
    _limit(process.pid)
    try:
        async with asyncio.timeout(seconds), _reading(process.stdout) as out, _reading(process.stderr) as err:
            output, complaint = await asyncio.gather(_read(process, out), _read(process, err))
            status = process.poll()
            if status is None:  # it has closed its output, and may take its time to end
                status = await asyncio.to_thread(process.wait)
    except TimeoutError as error:
        raise UserError(f"{name} had not finished after {seconds:g} s; it was ended") from error
    finally:
        if process.returncode is None:
            _end(process)
            await asyncio.to_thread(process.wait)
    if max(len(output), len(complaint)) > _OUTPUT_LIMIT:
        raise UserError(f"{name} printed more than {_OUTPUT_LIMIT // 1024**2} MiB; it was ended")
    said = complaint.decode("utf-8", "replace").strip()
    if status and any(words in said for words in _NO_MEMORY):
        raise UserError(f"{name} needed more than {_MEMORY // _MEBIBYTE} MiB of memory; it was ended")
    if status in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ):
        raise UserError(f"{name} was ended: it needed too much memory or time, or wrote too large a file")
    return Answer(status, output, said)


def _limit(pid: int) -> None:
    """From the outside, since a child that is to do something before it starts is slow to start (`preexec_fn`)."""
    if not hasattr(resource, "prlimit"):  # Linux has it
        return
    with suppress(ProcessLookupError):  # it has ended already
        for kind, limit in _LIMITS.items():
            resource.prlimit(pid, kind, (limit, limit))


@asynccontextmanager
async def _reading(pipe: IO[bytes] | None) -> AsyncIterator[asyncio.StreamReader]:
    """What comes out of one end of a pipe, which is closed when this is left."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        yield reader
    finally:
        transport.close()


async def _read(process: subprocess.Popen[bytes], stream: asyncio.StreamReader) -> bytes:
    """What it prints; once that is too much, its beginning, and the program is ended."""
    parts = bytearray()
    while part := await stream.read(65536):
        if len(parts) <= _OUTPUT_LIMIT:
            parts += part
        else:
            _end(process)
    return bytes(parts)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
