"""helm-update-chart: write new versions of a chart's dependencies into its Chart.yaml, and get them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.artifacts import find_chart
from bot.steps.editing.yaml_edit import Update, update_file
from bot.steps.rendering.helm_charts import dependencies_of, get_dependencies, need_helm, versions
from bot.steps.shapes import ORIGIN, TEXT, listed, record, told
from bot.steps.workspace import existing, refuse_links_out

NAME = "helm-update-chart"
HELP = "Write new versions of a chart's dependencies into its Chart.yaml, and fetch them."
SCHEMA: Schema = record(
    "path",
    path=told(TEXT, "Folder of the chart."),
    charts=listed(
        record(
            "repository name",
            repository=told(TEXT, "The dependency's repository, as Chart.yaml has it."),
            name=TEXT,
            version=told(TEXT, "Left out: the version in the freight (deprecated: `chartFrom()`)."),
            fromOrigin=told(ORIGIN, "Of which warehouse's freight (deprecated)."),
        )
    ),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, where any dependency's version in Chart.lock is another one now."""
    need_helm(context)
    root = context.workdir.resolve()
    chart = existing(root, config["path"], "folder")
    await asyncio.to_thread(refuse_links_out, root, chart)
    listed_now = await asyncio.to_thread(dependencies_of, chart, "Chart.yaml")
    updates = [_update(context, one, listed_now, config["path"]) for one in config.get("charts", ())]
    before = versions(await asyncio.to_thread(dependencies_of, chart, "Chart.lock"))
    if updates:
        await asyncio.to_thread(update_file, root, f"{chart.relative_to(root)}/Chart.yaml", updates)
    await get_dependencies(context, chart, "update")
    after = versions(await asyncio.to_thread(dependencies_of, chart, "Chart.lock"))
    changes = [_change(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]
    told_of = [change for change in changes if change]
    if not told_of:
        return StepResult(StepStatus.SUCCEEDED)
    message = f"Updated chart dependencies for {config['path']}\n\n" + "\n".join(told_of)
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": message})


def _update(context: StepContext, wanted: Mapping[str, Any], known: list[dict[str, Any]], path: str) -> Update:
    repository, name = wanted["repository"], wanted["name"]
    for place, one in enumerate(known):
        if one.get("name") == name and str(one.get("repository") or "").rstrip("/") == repository.rstrip("/"):
            version = wanted.get("version")
            if version is None:
                version = find_chart(context.promotion, repository, name, wanted.get("fromOrigin")).version
            return Update(f"dependencies.{place}.version", version)
    there = ", ".join(f"{one.get('name')} of {one.get('repository')}" for one in known) or "none"
    raise UserError(f"{path}/Chart.yaml has no dependency {name} of {repository}; it has {there}")


def _change(name: str, before: str | None, after: str | None) -> str:
    """One line of the commit's message, as Kargo writes it; "" for what stays."""
    if before == after:
        return ""
    if after is None:
        return f"- {name}: removed"
    return f"- {name}: {after}" if before is None else f"- {name}: {before} -> {after}"
