"""set-freight-alias: give freight another name for people."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.notes import Notes
from bot.steps.shapes import TEXT, record, told

NAME = "set-freight-alias"
HELP = "Give freight another alias, which no other freight has; its id stays."
SCHEMA: Schema = record(
    "name alias",
    name=told(TEXT, "The freight's id: ${{ ctx.targetFreight.name }}."),
    alias=told(TEXT, "At most 63 letters, digits, '-', '_' and '.'."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. The alias comes with the stage's lock, so a git-commit has to follow."""
    name, alias = config["name"], config["alias"]
    before = next((one.alias for one in context.promotion.collection if one.id == name), "")
    message = f"{before} is called {alias} now" if before not in {"", alias} else ""
    return StepResult(StepStatus.SUCCEEDED, message=message, notes=Notes(aliases={name: alias}))
