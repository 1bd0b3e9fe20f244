"""tar: put a file or a folder into an archive."""

import asyncio
import gzip
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, cast

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.files.ignoring import Ignored
from bot.steps.files.inflating import MOST_BYTES, MOST_ENTRIES
from bot.steps.files.targets import writable_file
from bot.steps.shapes import FLAG, IGNORE, TEXT, record, told
from bot.steps.workspace import existing

NAME = "tar"
HELP = "Put a file or a folder into a tar archive."
SCHEMA: Schema = record(
    "inPath outPath",
    inPath=TEXT,
    outPath=told(TEXT, "The archive, replaced if it is there."),
    ignore=IGNORE,
    gzip=told(FLAG, "Whether to compress it."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. The same files make the same bytes: the archive has neither times nor owners.

    What Git keeps in `.git` is left out, symbolic links are put in as links.
    """
    await asyncio.to_thread(_write, context.workdir, config)
    return StepResult(StepStatus.SUCCEEDED)


def _write(folder: Path, config: Mapping[str, Any]) -> None:
    source = existing(folder, config["inPath"])
    target = writable_file(folder, config["outPath"], True, "outPath")
    if target == source:
        raise UserError(f"{config['outPath']!r} can't be an archive of itself; choose another `outPath`")
    entries = list(_entries(source, Ignored(config.get("ignore", "")), target))
    size = sum(entry.stat().st_size for _, entry in entries if entry.is_file() and not entry.is_symlink())
    if len(entries) > MOST_ENTRIES or size > MOST_BYTES:
        raise UserError(
            f"{config['inPath']!r} has {len(entries)} entries of {size:,} bytes; "
            f"at most {MOST_ENTRIES} and {MOST_BYTES:,} bytes go into an archive"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_files:
        out: IO[bytes] = open_files.enter_context(target.open("wb"))
        if config.get("gzip"):
            zipped = gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0)
            out = cast(IO[bytes], open_files.enter_context(zipped))
        archive = open_files.enter_context(tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT))
        for name, entry in entries:
            _add(archive, name, entry)


def _entries(source: Path, ignored: Ignored, target: Path) -> Iterator[tuple[str, Path]]:
    if source.is_dir():
        yield from ((path, entry) for path, entry in ignored.walk(source) if entry != target)
    elif not ignored.takes(source.name, folder=False):
        yield source.name, source


def _add(archive: tarfile.TarFile, name: str, entry: Path) -> None:
    about = tarfile.TarInfo(name)
    mode = entry.lstat().st_mode
    about.mode = 0o755 if mode & 0o100 else 0o644
    if entry.is_symlink():
        about.type, about.linkname, about.mode = tarfile.SYMTYPE, str(entry.readlink()), 0o777
        archive.addfile(about)
    elif entry.is_dir():
        about.type = tarfile.DIRTYPE
        archive.addfile(about)
    elif entry.is_file():
        with entry.open("rb") as content:
            about.size = entry.stat().st_size
            archive.addfile(about, content)
    else:
        raise UserError(f"{name!r} is neither a file, a folder nor a symbolic link, and can't go into an archive")
