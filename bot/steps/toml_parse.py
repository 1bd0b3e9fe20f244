"""toml-parse: read values out of a TOML file."""

import tomllib
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult
from bot.steps.editing.parsing import PARSING, parse

NAME = "toml-parse"
HELP = "Read values out of a TOML file, by expressions."
SCHEMA: Schema = PARSING


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`. Dates and times are texts."""
    return await parse(context, config, lambda text: _plain(tomllib.loads(text)))


def _plain(value: Any) -> Any:
    """https://toml.io/en/v1.0.0#offset-date-time"""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, (date, time)) else value
