"""gha-dispatch-workflow, gha-wait-for-workflow and deployment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.contracts.github_areas import DeploymentStatus
from bot.contracts.steps import StepStatus
from bot.core.config import Fit
from bot.errors import UserError
from bot.steps import BY_NAME
from tests.steps.conftest import NOW

DISPATCH = {"workflowFile": "deploy.yaml", "ref": "main", "inputs": {"tag": "1.0.0", "dry": False}}


async def again(run, uses, config, previous, later=timedelta(0)):
    """The next run of a step that said Running."""

    class Clock:
        def now(self):
            return NOW + later

    run.context = replace(run.context, previous=previous, clock=Clock())
    return await run(uses, config)


@pytest.mark.parametrize(
    ("step", "config", "taken"),
    [
        ("gha-dispatch-workflow", DISPATCH, True),
        ("gha-dispatch-workflow", {"workflowFile": "../deploy.yaml", "ref": "main"}, False),
        ("gha-dispatch-workflow", {"workflowFile": "deploy.yaml"}, False),
        ("gha-dispatch-workflow", {**DISPATCH, "inputs": {"a": {"b": 1}}}, False),
        ("gha-dispatch-workflow", {**DISPATCH, "inputs": {str(n): n for n in range(26)}}, False),
        ("gha-wait-for-workflow", {"runID": 1, "expectedConclusion": "neutral"}, True),
        ("gha-wait-for-workflow", {"expectedConclusion": "fine"}, False),
        ("deployment", {}, True),
        ("deployment", {"state": "splendid"}, False),
    ],
)
def test_what_is_taken(step, config, taken):
    _, misfits = Fit(BY_NAME[step].SCHEMA)(config)
    assert (not misfits) is taken


async def test_a_workflow_is_started_after_the_intent_is_written_down(run):
    workflows = run.github.workflows
    workflows.start()  # an older one
    intent = await run("gha-dispatch-workflow", DISPATCH)
    assert (intent.status, intent.retry_at, workflows.dispatches) == (StepStatus.RUNNING, NOW, [])
    done = await again(run, "gha-dispatch-workflow", DISPATCH, intent.output)
    assert (done.status, done.once, done.output["runID"]) == (StepStatus.SUCCEEDED, True, 102)
    assert workflows.dispatches == [("deploy.yaml", "main", {"tag": "1.0.0", "dry": False})]


async def test_a_dispatch_whose_answer_was_lost_is_found_again_and_not_repeated(run):
    intent = (await run("gha-dispatch-workflow", DISPATCH)).output
    await again(run, "gha-dispatch-workflow", DISPATCH, intent)
    done = await again(run, "gha-dispatch-workflow", DISPATCH, intent)  # as after a kill before it was recorded
    assert (done.status, done.once, done.output["runID"]) == (StepStatus.SUCCEEDED, True, 101)
    assert len(run.github.workflows.dispatches) == 1


async def test_two_runs_that_could_be_ours_are_left_to_people(run):
    intent = (await run("gha-dispatch-workflow", DISPATCH)).output
    run.github.workflows.start()
    run.github.workflows.start()
    result = await again(run, "gha-dispatch-workflow", DISPATCH, intent)
    assert result.status is StepStatus.FAILED
    assert "runs/101, https://github.example.com/runs/102" in result.message
    assert run.github.workflows.dispatches == []


async def test_an_older_github_that_names_no_run_is_asked_until_it_shows_one(run):
    workflows = run.github.workflows
    workflows.tells = workflows.shows = False
    intent = (await run("gha-dispatch-workflow", DISPATCH)).output
    waiting = await again(run, "gha-dispatch-workflow", DISPATCH, intent)
    assert (waiting.status, waiting.retry_at) == (StepStatus.RUNNING, NOW + timedelta(seconds=10))
    still = await again(run, "gha-dispatch-workflow", DISPATCH, waiting.output, timedelta(minutes=1))
    assert (still.status, len(workflows.dispatches)) == (StepStatus.RUNNING, 1)
    late = await again(run, "gha-dispatch-workflow", DISPATCH, still.output, timedelta(minutes=5))
    assert (late.status, len(workflows.dispatches)) == (StepStatus.FAILED, 1)
    workflows.shows = True
    done = await again(run, "gha-dispatch-workflow", DISPATCH, still.output, timedelta(minutes=2))
    assert (done.status, done.output["runID"]) == (StepStatus.SUCCEEDED, 101)


async def test_what_github_refuses_is_told(run):
    run.github.workflows.refuses = "acme/config has no workflow 'deploy.yaml'"
    intent = (await run("gha-dispatch-workflow", DISPATCH)).output
    with pytest.raises(UserError, match="no workflow"):
        await again(run, "gha-dispatch-workflow", DISPATCH, intent)
    for step in ("gha-dispatch-workflow", "gha-wait-for-workflow"):
        with pytest.raises(UserError, match="repoURL"):
            await run(step, {**DISPATCH, "repoURL": "https://github.com/acme/other"})


@pytest.mark.parametrize(
    ("conclusion", "config", "status"),
    [
        ("", {}, StepStatus.RUNNING),
        ("success", {}, StepStatus.SUCCEEDED),
        ("failure", {}, StepStatus.FAILED),
        ("failure", {"expectedConclusion": "failure"}, StepStatus.SUCCEEDED),
        ("success", {"expectedConclusion": "failure"}, StepStatus.FAILED),
    ],
)
async def test_a_run_is_waited_for(run, conclusion, config, status):
    intent = (await run("gha-dispatch-workflow", DISPATCH)).output
    await again(run, "gha-dispatch-workflow", DISPATCH, intent)
    if conclusion:
        run.github.workflows.end(101, conclusion)
    result = await run("gha-wait-for-workflow", {**config, "pollInterval": "1m"})
    assert (result.status, result.output["conclusion"]) == (status, conclusion)
    assert result.retry_at == (NOW + timedelta(minutes=1) if status is StepStatus.RUNNING else None)


async def test_a_run_that_is_nowhere_fails_and_one_that_nobody_names_is_a_mistake(run):
    assert (await run("gha-wait-for-workflow", {"runID": 9})).status is StepStatus.FAILED
    with pytest.raises(UserError, match="gha-dispatch-workflow"):
        await run("gha-wait-for-workflow", {})


# --- deployment ---------------------------------------------------------------------------------------


async def test_one_promotion_makes_one_deployment_with_as_many_states_as_it_is_told(run):
    run.outputs["push"] = {"commit": "a" * 40}
    first = await run("deployment", {"logURL": "https://example.com/log"})
    run.outputs["wait"] = {"commit": "b" * 40}
    config = {"state": "success", "environmentURL": "https://example.com", "autoInactive": False, "description": "up"}
    for _ in range(2):
        last = await run("deployment", config)
    kept = run.github.deployments
    ((made, ref, description),) = kept.made
    assert (first.output, last.output) == (
        {"id": 1, "environment": "uat", "state": "in_progress"},
        {"id": 1, "environment": "uat", "state": "success"},
    )
    assert (ref, description, made.payload["promotion"]) == ("a" * 40, "Freight eager-otter", "uat.01.ffffff")
    assert kept.statuses == [
        (1, DeploymentStatus("in_progress", "Freight eager-otter", "", "https://example.com/log"), True),
        (1, DeploymentStatus("success", "up", "https://example.com", ""), False),
    ]


async def test_another_promotion_or_environment_is_another_deployment(run):
    config = {"ref": "main"}
    await run("deployment", config)
    await run("deployment", {**config, "environment": "eu"})
    run.promoting(id="uat.02.eeeeee")
    await run("deployment", config)
    assert [(one.environment, one.payload["promotion"]) for one, _, _ in run.github.deployments.made] == [
        ("uat", "uat.01.ffffff"),
        ("eu", "uat.01.ffffff"),
        ("uat", "uat.02.eeeeee"),
    ]


@pytest.mark.parametrize(
    ("config", "says"),
    [({}, "ref"), ({"ref": "main", "environmentURL": "javascript:x"}, "environmentURL"), ({"logURL": "x"}, "logURL")],
)
async def test_a_deployment_says_what_is_wrong(run, config, says):
    with pytest.raises(UserError, match=says):
        await run("deployment", config)
    assert run.github.deployments.made == []
