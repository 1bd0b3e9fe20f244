"""Runs the steps of one promotion: up to its pull request, and, once that is merged, those that come after.

What precedes the pull request can be run again from the start; nothing but a force-pushed branch of our own comes of
it. What can't be repeated, and what later steps need, travels in the signed record in the pull request's body or,
before there is one, on the branch of what is under way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core import candidates, step_runs
from bot.core.actions import Promote
from bot.core.destinations import openers
from bot.core.facts import PullRequest
from bot.core.known import as_landed, known
from bot.core.lock import Way
from bot.core.model import CommitSha, Freight, FreightId, PromotionTemplate, StepSpec, Variable
from bot.core.promotion import Scene, Severity, environment, promotion_name, step_from_json, step_to_json, variables
from bot.core.record import Record, newest
from bot.core.snapshot import Landing, Snapshot, StageFacts
from bot.engine.description import Description, DescriptionElsewhere, Progress
from bot.engine.ports import Ports, Site
from bot.engine.running import journal
from bot.engine.running.context import run_steps, scene_of
from bot.engine.running.elsewhere import evaluating, keep_lock, placed
from bot.engine.running.info import lock_of, promotion_info
from bot.engine.running.journal import Journal
from bot.engine.running.steps import Ran
from bot.engine.running.under_way import UnderWay
from bot.errors import UserError
from bot.expressions import ExpressionError


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run of steps, and the promotion as it was `before`: under way already, in this name or that of another.

    `freight` is what was promoted, which is not always what was asked for: automation goes on with what a person began.
    """

    ran: Ran
    freight: Freight
    before: Record | None


class Runner:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._under_way = UnderWay(ports)

    async def before_merge(self, site: Site, snapshot: Snapshot, action: Promote) -> Attempt:
        """Render and propose, or go on with that. The stage has a template."""
        facts = snapshot.stages[action.stage]
        template = facts.stage.template
        assert template is not None  # noqa: S101 -- control-flow stages are never promoted into
        before = await self._under_way.read(site, action.stage)
        collection = candidates.collection(snapshot, action.stage, action.freight, self._ports.clock.now())
        same = before if before is not None and _is_of(before, action, collection) else None
        if same is not None:
            collection = same.collection
            action = replace(action, freight=same.freight, actor=same.actor, way=same.way, request=same.request)
        elif before is not None:
            await self._under_way.drop(site, action.stage)
        collection = as_landed(snapshot, collection)
        action = replace(action, freight=next(one for one in collection if one.id == action.freight.id))
        scene = self._scene(site, snapshot, facts, action, collection, same)
        try:
            progress, steps = await self._begin(scene, facts, template, same)
            steps = placed(progress, steps)
        except ExpressionError as error:
            return Attempt(Ran(Severity.Errored, "vars", str(error)), action.freight, before)
        told = _told(scene, action, snapshot.head, steps, progress)
        notes = Journal(self._ports, site, told, on_branch=same)
        info = promotion_info(scene, facts, lambda: lock_of(progress.scene, action.way, action.request))
        describe = Description(self._ports, site, snapshot, facts, progress, action, steps)
        try:
            ran = await run_steps(self._ports, site, snapshot, progress, info, steps, describe, notes)
            ran = await keep_lock(self._ports, site, ran, progress, lock_of(progress.scene, action.way, action.request))
            await _note_end(ran, progress, notes)
        except UserError as error:
            ran = _unnoted(progress, error)
        return Attempt(ran, action.freight, before)

    async def _begin(
        self, scene: Scene, facts: StageFacts, template: PromotionTemplate, same: Record | None
    ) -> tuple[Progress, tuple[StepSpec, ...]]:
        """The promotion as it is known, and its steps: while it goes on, those it began with.

        Raises ExpressionError.
        """
        proposed = facts.proposal.record if facts.proposal else None
        known = newest(same, proposed if proposed and proposed.promotion == scene.promotion else None)
        ran = await journal.newest(self._ports, known) if known else ()
        prior = {one.alias: one for one in ran if one.stays}
        if same is not None and same.steps:
            declared, steps = same.vars, tuple(step_from_json(one) for one in same.steps)
        else:
            declared, steps = (*facts.stage.vars, *template.vars), template.steps
        return Progress(scene, _variables(scene, declared), declared=declared, prior=prior), steps

    async def after_merge(
        self,
        site: Site,
        snapshot: Snapshot,
        facts: StageFacts,
        landing: Landing,
        found: tuple[PullRequest, Record | None] | None,
    ) -> Ran:
        """Run what comes after the landing: as the record has it or, where that can't be believed any more, today's
        template. What landed without a pull request is gone on with only if it is known to be under way."""
        held = landing.lock
        scene = scene_of(site, snapshot, facts, held)
        try:
            told = await self._landed(site, snapshot, scene, facts, landing, found)
            values = _variables(scene, told.vars) if told else {}
        except ExpressionError as error:
            return Ran(Severity.Errored, "vars", str(error))
        if told is None:
            return Ran(Severity.Succeeded)
        steps = _later(told)
        names = {step.alias for step in steps}
        ran = await journal.newest(self._ports, told)
        progress = Progress(scene, values, dict(told.outputs), told.vars, landed=True, lands=told.opened_by)
        progress.runs = {one.alias: one for one in ran if one.alias not in names and not one.waits}
        progress.prior = {one.alias: one for one in ran if one.alias in names}
        notes = (
            Journal(self._ports, site, told, pull=found[0])
            if found is not None
            else Journal(self._ports, site, told, on_branch=told)
        )
        info = promotion_info(scene, facts, lambda: held)
        describe = DescriptionElsewhere(self._ports, site, snapshot, facts, progress, held.way)
        try:
            return await run_steps(self._ports, site, snapshot, progress, info, steps, describe, notes)
        except UserError as error:
            return _unnoted(progress, error)

    async def forget(self, site: Site, facts: StageFacts, landing: Landing) -> None:
        """What landed without a pull request has come to its end, and that is told."""
        before = await self._under_way.read(site, facts.stage.name)
        if before is not None and before.promotion == landing.lock.promotion:
            await self._under_way.drop(site, facts.stage.name)

    async def _landed(
        self,
        site: Site,
        snapshot: Snapshot,
        scene: Scene,
        facts: StageFacts,
        landing: Landing,
        found: tuple[PullRequest, Record | None] | None,
    ) -> Record | None:
        """The record of what landed, with the steps that come after. Raises ExpressionError."""
        held = landing.lock
        if found is None:
            under_way = await self._under_way.read(site, facts.stage.name)
            if under_way is None or under_way.promotion != held.promotion or not under_way.opened_by:
                return None
            page = snapshot.url.removesuffix(".git")
            pushed = {"branch": facts.target, "commit": landing.sha, "commitURL": f"{page}/commit/{landing.sha}"}
            outputs = {**under_way.outputs, under_way.opened_by: pushed}
            return replace(under_way, outputs=outputs)
        pull, told = found
        if told is not None and told.promotion == held.promotion:
            return replace(told, outputs={**told.outputs, told.opened_by: _opened(pull)})
        template = facts.stage.template
        own = openers(template.steps, snapshot.url, evaluating(scene, {})) if template else frozenset()
        opener = next((s for s in template.steps if s.alias in own), None) if template else None
        if template is None or opener is None:
            return None
        later = template.steps[template.steps.index(opener) + 1 :]
        action = Promote(facts.stage.name, held.freight, held.actor, held.way, held.request)
        declared = (*facts.stage.vars, *template.vars)
        progress = Progress(scene, {}, {opener.alias: _opened(pull)}, declared)
        derived = _told(scene, action, CommitSha(""), later, progress)
        return replace(derived, opened_by=opener.alias, outputs=progress.outputs, head=pull.head_sha)

    def _scene(
        self,
        site: Site,
        snapshot: Snapshot,
        facts: StageFacts,
        action: Promote,
        collection: tuple[Freight, ...],
        same: Record | None,
    ) -> Scene:
        """A promotion that was begun before, for the same freight in the same way, keeps its name: it is the same."""
        seen, asked = facts.proposal.lock if facts.proposal else None, (action.actor, action.way)
        if same is not None:
            name = same.promotion
        elif seen is not None and _ids(seen.collection) == _ids(collection) and (seen.actor, seen.way) == asked:
            name = seen.promotion
        else:
            name = promotion_name(facts.stage.name, action.freight.id, self._ports.clock.now())
        return Scene(
            repository=snapshot.repository,
            repository_url=snapshot.url,
            stage=facts.stage,
            promotion=name,
            promoted=action.freight,
            collection=collection,
            actor=action.actor,
            rollback=action.way is Way.ROLLBACK,
            secrets=site.secrets.named,
            known=known(snapshot),
        )


