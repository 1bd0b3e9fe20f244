"""gha-wait-for-workflow: wait for the end of a run of GitHub Actions."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.asking import ask_again_at
from bot.steps.earlier import latest
from bot.steps.shapes import DURATION, TEXT, record, told
from bot.steps.workspace import is_own_repository

NAME = "gha-wait-for-workflow"
HELP = "Wait until a workflow's run has ended, as it should."
# https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
_CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "skipped", "stale", "success", "timed_out")
SCHEMA: Schema = record(
    repoURL=told(TEXT, "The repository; left out: the one the pipeline lives in, and no other."),
    runID=told({"type": "integer", "minimum": 1}, "The run; left out: the one started last."),
    expectedConclusion=told({"enum": list(_CONCLUSIONS)}, "How it should end: success unless given."),
    pollInterval=told(DURATION, "Between two looks: 30s unless given."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `conclusion`, "" while it runs, and `url`."""
    url = config.get("repoURL") or context.repository.url
    if not is_own_repository(context, url):
        raise UserError(
            f"gha-wait-for-workflow waits for runs in {context.repository.url} only, not in {url}; correct `repoURL`, "
            "or leave it out"
        )
    number = config.get("runID") or latest(context, "runID")
    if number is None:
        raise UserError("no workflow was started; put a gha-dispatch-workflow step before this one, or name a `runID`")
    found = await context.github.workflows.run(int(number))
    if found is None:
        return StepResult(StepStatus.FAILED, message=f"{context.repository.name} has no workflow run {number}")
    output = {"conclusion": found.conclusion, "url": found.url}
    if found.status != "completed":
        later = ask_again_at(context, config, "30s")
        return StepResult(StepStatus.RUNNING, output, f"{found.url} is {found.status}", retry_at=later)
    wanted = config.get("expectedConclusion", "success")
    if found.conclusion != wanted:
        return StepResult(StepStatus.FAILED, output, f"{found.url} ended with {found.conclusion}, not with {wanted}")
    return StepResult(StepStatus.SUCCEEDED, output)
