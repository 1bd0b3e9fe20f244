"""git-clear: empty a folder of a checkout, so that only what is rendered next will be in it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.shapes import TEXT, record, told
from bot.steps.workspace import inside, remove, spot

NAME = "git-clear"
HELP = "Remove every file in a folder but those Git ignores: what is no longer rendered does not stay."
SCHEMA: Schema = record("path", path=told(TEXT, "A checkout, a folder in one, or a folder that stands for one."))


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. As in Kargo, what earlier steps put there goes too."""
    where = await spot(context, config["path"])
    await context.git.clear(inside(where.checkout.path, where.path))
    if where.beside is not None:
        await asyncio.to_thread(_empty, where.beside)
    return StepResult(StepStatus.SUCCEEDED)


def _empty(path: Path) -> None:
    for entry in path.iterdir() if path.is_dir() else ():
        remove(entry)
