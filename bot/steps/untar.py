"""untar: take the files out of an archive, and never put one elsewhere than below `outPath`."""

import asyncio
import errno
import posixpath
import secrets
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.files.ignoring import Ignored
from bot.steps.files.inflating import MOST_BYTES, MOST_ENTRIES, Inflated
from bot.steps.files.targets import of_git, writable
from bot.steps.shapes import IGNORE, TEXT, record, told
from bot.steps.workspace import existing, remove, replace

NAME = "untar"
HELP = "Take the files out of a tar archive, compressed with gzip or not."
SCHEMA: Schema = record(
    "inPath outPath",
    inPath=told(TEXT, "The archive."),
    outPath=told(TEXT, "The folder its files go to, in the place of what is there."),
    stripComponents=told({"type": "integer", "minimum": 0}, "So many folders are left out of the files' paths."),
    ignore=IGNORE,
)
_CHUNK = 1024 * 1024


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. Raises UserError for an archive that is damaged, too large, or has an entry that leads out of it."""
    await asyncio.to_thread(_extract, context.workdir, config)
    return StepResult(StepStatus.SUCCEEDED)


def _extract(folder: Path, config: Mapping[str, Any]) -> None:
    archive = existing(folder, config["inPath"], "file")
    target = writable(folder, config["outPath"])
    if target.exists() and not target.is_dir():
        raise UserError(f"{config['outPath']!r} is not a folder; choose another `outPath`")
    scratch = folder.resolve() / f".untar-{secrets.token_hex(8)}"
    scratch.mkdir()
    try:
        _Extraction(scratch, config).take(archive)
        if target != folder.resolve():
            _clear(target, config["outPath"])
        target.mkdir(parents=True, exist_ok=True)
        for entry in sorted(scratch.iterdir()):
            replace(entry, target / entry.name)
    finally:
        remove(scratch)


def _clear(target: Path, path: str) -> None:
    """As in Kargo, the folder then holds what the archive does. Raises UserError where checkouts would go with it."""
    entries = [entry for entry in target.iterdir() if not of_git(entry.name)] if target.is_dir() else []
    for entry in entries:
        if not entry.is_symlink() and any(of_git(below.name) for below in entry.rglob("*")):
            raise UserError(f"{path!r} has a checkout in it ({entry.name!r}); choose a folder inside or beside it")
    for entry in entries:
        remove(entry)


class _Extraction:
    """Files of an archive below a folder that nothing else writes to."""

    def __init__(self, root: Path, config: Mapping[str, Any]) -> None:
        self._root = root
        self._path = config["inPath"]
        self._strip = config.get("stripComponents", 0)
        self._ignored = Ignored(config.get("ignore", ""))

    def take(self, archive: Path) -> None:
        taken = 0
        try:
            with (
                Inflated(archive, self._path) as content,
                # The types ask for a whole file object; a stream is only read.
                tarfile.open(fileobj=cast(IO[bytes], content), mode="r|") as entries,
            ):
                for number, entry in enumerate(entries, 1):
                    if number > MOST_ENTRIES:
                        raise UserError(f"{self._path} has more than {MOST_ENTRIES} entries, the most that is taken")
                    taken += entry.size if entry.isreg() else 0
                    if taken > MOST_BYTES:
                        raise UserError(f"{self._path} holds more than {MOST_BYTES:,} bytes, the most that is taken")
                    self._put(entries, entry)
        except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
            raise UserError(f"{self._path} can't be read as a tar archive: {error}") from error
        except OSError as error:
            if error.errno not in {errno.ENAMETOOLONG, errno.ELOOP}:
                raise
            raise UserError(f"{self._path} has an entry with a path that is too long") from error
        self._refuse_links_out()

    def _put(self, entries: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        path = self._inside(entry.name)
        if path is None or self._ignored.takes(path, folder=entry.isdir()):
            return
        target = self._root / path
        self._make_folder(target.parent, path)
        if entry.isdir():
            self._make_folder(target, path)
            return
        if target.is_dir() and not target.is_symlink():
            raise self._mistake(path, "is a folder and a file at once")
        target.unlink(missing_ok=True)
        if entry.issym():
            target.symlink_to(entry.linkname)
        elif entry.islnk():
            self._copy_linked(entry, target, path)
        elif entry.isreg():
            self._write(entries, entry, target)
        else:
            raise self._mistake(path, "is neither a file, a folder nor a link")

    def _inside(self, name: str) -> str | None:
        """Where an entry goes, as a path below the root; None for what `stripComponents` takes away.

        Raises UserError for a name that leads out, be it only before its first parts are stripped.
        """
        if name.startswith("/") or ".." in name.split("/") or "\0" in name:
            raise self._mistake(name, "leads out of the folder it is taken to")
        if of_git(name):
            raise self._mistake(name, "is Git's own; no step may write it")
        parts = [part for part in name.split("/") if part not in {"", "."}][self._strip :]
        return "/".join(parts) or None

    def _make_folder(self, folder: Path, path: str) -> None:
        """Every folder down from the root, none of them a link that an earlier entry left."""
        at = self._root
        for part in folder.relative_to(self._root).parts:
            at /= part
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                raise self._mistake(path, "goes through a link or file of the same archive")
            at.mkdir(exist_ok=True)

    def _write(self, entries: tarfile.TarFile, entry: tarfile.TarInfo, target: Path) -> None:
        content = entries.extractfile(entry)
        if content is None:
            raise self._mistake(entry.name, "has no content")
        with target.open("xb") as file:
            while chunk := content.read(_CHUNK):
                file.write(chunk)
        target.chmod(0o755 if entry.mode & 0o100 else 0o644)

    def _copy_linked(self, entry: tarfile.TarInfo, target: Path, path: str) -> None:
        """A hard link: a copy of the file that came before it under the other name."""
        linked = self._inside(entry.linkname)
        source = self._root / linked if linked else self._root
        if source.is_symlink() or not source.is_file() or not source.resolve().is_relative_to(self._root):
            raise self._mistake(path, f"is a link to {entry.linkname!r}, which is no file before it")
        replace(source, target)

    def _refuse_links_out(self) -> None:
        """Once all is there, for where a link leads depends on the links on its way."""
        for link in self._root.rglob("*"):
            if not link.is_symlink():
                continue
            path = link.relative_to(self._root).as_posix()
            leads = str(link.readlink())
            plain = posixpath.normpath(posixpath.join(posixpath.dirname(path), leads))
            try:
                real = link.resolve()
            except RuntimeError as error:
                raise self._mistake(path, "is a link that leads to itself") from error
            if leads.startswith("/") or plain.split("/")[0] == ".." or not real.is_relative_to(self._root):
                raise self._mistake(path, f"is a link to {leads!r}, out of the folder it is taken to")
            if of_git(leads):
                raise self._mistake(path, "is a link to what is Git's own")

    def _mistake(self, path: str, what: str) -> UserError:
        return UserError(f"the entry {path!r} of {self._path} {what}; nothing was taken out")
