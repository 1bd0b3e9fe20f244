"""file-write: write a text to a file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.files.targets import writable_file
from bot.steps.shapes import FLAG, TEXT, record, told

NAME = "file-write"
HELP = "Write a text to a file."
SCHEMA: Schema = record(
    "path contents",
    path=TEXT,
    contents={"type": "string"},
    # With its zero: 0644 without quotes is the number 420 in YAML.
    permissions=told({"type": "string", "pattern": "^0[0-7]{3}$"}, 'Octal and in quotes, like "0644"; 0600 otherwise.'),
    overwrite=told(FLAG, "Whether a file that is there may be replaced."),
)
_NEVER = 0o113  # to run it, and to write it by everybody


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. As in Kargo, what is written can't be run, nor be written by everybody."""
    written = config.get("permissions", "0600")
    mode = int(written, 8)
    if mode & _NEVER:
        raise UserError(f"permissions {written} let the file be run, or changed by everybody; choose some like 0644")
    await asyncio.to_thread(_write, context.workdir, config, mode)
    return StepResult(StepStatus.SUCCEEDED)


def _write(folder: Path, config: Mapping[str, Any], mode: int) -> None:
    file = writable_file(folder, config["path"], config.get("overwrite", False), "overwrite")
    try:
        content = config["contents"].encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(f"what is to be written to {config['path']!r} is no text: {error.reason}") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)
