"""toml-update: change values in a TOML file, and not a byte besides."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.editing.texts import read_text, write_text
from bot.steps.editing.toml_edit import update_toml, write_toml
from bot.steps.editing.yaml_edit import Update
from bot.steps.shapes import TEXT, record, updates

NAME = "toml-update"
HELP = "Change values in a TOML file; comments, quotes and layout of everything else stay."
SCHEMA: Schema = record("path updates", path=TEXT, updates=updates({"type": ["string", "number", "boolean"]}))


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, unless there was nothing to change. Only keys that are there can be changed."""
    wanted = [Update(each["key"], each["value"]) for each in config["updates"]]

    def change() -> None:
        text = read_text(context.workdir, config["path"])
        write_text(context.workdir, config["path"], update_toml(text, wanted, config["path"]))

    await asyncio.to_thread(change)
    if not wanted:
        return StepResult(StepStatus.SUCCEEDED)
    lines = "".join(f"\n- {update.key}: {write_toml(update.value, update.key)}" for update in wanted)
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": f"Updated {config['path']}\n{lines}"})
