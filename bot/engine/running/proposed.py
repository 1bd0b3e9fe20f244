"""Goes on with the steps between a pull request and its merge, while it is open."""

from dataclasses import replace

from bot.core import merging
from bot.core.promotion import Severity, environment, step_from_json, variables
from bot.core.snapshot import Proposal, Snapshot, StageFacts
from bot.engine.description import DescriptionElsewhere, Progress
from bot.engine.ports import Ports, Site
from bot.engine.running import journal
from bot.engine.running.context import run_steps, scene_of
from bot.engine.running.info import promotion_info
from bot.engine.running.journal import Journal
from bot.engine.running.steps import Ran
from bot.errors import UserError
from bot.expressions import ExpressionError


class Proposed:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def go_on(self, site: Site, snapshot: Snapshot, facts: StageFacts, proposal: Proposal) -> Ran:
        """Run what comes after the step that opened the pull request, as its record has it. The proposal is whole."""
        record, lock, pull = proposal.record, proposal.lock, proposal.pull
        assert record is not None and lock is not None  # noqa: S101, PT018 -- a whole proposal has both
        opened = {"id": pull.number, "url": pull.url, "open": pull.open, "merged": pull.merged}
        told = replace(record, outputs={**record.outputs, record.opened_by: {"pr": opened, "prNumber": pull.number}})
        scene = scene_of(site, snapshot, facts, told)
        try:
            values = variables([told.vars], environment(scene, {}, {}, ()))
        except ExpressionError as error:
            return Ran(Severity.Errored, "vars", str(error))
        steps = [step_from_json(one) for one in told.steps]
        names = {step.alias for step in steps}
        ran = await journal.newest(self._ports, told)
        progress = Progress(scene, values, dict(told.outputs), told.vars, lands=told.opened_by, landed=True)
        progress.runs = {one.alias: one for one in ran if one.alias not in names and not one.waits}
        progress.prior = merging.still_true(one for one in ran if one.alias in names)
        describe = DescriptionElsewhere(self._ports, site, snapshot, facts, progress, lock.way)
        info = promotion_info(scene, facts, lambda: lock)
        notes = Journal(self._ports, site, told, pull=pull)
        try:
            return await run_steps(self._ports, site, snapshot, progress, info, steps, describe, notes)
        except UserError as error:  # what can't be written down is not gone on with
            return Ran(Severity.Errored, progress.current, str(error), runs=tuple(progress.runs.values()))
