"""gha-dispatch-workflow: start a workflow of GitHub Actions, exactly once.

GitHub has no key by which a second dispatch would be known again. So the newest run there is is written down first;
when the step is run again without knowing how the dispatch went, a newer run of the App's own is taken for its own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.contracts.github_areas import WorkflowRun
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.durations import parse_duration
from bot.errors import UserError
from bot.steps.shapes import DURATION, TEXT, record, told
from bot.steps.workspace import is_own_repository

NAME = "gha-dispatch-workflow"
HELP = "Start a workflow of the repository, once, and give out which run it is."
SCHEMA: Schema = record(
    "workflowFile ref",
    repoURL=told(TEXT, "The repository; left out: the one the pipeline lives in, and no other."),
    workflowFile=told({"type": "string", "pattern": r"^[^/]+\.ya?ml$"}, "The file's name in .github/workflows."),
    ref=told(TEXT, "The branch or tag to run it at."),
    inputs={
        "type": "object",
        "maxProperties": 25,
        "additionalProperties": {"type": ["string", "number", "boolean"]},
        "description": "What the workflow's `workflow_dispatch` asks for.",
    },
    timeout=told(DURATION, "How long to wait until GitHub shows the run: 5m unless given."),
)
_BEFORE = timedelta(minutes=5)  # clocks differ, and runs show up late
_POLL = timedelta(seconds=10)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `runID`, `url`. Failed where GitHub shows no run in time."""
    url = config.get("repoURL") or context.repository.url
    if not is_own_repository(context, url):
        raise UserError(
            f"gha-dispatch-workflow starts workflows of {context.repository.url} only, not of {url}; "
            "correct `repoURL`, or leave it out"
        )
    now = context.clock.now()
    previous, workflow = context.previous, config["workflowFile"]
    if "since" not in previous:
        runs = await context.github.workflows.dispatched(workflow, now - _BEFORE)
        intent = {"since": now.isoformat(), "after": runs[-1].id if runs else 0}
        return StepResult(StepStatus.RUNNING, intent, f"{workflow} is about to be started", retry_at=now)
    since = datetime.fromisoformat(previous["since"])
    runs = await context.github.workflows.dispatched(workflow, since - _BEFORE)
    newer = [one for one in runs if one.id > int(previous["after"])]
    if len(newer) > 1:
        shown = ", ".join(one.url for one in newer)
        return StepResult(
            StepStatus.FAILED,
            message=f"several runs of {workflow} have been started meanwhile, and none says for whom: {shown}",
        )
    if newer:
        return _started(newer[0])
    if not previous.get("dispatched"):
        started = await context.github.workflows.dispatch(workflow, config["ref"], config.get("inputs", {}))
        if started is not None:
            return _started(started)
    if now - since >= parse_duration(config.get("timeout", "5m")):
        return StepResult(StepStatus.FAILED, message=f"{workflow} was started, and GitHub shows no run of it")
    waiting = {**previous, "dispatched": True}
    return StepResult(StepStatus.RUNNING, waiting, f"{workflow} was started; waiting for its run", retry_at=now + _POLL)


def _started(run: WorkflowRun) -> StepResult:
    return StepResult(StepStatus.SUCCEEDED, {"runID": run.id, "url": run.url}, once=True)
