"""delete: remove files and folders of the promotion's folder."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.shapes import FLAG, TEXT, TEXTS, record, told
from bot.steps.workspace import inside, remove

NAME = "delete"
HELP = "Delete files and folders."
SCHEMA: Schema = record(path=TEXT, paths=TEXTS, strict=told(FLAG, "What is not there to be deleted is a mistake."))


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    paths = [*([config["path"]] if "path" in config else []), *config.get("paths", ())]
    if not paths:
        raise UserError("delete is given nothing to delete; give it a `path`")
    await asyncio.to_thread(_delete, context.workdir, paths, config.get("strict", False))
    return StepResult(StepStatus.SUCCEEDED)


def _delete(folder: Path, paths: list[str], strict: bool) -> None:
    found = [(path, _itself(folder, path)) for path in paths]
    for path, target in found:
        if target == folder.resolve():
            raise UserError(f"{path!r} is the promotion's whole folder; name what is in it")
        if strict and not target.exists() and not target.is_symlink():
            raise UserError(f"there is nothing to delete at {path!r}")
        remove(target)


def _itself(folder: Path, path: str) -> Path:
    """The entry a path names, which may be a symbolic link: that is what is deleted, not what it leads to."""
    parent, _, name = path.rstrip("/").rpartition("/")
    return inside(folder, path) if name in {"", ".", ".."} else inside(folder, parent or ".") / name
