"""compose-output: give values names under which later steps, or the caller of a task, find them."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus

NAME = "compose-output"
HELP = "Put out the values it is given, under their names."
SCHEMA: Schema = {"type": "object", "additionalProperties": {}, "minProperties": 1}


async def run(_context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: the configuration itself."""
    return StepResult(StepStatus.SUCCEEDED, dict(config))
