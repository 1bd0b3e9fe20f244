"""Runs the steps of one promotion: up to its pull request, and, once that is merged, those that come after.

What precedes the pull request can be run again from the start; nothing but a force-pushed branch of our own comes of
it. Outputs that later steps need travel in the signed record in the pull request's body.
"""

import asyncio
import logging
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.contracts import DescribePull, PromotionInfo, RepositoryInfo, Schema, StepContext, StepResult, StepStatus
from bot.core import candidates, lock, messages
from bot.core.actions import Promote
from bot.core.config import Fit
from bot.core.facts import PullRequest
from bot.core.lock import Lock, Way
from bot.core.model import PromotionTemplate, StepSpec
from bot.core.promotion import (
    Finished,
    Scene,
    Severity,
    environment,
    outcome,
    promotion_name,
    should_run,
    step_from_json,
    variables,
)
from bot.core.record import Record
from bot.core.snapshot import Landing, Snapshot, StageFacts, promotion_branch
from bot.engine.description import Description, Progress
from bot.engine.ports import Ports, Site
from bot.errors import Retry, UserError
from bot.expressions import ExpressionError, render

log = logging.getLogger(__name__)
_OPENS = "git-open-pr"


@dataclass(frozen=True, slots=True)
class Ran:
    """How far a run of steps came. `step` and `message` tell of the one that stopped it; `opened` is the pull
    request's number, 0 where none was opened; `pushed` what the last push says of itself."""

    outcome: Severity
    step: str = ""
    message: str = ""
    retry_at: datetime | None = None
    opened: int = 0
    pushed: str = ""


class Runner:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def before_merge(self, site: Site, snapshot: Snapshot, action: Promote) -> Ran:
        """Render and propose. The stage has a template."""
        facts = snapshot.stages[action.stage]
        template = facts.stage.template
        assert template is not None  # noqa: S101 -- control-flow stages are never promoted into
        scene = self._scene(snapshot, facts, action)
        try:
            progress = Progress(scene, _variables(scene, facts, template))
        except ExpressionError as error:
            return Ran(Severity.Errored, "vars", str(error))
        info = self._info(scene, facts, action.way, action.request)
        describe = Description(self._ports.signing_key, snapshot, facts, progress, action, template.steps)
        return await self._run(site, snapshot, progress, info, template.steps, describe)

    async def after_merge(
        self,
        site: Site,
        snapshot: Snapshot,
        facts: StageFacts,
        landing: Landing,
        pull: PullRequest,
        told: Record | None,
    ) -> Ran:
        """Run what comes after the step that opened the pull request: as the record has it or, where that can't be
        believed any more, today's template."""
        held = landing.lock
        scene = Scene(
            repository=snapshot.repository,
            repository_url=snapshot.url,
            stage=facts.stage,
            promotion=held.promotion,
            promoted=held.freight,
            collection=held.collection,
            actor=held.actor,
            rollback=held.way is Way.ROLLBACK,
        )
        info = self._info(scene, facts, held.way, held.request)
        if told is not None and told.promotion == held.promotion:
            progress = Progress(scene, dict(told.vars), dict(told.outputs))
            progress.outputs[told.opened_by] = _opened(pull)
            steps = [step_from_json(one) for one in told.steps]
            return await self._run(site, snapshot, progress, info, steps, _said_already)
        template = facts.stage.template
        opener = next((s for s in template.steps if s.uses == _OPENS), None) if template else None
        if template is None or opener is None:
            return Ran(Severity.Succeeded)
        try:
            progress = Progress(scene, _variables(scene, facts, template))
        except ExpressionError as error:
            return Ran(Severity.Errored, "vars", str(error))
        progress.outputs[opener.alias] = _opened(pull)
        later = template.steps[template.steps.index(opener) + 1 :]
        return await self._run(site, snapshot, progress, info, later, _said_already)

    def _scene(self, snapshot: Snapshot, facts: StageFacts, action: Promote) -> Scene:
        """A promotion that was begun before, for the same freight in the same way, keeps its name: it is the same."""
        now = self._ports.clock.now()
        collection = candidates.collection(snapshot, action.stage, action.freight, now)
        seen = facts.proposal.lock if facts.proposal else None
        if seen is not None and (seen.collection, seen.actor, seen.way) == (collection, action.actor, action.way):
            name = seen.promotion
        else:
            name = promotion_name(facts.stage.name, action.freight.id, now)
        return Scene(
            repository=snapshot.repository,
            repository_url=snapshot.url,
            stage=facts.stage,
            promotion=name,
            promoted=action.freight,
            collection=collection,
            actor=action.actor,
            rollback=action.way is Way.ROLLBACK,
        )

    def _info(self, scene: Scene, facts: StageFacts, way: Way, request: str) -> PromotionInfo:
        stage = facts.stage.name

        def lock_text(paths: Sequence[str]) -> str:
            held = Lock(
                stage=stage,
                promotion=scene.promotion,
                promoted=scene.promoted.id,
                collection=scene.collection,
                actor=scene.actor,
                way=way,
                paths=tuple(sorted(paths)),
                request=request,
            )
            return lock.write(held)

        return PromotionInfo(
            id=scene.promotion,
            stage=stage,
            freight=scene.promoted,
            collection=scene.collection,
            actor=scene.actor,
            rollback=scene.rollback,
            branch=promotion_branch(stage),
            branch_head=facts.branch_head,
            trailers=messages.commit_trailers(facts.stage, scene.collection, scene.promotion, scene.actor),
            lock_path=lock.path(stage),
            lock_text=lock_text,
        )

    async def _run(
        self,
        site: Site,
        snapshot: Snapshot,
        progress: Progress,
        info: PromotionInfo,
        steps: Sequence[StepSpec],
        describe: DescribePull,
    ) -> Ran:
        async with _workdir(self._ports.workdirs) as workdir:
            context = StepContext(
                workdir=workdir,
                repository=RepositoryInfo(snapshot.repository, snapshot.url, snapshot.default_branch),
                promotion=info,
                git=site.git,
                github=site.github,
                identity=site.identity,
                programs=self._ports.programs,
                clock=self._ports.clock,
                http=self._ports.http,
                secrets=site.secrets,
                describe_pull=describe,
                outputs=progress.outputs,
                previous={},
            )
            failed = StepResult(StepStatus.SUCCEEDED)
            for step in steps:
                progress.current = step.alias
                result = await self._step(context, progress, step)
                if result.status is StepStatus.RUNNING:
                    return Ran(Severity.Running, step.alias, result.message, result.retry_at, _number(progress))
                status = Severity[result.status.value]
                progress.finished.append(Finished(step.alias, status, not step.continue_on_error))
                progress.outputs[step.alias] = result.output
                if status >= Severity.Failed and not step.continue_on_error and failed.status is StepStatus.SUCCEEDED:
                    failed = replace(result, message=f"{step.alias}\0{result.message}")
            name, _, message = failed.message.partition("\0")
            return Ran(outcome(progress.finished), name, message, None, _number(progress), _pushed(progress))

    async def _step(self, context: StepContext, progress: Progress, step: StepSpec) -> StepResult:
        """One step, its mistakes and ours told apart. `Retry` passes: the whole run is tried again later."""
        env = environment(progress.scene, progress.variables, progress.outputs, progress.finished, step)
        try:
            env["vars"] = variables([step.vars], env, progress.variables)
            if not should_run(step, env, progress.finished):
                return StepResult(StepStatus.SKIPPED)
            config = render(dict(step.config), env)
            plugin = self._ports.plugins.steps.get(step.uses)
            if plugin is None:
                raise UserError(f"There is no step `{step.uses}`.")
            fitted = _fitted(plugin.SCHEMA, config, step)
            limit = step.timeout.total_seconds() if step.timeout else None
            async with asyncio.timeout(limit):
                return await plugin.run(context, fitted)
        except (UserError, ExpressionError) as error:
            return StepResult(StepStatus.ERRORED, message=str(error))
        except TimeoutError:
            return StepResult(StepStatus.ERRORED, message=f"It took longer than {step.timeout}.")
        except (Retry, asyncio.CancelledError):
            raise
        except Exception:  # the border of a plug-in: said in one line, told whole in the log
            reference = uuid.uuid4().hex[:8]
            log.exception(
                "running step %s", step.uses, extra={"stage": progress.scene.stage.name, "reference": reference}
            )
            return StepResult(StepStatus.ERRORED, message=f"An internal error occurred (reference {reference}).")


