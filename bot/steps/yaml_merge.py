"""yaml-merge: lay YAML files over one another, as Helm does with values files."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.editing.texts import read_text, write_text
from bot.steps.editing.yaml_merging import merge_yaml
from bot.steps.shapes import FLAG, TEXT, listed, record, told
from bot.steps.workspace import inside

NAME = "yaml-merge"
HELP = "Merge YAML files, the later over the earlier: mappings key by key, lists as a whole."
SCHEMA: Schema = record(
    "inFiles outFile",
    inFiles=told(listed(TEXT, at_least=1), "In this order; a null in a later one takes away what an earlier one has."),
    outFile=told(TEXT, "Where the result goes, in the place of what is there."),
    ignoreMissingFiles=told(FLAG, "Whether files that are not there are passed over."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, if there was a file to merge."""
    paths = await asyncio.to_thread(_merge, context.workdir, config)
    if not paths:
        return StepResult(StepStatus.SUCCEEDED)
    message = f"Wrote {paths[0]} to {config['outFile']}"
    if len(paths) > 1:
        message = f"Merged {len(paths)} YAML files to {config['outFile']}" + "".join(f"\n- {path}" for path in paths)
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": message})


def _merge(folder: Path, config: Mapping[str, Any]) -> list[str]:
    paths = [
        path
        for path in config["inFiles"]
        if not (config.get("ignoreMissingFiles") and not inside(folder, path).exists())
    ]
    write_text(folder, config["outFile"], merge_yaml([(read_text(folder, path), path) for path in paths]))
    return paths
