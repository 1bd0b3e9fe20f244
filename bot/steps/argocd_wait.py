"""argocd-wait: wait until Applications are as they should be, and change nothing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.argocd.api import SECRET, ArgoCD, Unavailable, connect
from bot.steps.argocd.application import Application
from bot.steps.argocd.selection import NAME as APP_NAME
from bot.steps.argocd.selection import NAMESPACE, SELECTOR, find
from bot.steps.argocd.waiting import Waiting
from bot.steps.shapes import listed, record, told

NAME = "argocd-wait"
HELP = "Wait until Argo CD Applications are healthy and synced."
DEFAULT_TIMEOUT = timedelta(minutes=5)
_DEFAULT = ("health", "sync", "operation")
# What each of `waitFor` calls well; one of those given is enough.
_HEALTH = {"health": "Healthy", "suspended": "Suspended", "degraded": "Degraded"}
_CONDITION: Schema = {"enum": [*_DEFAULT, "suspended", "degraded"]}
SCHEMA: Schema = record(
    "apps",
    apps=listed(
        record(
            name=APP_NAME,
            namespace=NAMESPACE,
            selector=SELECTOR,
            waitFor=told(
                {**listed(_CONDITION, at_least=1), "uniqueItems": True},
                "health, sync and operation unless given. Of health, suspended and degraded one must hold, "
                "and all of the others.",
            ),
        ),
        at_least=1,
    ),
    secret=SECRET,
)


class _Hopeless(Exception):
    """Waiting is no use; the text says why, for people."""


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `apps` {name, namespace} and `healthStatus`, the last one of each.

    Failed when an Application becomes Degraded while its health is waited for, and when Argo CD can't compare it
    with Git.
    """
    argocd, waiting = connect(context, config, NAME), Waiting.of(context)
    before = dict(waiting.kept.get("healthStatus", {}))
    after = dict(before)
    try:
        for entry in config["apps"]:
            for app in await find(argocd, entry, NAME):
                waiting.saw(app)
                after[app.key] = app.health
                if reason := await _lacks(argocd, app, entry.get("waitFor", _DEFAULT), before.get(app.key, "")):
                    waiting.reasons.append(f"{app.key} {reason}")
    except Unavailable as error:
        return waiting.unavailable(str(error))
    except _Hopeless as error:
        output = {"apps": list(waiting.apps.values()), "healthStatus": after}
        return StepResult(StepStatus.FAILED, output, str(error))
    return waiting.result(healthStatus=after)


async def _lacks(argocd: ArgoCD, app: Application, conditions: list[str], before: str) -> str:
    """What is missing yet; "" when everything is there."""
    if app.errors:
        raise _Hopeless(f"Argo CD can't compare {app.key} with Git: {'; '.join(app.errors)}")
    if "operation" in conditions and app.operation is not None and app.operation.is_under_way:
        return f"waits for an operation by {app.operation.by} to end"
    wanted = [_HEALTH[each] for each in conditions if each in _HEALTH]
    if wanted and not app.is_seen_since:
        await argocd.refresh(app, "normal")  # the answer is looked at next time, when it is sure to be there
        return "was synced, and Argo CD has not looked at it since"
    if wanted and app.health not in wanted:
        told_more = f": {app.health_message}" if app.health_message else ""
        if app.health == "Degraded" and "health" in conditions and before not in {"", "Degraded", "Unknown"}:
            raise _Hopeless(f"the health of {app.key} went from {before} to Degraded{told_more}")
        return f"is {app.health or 'not judged yet'}{told_more}; waiting for {' or '.join(wanted)}"
    if "sync" in conditions and app.sync != "Synced":
        return f"is {app.sync or 'not compared with Git yet'}; waiting for Synced"
    return ""
