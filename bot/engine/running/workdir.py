"""The folder that one run of steps works in."""

import asyncio
import fcntl
import os
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

# https://man7.org/linux/man-pages/man2/ioctl_iflags.2.html, numbers as on x86 and ARM
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_TOP_FOLDER = 0x00020000


@asynccontextmanager
async def workdir(parent: Path) -> AsyncIterator[Path]:
    """A folder for one run; gone soon after it, whatever happens. What a kill leaves is swept at the next start."""
    path = await asyncio.to_thread(_make, parent)
    try:
        yield path
    finally:
        # Nobody waits for it: a promotion's checkout may have thousands of files.
        asyncio.get_running_loop().run_in_executor(None, partial(shutil.rmtree, path, ignore_errors=True))


def _make(parent: Path) -> Path:
    with suppress(OSError):  # another file system, or a folder that is not ours
        _spread(parent)
    return Path(tempfile.mkdtemp(prefix="promotion-", dir=parent))


def _spread(parent: Path) -> None:
    """Tell ext4 that the folders in this one have nothing to do with one another, or it puts each where others were
    removed a moment ago. Without a journal it then takes many times as long to make a file."""
    folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        (flags,) = struct.unpack("i", fcntl.ioctl(folder, _GET_FLAGS, bytes(4)))
        if not flags & _TOP_FOLDER:
            fcntl.ioctl(folder, _SET_FLAGS, struct.pack("i", flags | _TOP_FOLDER))
    finally:
        os.close(folder)
