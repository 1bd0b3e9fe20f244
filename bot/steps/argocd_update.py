"""argocd-update: have Argo CD sync Applications, and wait until they are well."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.argocd.api import SECRET, ArgoCD, Unavailable, connect
from bot.steps.argocd.application import PROMOTION, Application, Operation, Stand, stand
from bot.steps.argocd.selection import NAME as APP_NAME
from bot.steps.argocd.selection import NAMESPACE, SELECTOR, find, refusal
from bot.steps.argocd.sources import SOURCES, changed_spec, desired_revisions
from bot.steps.argocd.waiting import Waiting
from bot.steps.shapes import ORIGIN, listed, record, told

NAME = "argocd-update"
HELP = "Change Argo CD Applications, sync them, and wait until they are healthy."
DEFAULT_TIMEOUT = timedelta(minutes=5)
_FROM = told(ORIGIN, "Of which warehouse's freight (deprecated: `imageFrom()`, `commitFrom()`, `chartFrom()`).")
SCHEMA: Schema = record(
    "apps",
    apps=listed(
        record(name=APP_NAME, namespace=NAMESPACE, selector=SELECTOR, sources=SOURCES, fromOrigin=_FROM), at_least=1
    ),
    secret=SECRET,
    fromOrigin=_FROM,
)
_ABBREVIATED = 7


@dataclass(slots=True)
class _Plan:
    """All that is wanted of one Application, whichever entries of `apps` say so."""

    app: Application
    updates: list[Mapping[str, Any]] = field(default_factory=list)
    revisions: tuple[str, ...] = ()
    spec: Mapping[str, Any] = field(default_factory=dict)


class _SyncFailed(Exception):
    """Argo CD could not do it; the text says why, for people."""


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `apps` {name, namespace}. Running until every Application is synced as wanted and healthy.

    Argo CD keeps with each operation which promotion it is for, so that nothing is started twice. Before anything is
    changed, all of it is known to be possible. Errored when a sync fails.
    """
    argocd, waiting = connect(context, config, NAME), Waiting.of(context)
    synced = list(waiting.kept.get("synced", ()))
    try:
        for plan in await _plans(context, argocd, config):
            waiting.saw(plan.app)
            if reason := await _bring(context, argocd, plan, synced, resumed=waiting.resumed):
                waiting.reasons.append(reason)
    except Unavailable as error:
        return waiting.unavailable(str(error))
    except _SyncFailed as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    return waiting.result(**({"synced": synced} if waiting.reasons else {}))


async def _plans(context: StepContext, argocd: ArgoCD, config: Mapping[str, Any]) -> Sequence[_Plan]:
    plans: dict[str, _Plan] = {}
    for entry in config["apps"]:
        found = await find(argocd, entry, NAME)
        refused = [because for app in found if (because := refusal(app, context))]
        if len(refused) == len(found):  # of those a selector finds, a stage changes the ones it may
            more = f"; and {len(refused) - 1} more" if len(refused) > 1 else ""
            raise UserError(f"the Argo CD Application {refused[0]}{more}")
        origin = entry.get("fromOrigin") or config.get("fromOrigin")
        updates = [{**({"fromOrigin": origin} if origin else {}), **update} for update in entry.get("sources", ())]
        for app in found:
            if not refusal(app, context):
                plans.setdefault(app.key, _Plan(app)).updates.extend(updates)
    for plan in plans.values():
        plan.revisions = desired_revisions(context, plan.app, plan.updates, NAME)
        plan.spec = changed_spec(context.promotion, plan.app, plan.updates, plan.revisions)
    return tuple(plans.values())


async def _bring(context: StepContext, argocd: ArgoCD, plan: _Plan, synced: list[str], *, resumed: bool) -> str:
    """The next thing to be done for one Application. Gives what is waited for, "" when all is well."""
    app = plan.app
    if app.key in synced:  # what happens to it later is not this promotion's doing
        return await _unwell(argocd, app)
    now = stand(app, context.promotion.id)
    if now is Stand.FOREIGN and app.operation is not None:
        return f"{app.key} waits for an operation by {app.operation.by} to end"
    if now is Stand.RUNNING:
        return f"{app.key} is being synced"
    if now is Stand.FAILED and resumed and app.operation is not None:
        raise _SyncFailed(f"Argo CD could not sync {app.key}: {app.operation.message or app.operation.phase}")
    if now is Stand.SUCCEEDED and app.operation is not None and await _reached(context, plan, app.operation):
        synced.append(app.key)
        return await _unwell(argocd, app)
    # What failed in an earlier run of this step is tried once more: a person has asked for that.
    reason = await _sync(context, argocd, plan)
    if reason:
        return f"{app.key} {reason}"
    if now is Stand.SUCCEEDED and app.operation is not None:
        return (
            f"{app.key} is synced again: it was synced to {_short(app.operation.revisions)}, and is to be at "
            f"{_short(plan.revisions)}"
        )
    return f"{app.key} is being synced"


async def _sync(context: StepContext, argocd: ArgoCD, plan: _Plan) -> str:
    if plan.spec:
        await argocd.patch(plan.app, plan.spec)
    # Argo CD answers once the comparison is done, which may take longer than we wait; that it is wanted it knows
    # before. Whether Argo CD is there at all, the next call tells.
    with suppress(Unavailable):
        await argocd.refresh(plan.app, "hard")
    reason = f"Promotion of {context.promotion.freight.alias} to {context.promotion.stage} by {context.promotion.actor}"
    return await argocd.sync(plan.app, (("Reason", reason), (PROMOTION, context.promotion.id)))


async def _reached(context: StepContext, plan: _Plan, operation: Operation) -> bool:
    """Whether what was synced is what is wanted, source by source."""
    seen = operation.revisions
    for number, (source, wanted) in enumerate(zip(plan.app.sources, plan.revisions, strict=True)):
        revision = seen[number] if number < len(seen) else ""
        target = operation.targets[number] if number < len(operation.targets) else ""
        if wanted and wanted not in {revision, target} and not await _contains(context, source, revision, wanted):
            return False
    return True


async def _contains(context: StepContext, source: Mapping[str, Any], revision: str, wanted: str) -> bool:
    """Whether a commit came with a later one: on a branch that many stages write to, Argo CD often syncs one."""
    if source.get("chart") or not revision:
        return False
    if len(wanted) >= _ABBREVIATED and revision.startswith(wanted):
        return True
    try:
        return not await context.git.log(str(source.get("repoURL")), wanted, not_in=revision, limit=1)
    except UserError:  # a repository that is not ours to read, or revisions it does not have: then they differ
        return False


async def _unwell(argocd: ArgoCD, app: Application) -> str:
    """What is wrong with a synced Application, as judged after the sync; "" when it is healthy."""
    if not app.is_seen_since:
        app = await argocd.refresh(app, "normal")
    if app.errors:
        return f"{app.key} can't be compared with Git: {'; '.join(app.errors)}"
    if not app.is_seen_since:
        return f"{app.key} is synced, and Argo CD has not looked at it since"
    if app.health == "Healthy":
        return ""
    told_more = f": {app.health_message}" if app.health_message else ""
    return f"{app.key} is synced, and is {app.health or 'not judged yet'}{told_more}"


def _short(revisions: Sequence[str]) -> str:
    return ", ".join(revision[:12] or "any revision" for revision in revisions)
