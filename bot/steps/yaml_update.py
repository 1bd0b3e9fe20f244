"""yaml-update: change values in a YAML file, and not a byte besides."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.editing.yaml_edit import Update, update_file, written_value
from bot.steps.shapes import FLAG, TEXT, record, told, updates

NAME = "yaml-update"
HELP = "Change values in a YAML file; comments, quotes and layout of everything else stay."
SCHEMA: Schema = record(
    "path updates",
    path=TEXT,
    updates=updates(),
    createMissing=told(FLAG, "Whether keys that are not there are added; otherwise they are a mistake."),
    document=told({"type": "integer", "minimum": 0}, "Which of several documents is changed: 0, the first, otherwise."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, unless there was nothing to change."""
    wanted = [Update(each["key"], each["value"]) for each in config["updates"]]
    await asyncio.to_thread(
        update_file,
        context.workdir,
        config["path"],
        wanted,
        create_missing=config.get("createMissing", False),
        document=config.get("document", 0),
    )
    message = commit_message(config["path"], wanted)
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": message} if message else {})


def commit_message(path: str, updates: Sequence[Update]) -> str:
    """What was changed; "" for nothing."""
    lines = "".join(f"\n- {update.key}: {written_value(update.value)}" for update in updates)
    return f"Updated {path}\n{lines}" if lines else ""
