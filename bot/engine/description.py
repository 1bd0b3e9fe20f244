"""The text of a promotion's pull request, made at the moment a step opens it: for people, and the record for us."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.core import messages, record
from bot.core.actions import Promote
from bot.core.model import CommitSha, StepSpec
from bot.core.promotion import Finished, Scene, step_to_json
from bot.core.record import Record
from bot.core.snapshot import Snapshot, StageFacts, promotion_branch


@dataclass(slots=True)
class Progress:
    """What is known half-way through one run, and gone with it."""

    scene: Scene
    variables: dict[str, Any]
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)
    described: str = ""  # alias of the step that asked for the pull request's text
    current: str = ""


class Description:
    """The text, asked for by whichever step opens the pull request; steps after it go into the record."""

    def __init__(
        self,
        signing_key: bytes,
        snapshot: Snapshot,
        facts: StageFacts,
        progress: Progress,
        action: Promote,
        steps: Sequence[StepSpec],
    ) -> None:
        self._signing_key = signing_key
        self._snapshot = snapshot
        self._facts = facts
        self._progress = progress
        self._action = action
        self._steps = steps

    async def __call__(self, *, title: str, description: str) -> tuple[str, str]:
        progress, scene, stage = self._progress, self._progress.scene, self._facts.stage
        progress.described = progress.current
        before = next((f for f in self._facts.holds if f.origin == scene.promoted.origin), None)
        place = next(i for i, step in enumerate(self._steps) if step.alias == progress.current)
        sealed = record.seal(
            Record(
                repository=scene.repository,
                stage=stage.name,
                promotion=scene.promotion,
                promoted=scene.promoted.id,
                collection=scene.collection,
                actor=scene.actor,
                way=self._action.way,
                request=self._action.request,
                base=self._base(),
                head=self._head(),
                outputs=progress.outputs,
                opened_by=progress.current,
                steps=tuple(step_to_json(step) for step in self._steps[place + 1 :]),
                vars=progress.variables,
            ),
            self._signing_key,
        )
        title = title or messages.pull_title(stage, scene.promoted, before, self._action.way)
        return title, messages.pull_body(
            stage, scene.promoted, before, scene.actor, self._action.way, description, sealed
        )

    def _head(self) -> str:
        """What was pushed to the promotion branch last: a branch that holds anything else is rendered anew."""
        branch = promotion_branch(self._facts.stage.name)
        pushed = [out["commit"] for out in self._progress.outputs.values() if out.get("branch") == branch]
        return str(pushed[-1]) if pushed else ""

    def _base(self) -> CommitSha:
        """The default branch's head, if sources were taken at all. One that moved meanwhile shows as outdated."""
        cloned = any(out.get("commits") for out in self._progress.outputs.values())
        return self._snapshot.head if cloned else CommitSha("")
