"""What Argo CD refuses, or can't do now: said with what to do about it, or waited for."""

import json
from typing import Any

import pytest

from bot.contracts.metrics import HttpAnswer
from bot.contracts.steps import StepStatus
from bot.errors import UserError
from tests.steps.argocd_world import AUTHORIZED
from tests.steps.conftest import Run

BY_NAME = {"apps": [{"name": "a"}]}
BY_LABELS = {"apps": [{"selector": {"matchLabels": {"team": "b"}}}]}
CHANGING = {
    "apps": [{"name": "a", "sources": [{"repoURL": "x", "desiredRevision": "1", "updateTargetRevision": True}]}]
}
DENIED = (403, {"error": "permission denied: applications, default/a", "code": 7})
BROKEN = (502, {"message": "no upstream"})


def an_app(**status: Any) -> tuple[int, dict[str, Any]]:
    told = {"health": {"status": "Healthy"}, "sync": {"status": "Synced"}, **status}
    metadata = {"name": "a", "namespace": "argocd", "annotations": AUTHORIZED}
    return 200, {"metadata": metadata, "spec": {"source": {"repoURL": "x"}}, "status": told}


def synced(**status: Any) -> tuple[int, dict[str, Any]]:
    """As this promotion has synced it."""
    info = [{"name": "kargo.akuity.io/promotion", "value": "uat.01.ffffff"}]
    done = {"phase": "Succeeded", "finishedAt": "2026-01-02T03:04:05Z", "syncResult": {"revision": "1"}}
    state = {**done, "operation": {"info": info}}
    return an_app(operationState=state, **status)


@pytest.fixture
def asking(run: Run) -> Run:
    run.secrets.values = {("argocd", "server"): "argocd.example.com", ("argocd", "token"): "t"}
    return run


async def update(run: Run, config: dict[str, Any], *answers: tuple[int, dict[str, Any]]) -> Any:
    run.http.answers += [HttpAnswer(status, {}, json.dumps(body).encode()) for status, body in answers]
    result = await run("argocd-update", config)
    assert run.http.answers == []  # nothing more was asked, and nothing less
    return result


@pytest.mark.parametrize(
    ("config", "answers", "says"),
    [
        (BY_NAME, [DENIED], r"no Application a, or does not show it .*`argocd` \(permission denied.*may get it"),
        (BY_LABELS, [DENIED], "does not let the account of the secret `argocd` list: permission denied"),
        (
            CHANGING,
            [an_app(), DENIED],
            "secret `argocd` change argocd/a: permission denied.*allow it the action `update`",
        ),
        (BY_NAME, [an_app(), an_app(), DENIED], "secret `argocd` sync argocd/a: .*allow it the action `sync`"),
        (BY_NAME, [an_app(), an_app(), (400, {"message": "no such revision"})], "no such revision"),
        (BY_NAME, [an_app(), DENIED], "does not show argocd/a any more"),
    ],
)
async def test_what_is_refused_is_said_with_what_to_do(asking: Run, config: Any, answers: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        await update(asking, config, *answers)


async def test_a_sync_window_is_waited_for(asking: Run) -> None:
    closed = (403, {"error": "cannot sync: blocked by sync window", "code": 7})
    result = await update(asking, BY_NAME, an_app(), an_app(), closed)
    assert (result.status, result.message) == (StepStatus.RUNNING, "argocd/a waits for its sync window")


@pytest.mark.parametrize("answers", [[BROKEN], [an_app(), BROKEN, BROKEN], [(429, {})]])
async def test_an_argo_cd_that_can_not_is_a_fault_that_may_go_away(asking: Run, answers: Any) -> None:
    result = await update(asking, BY_NAME, *answers)
    assert (result.status, "argocd.example.com answered" in result.message) == (StepStatus.ERRORED, True)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ({}, "argocd/a is synced, and Argo CD has not looked at it since"),
        ({"reconciledAt": "2026-01-02T03:05:00Z", "health": {"status": "Degraded", "message": "no image"}},
         "argocd/a is synced, and is Degraded: no image"),
        ({"reconciledAt": "2026-01-02T03:05:00Z", "health": {}}, "argocd/a is synced, and is not judged yet"),
        ({"conditions": [{"type": "ComparisonError", "message": "no such path"}]},
         "argocd/a can't be compared with Git: ComparisonError: no such path"),
    ],
)  # fmt: skip
async def test_after_the_sync_it_is_looked_at_anew(asking: Run, seen: Any, says: str) -> None:
    """`reconciledAt` from before the sync tells nothing of after it."""
    result = await update(asking, BY_NAME, synced(), synced(**seen))
    assert (result.status, result.message) == (StepStatus.RUNNING, says)
