"""Reading values out of a file by expressions, for the steps yaml-parse, json-parse and toml-parse."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.expressions import ExpressionError, evaluate
from bot.steps.editing.texts import read_text
from bot.steps.shapes import TEXT, listed, record, told

PARSING: Schema = record(
    "path outputs",
    path=TEXT,
    outputs=listed(
        record("name fromExpression", name=TEXT, fromExpression=told(TEXT, "Over the file's top-level keys.")),
        at_least=1,
    ),
)


async def parse(context: StepContext, config: Mapping[str, Any], read: Callable[[str], Any]) -> StepResult:
    """Output: as named. `read` raises ValueError or UserError for what it can't read."""
    try:
        data = await asyncio.to_thread(lambda: read(read_text(context.workdir, config["path"]).removeprefix("\ufeff")))
    except ValueError as error:
        raise UserError(f"reading {config['path']}: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UserError(f"reading {config['path']}: it is nested too deep") from error
    if not isinstance(data, Mapping):
        raise UserError(f"reading {config['path']}: it does not hold a mapping, so that there is nothing to name")
    env = {"outputs": context.outputs, **{str(key): value for key, value in data.items()}}
    outputs = {}
    for each in config["outputs"]:
        try:
            outputs[each["name"]] = evaluate(each["fromExpression"], env)
        except ExpressionError as error:
            raise UserError(f"evaluating `{each['fromExpression']}` over {config['path']}: {error}") from error
    return StepResult(StepStatus.SUCCEEDED, outputs)
