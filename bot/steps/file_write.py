"""file-write: write a text to a file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.shapes import FLAG, TEXT, record, told
from bot.steps.workspace import inside

NAME = "file-write"
HELP = "Write a text to a file."
SCHEMA: Schema = record(
    "path contents",
    path=TEXT,
    contents={"type": "string"},
    permissions=told({"type": "string", "pattern": "^0?[0-7]{3}$"}, "Octal, like 0644; 0600 unless given."),
    overwrite=told(FLAG, "Whether a file that is there may be replaced."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    mode = int(config.get("permissions", "0600"), 8)
    await asyncio.to_thread(_write, context.workdir, config, mode)
    return StepResult(StepStatus.SUCCEEDED)


def _write(folder: Path, config: Mapping[str, Any], mode: int) -> None:
    file = inside(folder, config["path"])
    if file.is_dir():
        raise UserError(f"{config['path']!r} is a folder; name a file")
    if file.exists() and not config.get("overwrite"):
        raise UserError(f"there is a file {config['path']!r} already; set `overwrite` to replace it")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(config["contents"], encoding="utf-8", newline="")
    file.chmod(mode)
