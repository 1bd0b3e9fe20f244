"""json-parse: read values out of a JSON file."""

import json
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult
from bot.steps.editing.parsing import PARSING, parse

NAME = "json-parse"
HELP = "Read values out of a JSON file, by expressions."
SCHEMA: Schema = PARSING


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`."""
    return await parse(context, config, json.loads)
