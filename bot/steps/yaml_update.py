"""yaml-update: change values in a YAML file, and not a byte besides."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.shapes import TEXT, listed, record, told
from bot.steps.yaml_edit import Update, update_file, written_value

NAME = "yaml-update"
HELP = "Change values in a YAML file; comments, quotes and layout of everything else stay."
SCHEMA: Schema = record(
    "path updates",
    path=TEXT,
    updates=listed(
        record(
            "key value",
            key=told(TEXT, r"Where the value is, like image.tag or env.0.value; a dot within a name is written \."),
            value={"type": ["string", "number", "boolean", "null"]},
        )
    ),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, unless there was nothing to change."""
    updates = [Update(each["key"], each["value"]) for each in config["updates"]]
    await asyncio.to_thread(update_file, context.workdir, config["path"], updates)
    if not updates:
        return StepResult(StepStatus.SUCCEEDED)
    lines = "".join(f"\n- {update.key}: {written_value(update.value)}" for update in updates)
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": f"Updated {config['path']}\n{lines}"})
