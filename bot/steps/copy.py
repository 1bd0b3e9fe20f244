"""copy: copy a file or a folder within the promotion's folder."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.shapes import TEXT, record, told
from bot.steps.workspace import existing, inside, replace

NAME = "copy"
HELP = "Copy a file, or a folder over another."
SCHEMA: Schema = record("inPath outPath", inPath=TEXT, outPath=told(TEXT, "Where the copy goes, under its own name."))


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    await asyncio.to_thread(_copy, context.workdir, config["inPath"], config["outPath"])
    return StepResult(StepStatus.SUCCEEDED)


def _copy(folder: Path, source_path: str, target_path: str) -> None:
    source, target = existing(folder, source_path), inside(folder, target_path)
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise UserError(f"{source_path!r} can't be copied to {target_path!r}: one lies in the other")
    replace(source, target)
