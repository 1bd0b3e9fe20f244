"""How a promotion's pull request is merged, where that is not left to people: never by a step, always by a plan.

A stage says so by `merge: auto`, the step that opens the pull request by `autoMerge`, and a step after it by waiting
with a `mergeMethod` in its output (git-merge-pr). Whichever it is, the gates are asked at that moment (DESIGN §3,
invariant 2).
"""

from collections.abc import Iterable
from typing import Any

from bot.core.lock import Way
from bot.core.model import MergePolicy, RepositoryName, Stage
from bot.core.promotion import Scene, environment, step_environment, variables
from bot.core.record import Record
from bot.core.step_runs import StepRun
from bot.expressions import ExpressionError, render

METHOD = "mergeMethod"  # in the output of a step that waits to have the pull request merged
HEAD = "head"  # in the output of a step that judges the pull request: which commit it saw


def method(stage: Stage, record: Record, repository_url: str) -> str:
    """How to merge what is proposed, "" where people do that."""
    if stage.merge is MergePolicy.AUTO:
        return stage.merge_method
    wishes = _wishes(stage, record, repository_url)
    if wishes.get("autoMerge") not in (True, "true"):
        return ""
    return str(wishes.get(METHOD) or stage.merge_method)


def wished(stage: Stage, waiting: StepRun, otherwise: str) -> str:
    """The method a step wishes that waits for the merge; `otherwise` for one that waits for whoever merges."""
    if METHOD in waiting.output:
        return str(waiting.output[METHOD] or stage.merge_method)
    return otherwise


def under_way(record: Record) -> bool:
    """Whether steps after the one that opened the pull request wait for something that must be looked for."""
    return any(run.waits for run in record.ran)


def still_true(runs: Iterable[StepRun]) -> dict[str, StepRun]:
    """What need not be done again while the pull request is open: all that ended for good or waits, but what judges
    the pull request, for that may have changed since."""
    return {run.alias: run for run in runs if run.waits or (run.stays and HEAD not in run.output)}


def _wishes(stage: Stage, record: Record, repository_url: str) -> dict[str, Any]:
    """What the step that opened the pull request is configured to, as far as merging goes."""
    steps = stage.template.steps if stage.template else ()
    opener = next((step for step in steps if step.alias == record.opened_by), None)
    config = {name: opener.config[name] for name in ("autoMerge", METHOD) if name in opener.config} if opener else {}
    if opener is None or not config:
        return {}
    scene = Scene(
        repository=RepositoryName(record.repository),
        repository_url=repository_url,
        stage=stage,
        promotion=record.promotion,
        promoted=record.freight,
        collection=record.collection,
        actor=record.actor,
        rollback=record.way is Way.ROLLBACK,
    )
    try:
        values = variables([record.vars], environment(scene, {}, {}, ()))
        return dict(render(config, step_environment(scene, values, record.outputs, (), opener)))
    except ExpressionError:  # the step itself tells of it
        return {}
