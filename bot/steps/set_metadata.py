"""set-metadata: keep values with the stage, or with freight wherever it goes."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.notes import Notes
from bot.steps.shapes import TEXT, listed, record, told

NAME = "set-metadata"
HELP = "Keep values with the stage or its freight: stageMetadata(), freightMetadata() read them."
SCHEMA: Schema = record(
    "updates",
    updates=listed(
        record(
            "kind name values",
            kind=told({"enum": ["Stage", "Freight"]}, "What the values are kept with."),
            name=told(TEXT, "This stage's name, or freight's id: ${{ ctx.targetFreight.name }}."),
            values=told(
                {"type": "object", "additionalProperties": {}, "minProperties": 1},
                "Any values, by key; the keys that are not named here stay as they are.",
            ),
        ),
        at_least=1,
    ),
)


async def run(_context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. The values come with the stage's lock, so a git-commit has to follow."""
    values: dict[str, dict[str, dict[str, Any]]] = {"Stage": {}, "Freight": {}}
    for update in config["updates"]:
        values[update["kind"]].setdefault(update["name"], {}).update(update["values"])
    return StepResult(StepStatus.SUCCEEDED, notes=Notes(stages=values["Stage"], freight=values["Freight"]))
