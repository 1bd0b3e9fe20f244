"""Promotions whose steps bring nothing into the pipeline's own repository: what is different about them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.core import destinations, messages
from bot.core.lock import Lock
from bot.core.model import StepSpec
from bot.core.promotion import Scene, Severity, step_environment
from bot.engine.description import Progress
from bot.engine.ports import Ports, Site
from bot.engine.running.kept_locks import KeptLocks
from bot.engine.running.steps import Ran
from bot.errors import UserError
from bot.expressions import render


def evaluating(scene: Scene, values: dict[str, Any]) -> destinations.Evaluate:
    """What a step's configuration says, as far as that is known before any has run."""

    def evaluate(step: StepSpec, value: Any) -> Any:
        return render(value, step_environment(scene, values, {}, (), step))

    return evaluate


def placed(progress: Progress, steps: Sequence[StepSpec]) -> tuple[StepSpec, ...]:
    """Note where the steps bring the promotion; the steps, with a wait for what they propose elsewhere."""
    evaluate, home = evaluating(progress.scene, progress.variables), progress.scene.repository_url
    progress.openers = destinations.openers(steps, home, evaluate)
    progress.elsewhere = not destinations.lands_here(steps, home, evaluate)
    return destinations.waiting(steps, home, evaluate)


async def keep_lock(ports: Ports, site: Site, ran: Ran, progress: Progress, held: Lock) -> Ran:
    """Once all steps have succeeded the stage has the freight, which nothing in the repository says but we."""
    if not progress.elsewhere or ran.outcome > Severity.Skipped:
        return ran
    trailers = messages.commit_trailers(progress.scene.stage, held.collection, held.promotion, held.actor)
    message = f"Promote {held.freight.alias} to {held.stage}\n\n{messages.trailer_lines(trailers)}\n"
    try:
        sha = await KeptLocks(ports).write(site, held, message)
    except UserError as error:
        return replace(ran, outcome=Severity.Errored, step="lock", message=str(error))
    page = f"{progress.scene.repository_url.removesuffix('.git')}/commit/{sha}" if sha else ""
    return replace(ran, landed=True, pushed=ran.pushed or page)