async def _said_already(*, title: str, description: str) -> tuple[str, str]:
    raise UserError("A promotion opens one pull request, and this one has been merged already.")


def _variables(scene: Scene, facts: StageFacts, template: PromotionTemplate) -> dict[str, Any]:
    return variables([facts.stage.vars, template.vars], environment(scene, {}, {}, ()))


def _opened(pull: PullRequest) -> dict[str, Any]:
    """What the step that opened it put out, under Kargo's names."""
    return {
        "pr": {"id": pull.number, "url": pull.url, "open": pull.open, "merged": pull.merged},
        "prNumber": pull.number,
    }


def _number(progress: Progress) -> int:
    pull = progress.outputs.get(progress.described, {}).get("pr") if progress.described else None
    return int(pull["id"]) if pull else 0


def _pushed(progress: Progress) -> str:
    return next((str(out["commitURL"]) for out in reversed(progress.outputs.values()) if out.get("commitURL")), "")


def _fitted(schema: Schema, config: Any, step: StepSpec) -> dict[str, Any]:
    """The configuration as the step wants it: text becomes a number or boolean only where the schema says so."""
    fitted, misfits = Fit(schema)(config)
    if misfits:
        said = "; ".join(
            f"{'.'.join(str(part) for part in one.path) or 'config'}: {one.message}" for one in misfits[:5]
        )
        raise UserError(f"The configuration of step `{step.alias}` ({step.uses}) is wrong: {said}")
    return dict(fitted)


@asynccontextmanager
async def _workdir(parent: Path) -> AsyncIterator[Path]:
    """A folder for one run; gone with it, whatever happens. What a kill leaves is swept at the next start."""
    path = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="promotion-", dir=parent))
    try:
        yield path
    finally:
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
