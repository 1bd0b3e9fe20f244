"""What was rendered, kept on disk by all that went into it: the same input is rendered once.

An entry follows from its key alone, so it is never out of date, and all repositories may share it. One that was cut off
or altered is not believed. The folder may be removed at any time.
"""

import asyncio
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.contracts.steps import Rendered

log = logging.getLogger(__name__)

_LIMIT = 512 * 1024 * 1024  # bytes on disk
_FILL = 0.8  # of the limit, what is left once the oldest have gone
_SHARE = 16  # an entry has at most this part of the limit
_UNFINISHED = ".new-"
_LEFT_OVER = 3600.0  # seconds after which an unfinished file is a killed process's


@dataclass(slots=True)
class _Size:
    """How much there is on disk; None until somebody has looked."""

    bytes: int | None = None


class KeptRenders:
    """A RenderCache in a folder, with a bound. What was used longest ago goes first."""

    def __init__(self, folder: Path, *, limit: int = _LIMIT, at_once: int | None = None) -> None:
        self._folder = folder
        self._limit = limit
        self._size = _Size()
        # One more than there are cores, so that none waits while one program ends and the next begins.
        self._places = asyncio.Semaphore(at_once or len(os.sched_getaffinity(0)) + 1)
        self._made: dict[str, asyncio.Event] = {}

    async def render(self, key: str, make: Callable[[], Awaitable[Rendered | None]]) -> Rendered | None:
        """What is kept for the key, or what `make` gives now. Who asks for what is being made waits for it."""
        if not key:
            async with self._places:
                return await make()
        while (others := self._made.get(key)) is not None:
            await others.wait()
        made = self._made[key] = asyncio.Event()
        try:
            if (kept := await asyncio.to_thread(self.kept, key)) is not None:
                return kept
            async with self._places:
                files = await make()
            if files is not None:
                await asyncio.to_thread(self._write, key, files)
            return files
        finally:
            del self._made[key]
            made.set()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def kept(self, key: str) -> Rendered | None:
        """What is kept for the key; None also for "" and where it can't be read. Blocks."""
        if not key:
            return None
        path = self._path(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError:  # a disk that fails costs time, not promotions
            log.warning("reading what was rendered before", exc_info=True)
            return None
        files = _unpacked(key, content)
        if files is None:
            log.warning("what was rendered before is damaged; rendering it again", extra={"key": key})
            path.unlink(missing_ok=True)
        return files

    def _write(self, key: str, files: Rendered) -> None:
        """Whole or not at all; what can't be kept is rendered again another time."""
        content = _packed(key, files)
        if len(content) > self._limit // _SHARE:
            return
        path = self._path(key)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(unfinished, path)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
            self._make_room(len(content))
        except OSError:
            log.warning("keeping what was rendered", exc_info=True)

    def _make_room(self, added: int) -> None:
        if self._size.bytes is not None:
            self._size.bytes += added
            if self._size.bytes <= self._limit:
                return
        found = sorted(self._entries())
        total = sum(size for _, size, _ in found)
        room = total if total <= self._limit else int(self._limit * _FILL)
        for _, size, path in found:
            if total <= room:
                break
            path.unlink(missing_ok=True)
            total -= size
        self._size.bytes = total

    def _entries(self) -> list[tuple[float, int, Path]]:
        """When each was last used, how large it is, and where; unfinished ones that nobody finishes are removed."""
        found = []
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):  # another process makes room as well
                status = path.stat()
                if not path.name.startswith(_UNFINISHED):
                    found.append((status.st_mtime, status.st_size, path))
                elif time.time() - status.st_mtime > _LEFT_OVER:
                    path.unlink()
        return found


def _packed(key: str, files: Rendered) -> bytes:
    """A line with the digest of all that follows and of the key; a line with names and lengths; the contents."""
    index = json.dumps([[name, len(content)] for name, content in files.items()]).encode()
    body = b"\n".join([index, b"".join(files.values())])
    return hashlib.sha256(key.encode() + body).hexdigest().encode() + b"\n" + body


def _unpacked(key: str, content: bytes) -> Rendered | None:
    digest, _, body = content.partition(b"\n")
    if hashlib.sha256(key.encode() + body).hexdigest().encode() != digest:
        return None
    index, _, rest = body.partition(b"\n")
    files, at = {}, 0
    for name, length in json.loads(index):
        files[name] = rest[at : at + length]
        at += length
    return files
