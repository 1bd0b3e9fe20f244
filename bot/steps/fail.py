"""fail: end the promotion."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.shapes import TEXT, record

NAME = "fail"
HELP = "Fail the promotion, with a message; meant to stand behind an `if`."
SCHEMA: Schema = record(message=TEXT)


async def run(_context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    return StepResult(StepStatus.FAILED, message=config.get("message", "the step `fail` was reached"))
