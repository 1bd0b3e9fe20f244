"""Running a stage's steps on this machine alone: those that need nothing else, in a folder of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.contracts.steps import Step, StepContext, StepStatus
from bot.core.config import Fit
from bot.core.model import StepSpec
from bot.core.promotion import Finished, Scene, Severity, noted, should_run, step_environment
from bot.errors import Retry, UserError
from bot.expressions import ExpressionError, render

# What these do needs no remote but for the charts and bases that a chart or kustomization names.
LOCAL = frozenset(
    (
        *("git-clone", "git-clear", "git-commit", "git-tag", "copy", "delete", "file-write", "tar", "untar"),
        *("helm-template", "helm-update-chart", "helm-update-image", "kustomize-build", "kustomize-set-image"),
        *("yaml-update", "yaml-parse", "yaml-merge", "json-update", "json-parse", "toml-update", "toml-parse"),
        *("compose-output", "set-metadata", "set-freight-alias", "fail"),
    )
)
_AFTERWARDS = frozenset({"git-open-pr", "git-wait-for-pr", "git-merge-pr"})
_COMPOSES = "compose-output"  # of a task: its output is the task's own as well


@dataclass(frozen=True, slots=True)
class Ended:
    """How one step ended; "" is the message of one about which there is nothing to say."""

    alias: str
    uses: str
    status: StepStatus
    message: str = ""


@dataclass(slots=True)
class Trial:
    """A run of steps. `finished` are those that count for the next; `ended` all, in their order."""

    scene: Scene
    plugins: Mapping[str, Step]
    variables: dict[str, Any]
    outputs: dict[str, Mapping[str, Any]]  # the same that the context shows
    finished: list[Finished] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    async def run(self, steps: Sequence[StepSpec], context: StepContext, say: Callable[[Ended], None]) -> bool:
        """Run them up to the pull request. Whether none of them failed."""
        proposed = False
        for step in steps:
            proposed = proposed or step.uses in _AFTERWARDS
            ended, output = await self._step(step, context, proposed=proposed)
            self.ended.append(ended)
            say(ended)
            self.outputs[step.alias] = output
            if step.task and step.uses == _COMPOSES and ended.status is StepStatus.SUCCEEDED:
                self.outputs[step.task] = {**self.outputs.get(step.task, {}), **output}
            self.finished.append(Finished(step.alias, Severity[ended.status.value], not step.continue_on_error))
        return not any(one.counts and one.status >= Severity.Failed for one in self.finished)

    async def _step(self, step: StepSpec, context: StepContext, *, proposed: bool) -> tuple[Ended, Mapping[str, Any]]:
        def end(status: StepStatus, message: str = "") -> tuple[Ended, Mapping[str, Any]]:
            return Ended(step.alias, step.uses, status, message), {}

        try:
            env = step_environment(self.scene, self.variables, self.outputs, self.finished, step)
            if not should_run(step, env, self.finished):
                return end(StepStatus.SKIPPED)
            if proposed:
                return end(StepStatus.SKIPPED, "belongs to the pull request")
            if step.uses not in LOCAL:
                return end(StepStatus.SKIPPED, "needs a remote")
            plugin = self.plugins[step.uses]
            config, misfits = Fit(plugin.SCHEMA)(render(dict(step.config), env))
            if misfits:
                said = "; ".join(f"{'.'.join(map(str, one.path)) or 'config'}: {one.message}" for one in misfits[:5])
                raise UserError(f"its configuration is wrong: {said}")
            result = await plugin.run(context, dict(config))
            if result.notes and result.status is StepStatus.SUCCEEDED:
                self.scene = noted(self.scene, result.notes)
        except (UserError, ExpressionError, Retry) as error:
            return end(StepStatus.ERRORED, str(error))
        return Ended(step.alias, step.uses, result.status, result.message), result.output
