"""yaml-parse: read values out of a YAML file."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult
from bot.steps.editing.parsing import PARSING, parse
from bot.steps.editing.yaml_reading import load_yaml

NAME = "yaml-parse"
HELP = "Read values out of a YAML file, by expressions."
SCHEMA: Schema = PARSING


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`, of the first document. Dates are texts."""
    return await parse(context, config, lambda text: load_yaml(text, config["path"]))
