"""The steps of one promotion, one after the other, each as often as it takes."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import random
from typing import Any

from bot.contracts import Step, StepContext, StepResult, StepStatus
from bot.contracts.steps import default_timeout, longest_run
from bot.core import lock, promotion
from bot.core.config import Fit
from bot.core.destinations import PUSHES
from bot.core.durations import format_duration
from bot.core.model import StepSpec
from bot.core.promotion import IN_THE_RUN, Limits, Next, Severity, outcome, should_run, step_environment
from bot.core.step_runs import StepRun, begun, ended, fingerprint
from bot.core.urls import normalize_git
from bot.engine.ahead import looking_ahead
from bot.engine.description import Progress
from bot.engine.running.journal import Journal
from bot.engine.running.noting import Noting
from bot.errors import Broken, Retry, UserError
from bot.expressions import ExpressionError, render

log = logging.getLogger(__name__)

_COMPOSES = "compose-output"  # of a task: its output is the task's own as well (Kargo)
_MOST_INTENTS = 5  # in a row and in one run: a step that only ever writes down what it will do is made to wait


@dataclass(frozen=True, slots=True)
class Ran:
    """How far a run of steps came. `step` and `message` tell of the one that stopped it, `runs` of each; `opened` is
    the pull request's number, 0 where none was opened; `landed`: pushed to where it is for good, without one; `pushed`
    what the last push says of itself. `noted`: something was written down that outlives this run."""

    outcome: Severity
    step: str = ""
    message: str = ""
    retry_at: datetime | None = None
    opened: int = 0
    pushed: str = ""
    runs: tuple[StepRun, ...] = ()
    landed: bool = False
    noted: bool = False


@dataclass(frozen=True, slots=True)
class _Came:
    """What one run of a step came to; `terminal` for a fault that stays."""

    result: StepResult
    terminal: bool = False


class Steps:
    """Runs steps with one context. Raises Retry for what passes by itself; the whole is then run again later."""

    def __init__(
        self,
        plugins: Mapping[str, Step],
        context: StepContext,
        progress: Progress,
        journal: Journal,
        mask: Callable[[Any], Any],
    ) -> None:
        """`mask` takes secrets out of a value as JSON knows them."""
        self._plugins = plugins
        self._context = context
        self._progress = progress
        self._journal = journal
        self._mask = mask
        self._noting = Noting(progress, mask)
        self._later: Sequence[StepSpec] = ()  # than the one that is run
        self._fits: dict[str, Fit] = {}  # by what a step uses

    async def run(self, steps: Sequence[StepSpec]) -> Ran:
        progress = self._progress
        direct = not (progress.landed or progress.elsewhere or progress.openers)
        async with looking_ahead(self._context, self._plugins, self._configured) as look:
            for place, step in enumerate(steps):
                look(steps[place:])
                progress.current, self._later = step.alias, steps[place + 1 :]
                if direct and step.uses in PUSHES and place + 1 < len(steps):
                    await self._note_landing(step)
                run, at, once = await self._step(step)
                progress.runs[step.alias] = run
                if run.waits:
                    return self._ran(Severity.Running, run, at)
                self._put_out(step, run)
                if direct and progress.lands == step.alias:
                    progress.landed = await self._has_landed(run)
                if once:
                    await self._journal.keep(progress)
        failed = (one for one in progress.runs.values() if one.counts and one.status >= Severity.Failed)
        return self._ran(outcome(progress.finished), next(failed, None))

    def _ran(self, how: Severity, run: StepRun | None, at: datetime | None = None) -> Ran:
        progress = self._progress
        alias, message = (run.alias, run.message) if run else ("", "")
        runs = tuple(progress.runs.values())
        pushed = next((str(o["commitURL"]) for o in reversed(progress.outputs.values()) if o.get("commitURL")), "")
        return Ran(how, alias, message, at, progress.number, pushed, runs, progress.landed, self._journal.written)

    def _put_out(self, step: StepSpec, run: StepRun) -> None:
        outputs = self._progress.outputs
        outputs[step.alias] = run.output or (outputs.get(step.alias, {}) if step.alias in self._progress.prior else {})
        if step.task and step.uses == _COMPOSES and run.status is Severity.Succeeded:
            outputs[step.task] = {**outputs.get(step.task, {}), **run.output}

    # --- a push that lands without a pull request -------------------------------------------------------

    async def _note_landing(self, step: StepSpec) -> None:
        """What comes after it must be done even if we are killed the moment it lands."""
        if not self._progress.landed:
            self._progress.lands = step.alias
            if self._journal.notes_landing_by != step.alias:
                await self._journal.keep(self._progress)

    async def _has_landed(self, run: StepRun) -> bool:
        """Whether what was pushed is the stage's new lock, so that a later look finds the promotion by it."""
        repository, info = self._context.repository, self._context.promotion
        commit = str(run.output.get("commit") or "")
        where = str(run.output.get("commitURL") or "").partition("/commit/")[0]
        if run.status is not Severity.Succeeded or normalize_git(where) != normalize_git(repository.url):
            return False
        text = await self._context.git.read(repository.url, commit, info.lock_path)
        try:
            return text is not None and lock.read(text).promotion == info.id
        except ValueError:
            return False

    # --- one step ---------------------------------------------------------------------------------------

    async def _step(self, step: StepSpec) -> tuple[StepRun, datetime | None, bool]:
        """Its run, when to run it again where it waits, and whether it is never to be done again, which must be kept.

        What has ended before is not done again.
        """
        now = self._context.clock.now()
        before = self._progress.prior.get(step.alias)
        if before is not None and before.spec not in {"", fingerprint(step)}:
            before = None
        if before is not None and not before.waits:
            return before, None, False
        run = before or begun(step, now)
        try:
            if before is None and not should_run(step, self._environment(step), self._progress.finished):
                return ended(run, Severity.Skipped, now), None, False
            plugin = self._plugins.get(step.uses)
            if plugin is None:
                raise UserError(f"There is no step `{step.uses}`.")
            if step.alias in self._progress.openers:
                self._noting.check_written()
        except (UserError, ExpressionError) as error:
            return ended(run, Severity.Errored, now, message=self._mask(str(error))), None, False
        limit = promotion.limits(step, longest_run(plugin), default_timeout(plugin))
        return await self._until_it_ends(step, plugin, run, limit, waited=before is not None)

    async def _until_it_ends(
        self, step: StepSpec, plugin: Step, run: StepRun, limit: Limits, *, waited: bool
    ) -> tuple[StepRun, datetime | None, bool]:
        intents = 0
        while True:
            came = await self._once(step, plugin, run, limit)
            # Before anything is made of what it says: half a secret, or one spelt as Markdown, is not so easily known.
            result = replace(came.result, message=self._mask(came.result.message))
            now = self._context.clock.now()
            running = result.status is StepStatus.RUNNING
            intent = running and bool(result.output) and result.retry_at is not None and result.retry_at <= now
            decision = promotion.decide(
                Severity[result.status.value], result.message, limit,
                started=run.started or now, now=now, errors=run.errors, terminal=came.terminal, at=result.retry_at,
                intent=intent and intents < _MOST_INTENTS, jitter=random(),  # noqa: S311 -- spreads, guards nothing
            )  # fmt: skip
            if decision.next is Next.END:
                well = decision.status < Severity.Failed
                kept = result.once or (waited and well and not result.notes)
                settles = result.settles and well
                end = ended(run, decision.status, now, output=result.output, message=decision.message, kept=kept)
                if settles:
                    self._settle()
                return replace(end, errors=decision.errors, settled=settles), None, result.once or settles
            output = result.output if running and result.output else run.output
            run = replace(run, errors=decision.errors, output=output, message=decision.message)
            if decision.next is Next.LATER or intent:
                at = max(decision.at, now + IN_THE_RUN) if intent and decision.at else decision.at
                await self._journal.waits(self._progress, run, at, intent=intent)
                if decision.next is Next.LATER:
                    return run, at, False
                intents += 1
            await asyncio.sleep(decision.pause.total_seconds())

    def _settle(self) -> None:
        """What notes something is run again all the same: nothing else comes of that, and it is not kept otherwise."""
        runs = self._progress.runs
        for alias, run in runs.items():
            if not run.waits and alias not in self._noting.noted:
                runs[alias] = replace(run, settled=True)

    async def _once(self, step: StepSpec, plugin: Step, run: StepRun, limit: Limits) -> _Came:
        """One run of it, its mistakes and ours told apart."""
        try:
            fitted = self._configured(step)
            async with asyncio.timeout(limit.run.total_seconds()) as clock:
                try:
                    result = await plugin.run(replace(self._noting.shown(self._context), previous=run.output), fitted)
                except TimeoutError as error:
                    if clock.expired():
                        raise
                    raise Broken("a step let a limit of its own escape") from error
            if result.status is StepStatus.SUCCEEDED:
                self._noting.take(step, result.notes, self._later)
            return _Came(result)
        except TimeoutError:
            message = f"It took longer than {format_duration(limit.run)}, and was stopped."
            return _Came(StepResult(StepStatus.ERRORED, message=message))
        except (UserError, ExpressionError) as error:
            return _Came(StepResult(StepStatus.ERRORED, message=str(error)), terminal=True)
        except (Retry, asyncio.CancelledError):
            raise
        except Exception:  # the border of a plug-in: said in one line, told whole in the log
            reference = uuid.uuid4().hex[:8]
            stage = self._progress.scene.stage.name
            log.exception("running step %s", step.uses, extra={"stage": stage, "reference": reference})
            message = f"An internal error occurred (reference {reference})."
            return _Came(StepResult(StepStatus.ERRORED, message=message), terminal=True)

    def _configured(self, step: StepSpec) -> dict[str, Any]:
        """Raises ExpressionError, and UserError for what the step does not take."""
        config = render(dict(step.config), self._environment(step))
        if step.uses not in self._fits:
            self._fits[step.uses] = Fit(self._plugins[step.uses].SCHEMA)
        return _fitted(self._fits[step.uses], config, step)

    def _environment(self, step: StepSpec) -> dict[str, Any]:
        """Raises ExpressionError where the step's own variables can't be evaluated."""
        progress = self._progress
        return step_environment(progress.scene, progress.variables, progress.outputs, progress.finished, step)


def _fitted(fit: Fit, config: Any, step: StepSpec) -> dict[str, Any]:
    """The configuration as the step wants it: text becomes a number or boolean only where the schema says so."""
    fitted, misfits = fit(config)
    if misfits:
        said = "; ".join(
            f"{'.'.join(str(part) for part in one.path) or 'config'}: {one.message}" for one in misfits[:5]
        )
        raise UserError(f"The configuration of step `{step.alias}` ({step.uses}) is wrong: {said}")
    return dict(fitted)
