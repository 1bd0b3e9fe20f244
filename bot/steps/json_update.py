"""json-update: set values in a JSON file, and not a byte besides."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.editing.json_edit import update_json, write_json
from bot.steps.editing.texts import read_text, write_text
from bot.steps.editing.yaml_edit import Update
from bot.steps.shapes import TEXT, record, updates

NAME = "json-update"
HELP = "Set values in a JSON file; order, indentation and numbers of everything else stay."
SCHEMA: Schema = record("path updates", path=TEXT, updates=updates())


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, unless there was nothing to set. Keys that are missing are added, as by Kargo."""
    wanted = [Update(each["key"], each["value"]) for each in config["updates"]]

    def change() -> None:
        text = read_text(context.workdir, config["path"])
        write_text(context.workdir, config["path"], update_json(text, wanted, config["path"]))

    await asyncio.to_thread(change)
    if not wanted:
        return StepResult(StepStatus.SUCCEEDED)
    lines = "".join(f"\n- {update.key}: {write_json(update.value, update.key)}" for update in wanted)
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": f"Updated {config['path']}\n{lines}"})
