"""yaml-parse: read values out of a YAML file."""

from collections.abc import Mapping
from typing import Any

import yaml

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult
from bot.steps.parsing import PARSING, parse

NAME = "yaml-parse"
HELP = "Read values out of a YAML file, by expressions."
SCHEMA: Schema = PARSING


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`."""
    return await parse(context, config, _read)


def _read(content: bytes) -> Any:
    """The first document."""
    try:
        return next(iter(yaml.load_all(content, Loader=yaml.CSafeLoader)), None)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
