"""argocd-wait: which states it waits for, and when waiting is no use."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.contracts.metrics import HttpAnswer
from bot.contracts.steps import StepStatus
from bot.core.config import Fit
from bot.errors import UserError
from bot.steps import argocd_wait
from tests.steps.argocd_world import World, argocd_world
from tests.steps.conftest import NOW, Remote, Run

DONE, WAITS, FAILED = StepStatus.SUCCEEDED, StepStatus.RUNNING, StepStatus.FAILED
OVER = {"phase": "Succeeded", "finishedAt": "2026-01-02T03:04:05Z", "operation": {}}
GOING = {"phase": "Running", "operation": {"initiatedBy": {"username": "maintainer"}}}


def an_app(health: str = "Healthy", sync: str = "Synced", **status: Any) -> dict[str, Any]:
    told = {"health": {"status": health}, "sync": {"status": sync}, "reconciledAt": "2026-01-02T03:04:05Z", **status}
    return {"metadata": {"name": "a", "namespace": "argocd"}, "spec": {"source": {"repoURL": "x"}}, "status": told}


@pytest.fixture
def asking(run: Run) -> Run:
    run.secrets.values = {("argocd", "server"): "argocd.example.com", ("argocd", "token"): "t"}
    return run


def answers(run: Run, *apps: dict[str, Any]) -> None:
    run.http.answers += [HttpAnswer(200, {}, json.dumps(app).encode()) for app in apps]


@pytest.mark.parametrize(
    ("conditions", "app", "expected", "said"),
    [
        (None, an_app(), DONE, ""),
        (None, an_app(operationState=OVER), DONE, ""),
        (None, an_app("Progressing"), WAITS, "argocd/a is Progressing; waiting for Healthy"),
        (None, an_app("Degraded"), WAITS, "argocd/a is Degraded; waiting for Healthy"),
        (None, an_app(""), WAITS, "argocd/a is not judged yet; waiting for Healthy"),
        (None, an_app(sync="OutOfSync"), WAITS, "argocd/a is OutOfSync; waiting for Synced"),
        (None, an_app(operationState=GOING), WAITS, "argocd/a waits for an operation by maintainer to end"),
        (
            None,
            {**an_app(), "operation": {"sync": {}}},
            WAITS,
            "argocd/a waits for an operation by Argo CD itself to end",
        ),
        (["health"], an_app(sync="OutOfSync", operationState=GOING), DONE, ""),
        (["sync"], an_app("Degraded"), DONE, ""),
        (["operation"], an_app("Degraded", "OutOfSync"), DONE, ""),
        (["suspended"], an_app("Suspended"), DONE, ""),
        (["suspended"], an_app("Healthy"), WAITS, "argocd/a is Healthy; waiting for Suspended"),
        (["degraded"], an_app("Degraded"), DONE, ""),
        (["health", "suspended"], an_app("Suspended"), DONE, ""),
        (["health", "suspended"], an_app("Missing"), WAITS, "argocd/a is Missing; waiting for Healthy or Suspended"),
        (["health", "degraded", "sync"], an_app("Degraded"), DONE, ""),
        (
            None,
            an_app(conditions=[{"type": "ComparisonError", "message": "no such path"}]),
            FAILED,
            "Argo CD can't compare argocd/a with Git: ComparisonError: no such path",
        ),
        (None, an_app(conditions=[{"type": "OrphanedResourceWarning", "message": "x"}]), DONE, ""),
    ],
)
async def test_states(asking: Run, conditions: list[str] | None, app: Any, expected: StepStatus, said: str) -> None:
    answers(asking, app)
    entry = {"name": "a", **({"waitFor": conditions} if conditions else {})}
    result = await asking("argocd-wait", {"apps": [entry]})
    assert (result.status, result.message) == (expected, said)
    assert result.output["apps"] == [{"name": "a", "namespace": "argocd"}]
    (asked,) = asking.http.asked
    assert asked["url"] == "https://argocd.example.com/api/v1/applications/a"


@pytest.mark.parametrize(
    ("before", "conditions", "expected"),
    [
        ("Healthy", ["health"], FAILED),
        ("Progressing", ["health", "sync"], FAILED),
        ("Unknown", ["health"], WAITS),
        ("Degraded", ["health"], WAITS),
        ("Healthy", ["suspended"], WAITS),
        ("Healthy", ["health", "degraded"], DONE),
    ],
)
async def test_becoming_degraded_ends_the_wait(asking: Run, before: str, conditions: list[str], expected: Any) -> None:
    answers(asking, an_app(before, "OutOfSync"), an_app("Degraded"))
    config = {"apps": [{"name": "a", "waitFor": [*conditions, "sync"] if "sync" not in conditions else conditions}]}
    first = await asking("argocd-wait", config)
    assert first.status is WAITS
    asking.context = replace(asking.context, previous=first.output)
    second = await asking("argocd-wait", config)
    assert second.status is expected
    if expected is FAILED:
        assert second.message == f"the health of argocd/a went from {before} to Degraded"


async def test_health_from_before_the_last_operation_does_not_count(asking: Run) -> None:
    late = {**OVER, "finishedAt": "2026-01-02T03:04:06Z"}
    answers(asking, an_app(operationState=late), an_app(operationState=OVER))
    result = await asking("argocd-wait", {"apps": [{"name": "a"}]})
    assert (result.status, result.message) == (WAITS, "argocd/a was synced, and Argo CD has not looked at it since")
    assert asking.http.asked[-1]["url"].endswith("/a?refresh=normal&appNamespace=argocd")


async def test_without_change_nothing_new_is_to_be_kept(asking: Run) -> None:
    """What a waiting step puts out is written down whenever it differs."""
    answers(asking, an_app("Progressing"), an_app("Progressing"))
    first = await asking("argocd-wait", {"apps": [{"name": "a"}]})
    asking.context = replace(asking.context, previous=first.output)
    assert (await asking("argocd-wait", {"apps": [{"name": "a"}]})).output == first.output


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"{}", b'{"metadata": {"name": "a"}}', b'{"metadata": 5}'])
async def test_an_answer_that_is_no_application_is_said_so(asking: Run, body: bytes) -> None:
    asking.http.answers.append(HttpAnswer(200, {}, body))
    with pytest.raises(UserError, match="check `server`"):
        await asking("argocd-wait", {"apps": [{"name": "a"}]})


@pytest.mark.parametrize("entries", [[], [{"name": "a", "waitFor": []}], [{"waitFor": ["sync", "sync"]}]])
def test_a_configuration_that_makes_no_sense_does_not_fit(entries: list[Any]) -> None:
    assert Fit(argocd_wait.SCHEMA)({"apps": entries})[1]


@pytest.fixture
async def world(run: Run, remote: Remote, tmp_path: Path) -> AsyncIterator[World]:
    async with argocd_world(run, remote, tmp_path) as world:
        yield world


async def test_somebody_syncs_and_it_is_waited_for(world: World) -> None:
    await world.app()
    config = {"apps": [{"name": "service-uat"}]}
    first = await world.step("argocd-wait", config)
    assert first.message == "argocd/service-uat is Missing; waiting for Healthy"
    app = world.applications.get("service-uat", "")
    assert app is not None
    await world.applications.sync(app, {"initiatedBy": {"username": "maintainer"}})
    last = await world.to_the_end("argocd-wait", config, first)
    assert last.status is DONE
    assert last.output["healthStatus"] == {"argocd/service-uat": "Healthy"}
    assert world.clock.now() - NOW == timedelta(seconds=20)
    assert world.syncs() == 0
