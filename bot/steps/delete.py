"""delete: remove files and folders of the promotion's folder."""

import asyncio
import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.configuration.globs import GlobError, compile_glob
from bot.errors import UserError
from bot.steps.files.targets import of_git, writable
from bot.steps.shapes import FLAG, TEXT, TEXTS, record, told
from bot.steps.workspace import remove

NAME = "delete"
HELP = "Delete files and folders."
SCHEMA: Schema = record(
    path=TEXT,
    paths=TEXTS,
    pathsAreGlobs=told(FLAG, "`*` is any name, `**` any folders, `[a-z]` and `{a,b}` are alternatives."),
    strict=told(FLAG, "What is not there to be deleted is a mistake."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. A glob never takes what is in a `.git`, and does not look behind symbolic links."""
    paths = [*([config["path"]] if "path" in config else []), *config.get("paths", ())]
    if not paths:
        raise UserError("delete is given nothing to delete; give it a `path`")
    await asyncio.to_thread(_delete, context.workdir, paths, config)
    return StepResult(StepStatus.SUCCEEDED)


def _delete(folder: Path, paths: list[str], config: Mapping[str, Any]) -> None:
    find = _matching if config.get("pathsAreGlobs") else _named
    found = [(path, find(folder, path)) for path in paths]
    for path, targets in found:
        if config.get("strict") and not targets:
            raise UserError(f"there is nothing to delete at {path!r}; correct it, or leave `strict` out")
    for _, targets in found:
        for target in targets:
            remove(target)


def _named(folder: Path, path: str) -> list[Path]:
    """The entry a path names, which may be a symbolic link: that is what is deleted, not what it leads to."""
    parent, _, name = path.rstrip("/").rpartition("/")
    named = name not in {"", ".", ".."}
    target = writable(folder, parent or ".") / name if named else writable(folder, path)
    if target == folder.resolve():
        raise UserError(f"{path!r} is the promotion's whole folder; name what is in it")
    if of_git(name):
        raise UserError(f"{path!r} is Git's own; no step may change it")
    return [target] if target.exists() or target.is_symlink() else []


def _matching(folder: Path, pattern: str) -> list[Path]:
    plain = posixpath.normpath(pattern.lstrip("/"))
    if plain == "." or plain.split("/")[0] == "..":
        raise UserError(f"{pattern!r} names no file inside the promotion's folder; write one like ./out/**/*.tmp")
    try:
        matches = compile_glob(plain)
    except GlobError as error:
        raise UserError(f"{pattern!r} in delete: {error}") from error
    root = folder.resolve()
    return [root / path for path in _entries(root) if matches.fullmatch(path)]


def _entries(root: Path) -> Iterator[str]:
    for where, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not of_git(name))
        for name in (*folders, *(name for name in sorted(files) if not of_git(name))):
            yield Path(where, name).relative_to(root).as_posix()
