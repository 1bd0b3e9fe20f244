"""copy: copy a file or a folder within the promotion's folder."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.files.ignoring import Ignored
from bot.steps.files.targets import writable
from bot.steps.shapes import IGNORE, TEXT, record, told
from bot.steps.workspace import existing, replace

NAME = "copy"
HELP = "Copy a file, or a folder over another."
SCHEMA: Schema = record(
    "inPath outPath",
    inPath=TEXT,
    outPath=told(TEXT, "Where the copy goes, under its own name."),
    ignore=IGNORE,
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. Symbolic links are copied as they are; what Git keeps in `.git` is not."""
    await asyncio.to_thread(_copy, context.workdir, config)
    return StepResult(StepStatus.SUCCEEDED)


def _copy(folder: Path, config: Mapping[str, Any]) -> None:
    source_path, target_path = config["inPath"], config["outPath"]
    source, target = existing(folder, source_path), writable(folder, target_path)
    ignored = Ignored(config.get("ignore", ""))
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise UserError(f"{source_path!r} can't be copied to {target_path!r}: one lies in the other")
    if not source.is_dir():
        if not ignored.takes(source.name, folder=False):
            replace(source, target)
        return
    _make_way(target)
    for path, entry in ignored.walk(source):
        if entry.is_dir() and not entry.is_symlink():
            _make_way(target / path)
        else:
            replace(entry, target / path)


def _make_way(folder: Path) -> None:
    """A folder, where there may be something else. A link in its place is not followed."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