async def _note_end(ran: Ran, progress: Progress, notes: Journal) -> None:
    """What has to be known of a promotion after its steps have run, where there is no pull request to tell it."""
    if ran.opened or (ran.landed and ran.outcome < Severity.Running):
        await notes.drop()
    elif ran.landed and ran.outcome > Severity.Running:
        await notes.keep(progress)  # so that it is told of what landed
    elif ran.outcome is not Severity.Running:
        await notes.keep_only(step_runs.forgetting_attempts(progress.everything()))


def _unnoted(progress: Progress, error: UserError) -> Ran:
    """What can't be written down is not gone on with: it might be done twice."""
    runs = tuple(progress.runs.values())
    return Ran(Severity.Errored, progress.current, str(error), opened=progress.number, runs=runs)


def _later(told: Record) -> list[StepSpec]:
    """The steps after the one that brought it to where it landed; a pull request's record has no others."""
    steps = [step_from_json(one) for one in told.steps]
    place = next((i for i, step in enumerate(steps, 1) if step.alias == told.opened_by), 0)
    return steps[place:]


def _is_of(told: Record, action: Promote, collection: Sequence[Freight]) -> bool:
    """Whether what is under way is what is to be promoted. Automation goes on with what a person began."""
    if told.promoted != action.freight.id or _ids(told.collection) != _ids(collection):
        return False
    asked = (action.actor, action.way, action.request)
    return action.way is Way.AUTOMATION or asked == (told.actor, told.way, told.request)


def _ids(collection: Sequence[Freight]) -> set[FreightId]:
    return {one.id for one in collection}


def _told(scene: Scene, action: Promote, head: CommitSha, steps: Sequence[StepSpec], progress: Progress) -> Record:
    """What is known of a promotion from its start."""
    return Record(
        repository=scene.repository,
        stage=scene.stage.name,
        promotion=scene.promotion,
        promoted=scene.promoted.id,
        collection=scene.collection,
        actor=scene.actor,
        way=action.way,
        request=action.request,
        base=CommitSha(""),
        head=head,
        steps=tuple(step_to_json(step) for step in steps),
        vars=progress.declared,
    )


def _variables(scene: Scene, declared: Sequence[Variable]) -> dict[str, Any]:
    return variables([declared], environment(scene, {}, {}, ()))


def _opened(pull: PullRequest) -> dict[str, Any]:
    """What the step that opened it put out, under Kargo's names."""
    return {
        "pr": {"id": pull.number, "url": pull.url, "open": pull.open, "merged": pull.merged},
        "prNumber": pull.number,
    }
