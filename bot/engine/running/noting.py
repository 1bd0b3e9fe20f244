"""What steps have noted in the stage's lock, on its way there: the next commit that writes the lock has it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.contracts import LockText, StepContext
from bot.core.model import StepSpec
from bot.core.notes import Notes
from bot.core.promotion import Severity, noted
from bot.engine.description import Progress
from bot.errors import UserError

_COMMITS = "git-commit"


class Noting:
    """Steps that come later see what was noted: in expressions, in the promotion, and in the text of the lock.

    It need not outlive a run: steps that note something are run again in each, for nothing else comes of them.
    """

    def __init__(self, progress: Progress, mask: Callable[[Any], Any]) -> None:
        self._progress = progress
        self._mask = mask
        self._unwritten = ""  # the last step whose notes no commit has yet
        self.noted: set[str] = set()  # steps that have noted something in this run

    def take(self, step: StepSpec, notes: Notes, later: Sequence[StepSpec]) -> None:
        """Raises UserError for what the lock can't say, or can't any more with only these steps to come."""
        if not notes:
            return
        progress = self._progress
        done = (progress.runs.get(alias) for alias in progress.openers)
        proposed = any(run is not None and run.status is Severity.Succeeded for run in done)
        written = progress.elsewhere or any(one.uses == _COMMITS for one in later)
        if progress.landed or proposed or not written:
            raise UserError(
                f"`{step.uses}` comes too late: what it sets is kept in the stage's lock, which `{_COMMITS}` writes; "
                f"put it before `{_COMMITS}`"
            )
        if self._mask(dict(notes.aliases)) != notes.aliases:
            raise UserError("an alias is seen by everybody, so it can't be made from a secret")
        masked = Notes(
            {name: self._mask(values) for name, values in notes.stages.items()},
            {name: self._mask(values) for name, values in notes.freight.items()},
            notes.aliases,
        )
        progress.scene = noted(progress.scene, masked)
        self._unwritten = step.alias
        self.noted.add(step.alias)

    def check_written(self) -> None:
        """Before the pull request is opened. Raises UserError where its lock would not say what was noted."""
        if self._unwritten:
            raise UserError(
                f"what the step `{self._unwritten}` sets is in no commit of this repository: no `{_COMMITS}` after it "
                "has written the stage's lock; put it before one that does"
            )

    def shown(self, context: StepContext) -> StepContext:
        """The context for the next step."""
        scene = self._progress.scene
        if not scene.notes:
            return context
        write = self._writing(context.promotion.lock_text)
        promotion = replace(context.promotion, freight=scene.promoted, collection=scene.collection, lock_text=write)
        return replace(context, promotion=promotion)

    def _writing(self, given: LockText) -> LockText:
        def lock_text(paths: Sequence[str]) -> str:
            text = given(paths)
            self._unwritten = ""
            return text

        return lock_text
