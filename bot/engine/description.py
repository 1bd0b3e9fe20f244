"""The text of a promotion's pull request, made at the moment a step opens it: for people, and the record for us."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.core import messages, record
from bot.core.actions import Promote
from bot.core.lock import Way
from bot.core.model import CommitSha, Freight, StepSpec, Variable
from bot.core.promotion import Finished, Scene, step_to_json
from bot.core.record import Record
from bot.core.snapshot import Snapshot, StageFacts, promotion_branch
from bot.core.step_runs import StepRun, finished_before
from bot.engine.ports import Ports, Site
from bot.engine.running.changes import changes_between
from bot.errors import UserError


@dataclass(slots=True)
class Progress:
    """What is known half-way through one run, and gone with it, but for what the journal keeps.

    `prior` is what earlier runs left of steps whose turn has not come yet in this one, `runs` those that have had it.
    `lands` is the step whose push brings the promotion to where it lands, `landed` whether it has. `openers` are the
    steps that open a pull request in the pipeline's own repository; `elsewhere`: none brings anything in there.
    """

    scene: Scene
    variables: dict[str, Any]
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    declared: tuple[Variable, ...] = ()  # what `variables` are evaluated from
    prior: dict[str, StepRun] = field(default_factory=dict)
    runs: dict[str, StepRun] = field(default_factory=dict)
    described: str = ""  # alias of the step that asked for the pull request's text
    current: str = ""
    lands: str = ""
    landed: bool = False
    openers: frozenset[str] = frozenset()
    elsewhere: bool = False

    @property
    def finished(self) -> list[Finished]:
        return finished_before(self.runs.values())

    @property
    def number(self) -> int:
        """The pull request's that this run has opened; 0 before."""
        pull = self.outputs.get(self.described, {}).get("pr") if self.described else None
        return int(pull["id"]) if pull else 0

    def everything(self) -> Iterator[StepRun]:
        """All that is known of the steps, each once."""
        yield from self.runs.values()
        yield from (run for alias, run in self.prior.items() if alias not in self.runs)


class DescriptionElsewhere:
    """The text of a pull request in another repository, where nobody reads a record of ours.

    All that a step can open once the promotion's own pull request is there, or merged.
    """

    def __init__(
        self, ports: Ports, site: Site, snapshot: Snapshot, facts: StageFacts, progress: Progress, way: Way
    ) -> None:
        self._ports = ports
        self._site = site
        self._snapshot = snapshot
        self._facts = facts
        self._progress = progress
        self._way = way

    async def __call__(self, *, title: str, description: str, head: str, target: str, url: str = "") -> tuple[str, str]:
        if not url:
            raise UserError("A promotion opens one pull request in its own repository, and that has been done.")
        scene, stage = self._progress.scene, self._facts.stage
        changes = await changes_between(self._site.git, url, target, head, self._ports.signing_key)
        home = (scene.repository, self._snapshot.url.removesuffix(".git"))
        return title or self._title(), messages.pull_body_elsewhere(
            stage, scene.promoted, self._before, scene.actor, self._way, description, changes, home
        )

    @property
    def _before(self) -> Freight | None:
        """What the stage holds of the same warehouse."""
        return next((f for f in self._facts.holds if f.origin == self._progress.scene.promoted.origin), None)

    def _title(self) -> str:
        return messages.pull_title(self._facts.stage, self._progress.scene.promoted, self._before, self._way)


class Description(DescriptionElsewhere):
    """The text, asked for by whichever step opens the pull request; steps after it go into the record."""

    def __init__(
        self,
        ports: Ports,
        site: Site,
        snapshot: Snapshot,
        facts: StageFacts,
        progress: Progress,
        action: Promote,
        steps: Sequence[StepSpec],
    ) -> None:
        super().__init__(ports, site, snapshot, facts, progress, action.way)
        self._action = action
        self._steps = steps

    async def __call__(self, *, title: str, description: str, head: str, target: str, url: str = "") -> tuple[str, str]:
        progress, scene, stage = self._progress, self._progress.scene, self._facts.stage
        if url:
            return await super().__call__(title=title, description=description, head=head, target=target, url=url)
        progress.described = progress.current
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
                vars=progress.declared,
                ran=tuple(progress.everything()),
                noted=self._ports.clock.now(),
            ),
            self._ports.signing_key,
            mask=self._site.secrets.mask,
        )
        changes = await changes_between(self._site.git, self._snapshot.url, target, head, self._ports.signing_key)
        return title or self._title(), messages.pull_body(
            stage, scene.promoted, self._before, scene.actor, self._way, description, changes, sealed
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
