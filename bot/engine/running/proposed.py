"""Goes on with the steps between a pull request and its merge, while it is open."""

from dataclasses import replace

from bot.contracts import RepositoryInfo, StepContext
from bot.core import merging
from bot.core.known import known
from bot.core.lock import Way
from bot.core.promotion import Scene, Severity, environment, step_from_json, variables
from bot.core.snapshot import Proposal, Snapshot, StageFacts
from bot.engine.description import Progress
from bot.engine.ports import Ports, Site
from bot.engine.running import journal
from bot.engine.running.info import promotion_info
from bot.engine.running.journal import Journal
from bot.engine.running.steps import Ran, Steps
from bot.engine.running.workdir import workdir
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
        scene = Scene(
            repository=snapshot.repository,
            repository_url=snapshot.url,
            stage=facts.stage,
            promotion=told.promotion,
            promoted=told.freight,
            collection=told.collection,
            actor=told.actor,
            rollback=told.way is Way.ROLLBACK,
            secrets=site.secrets.named,
            known=known(snapshot),
        )
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
        async with workdir(self._ports.workdirs) as folder:
            context = StepContext(
                workdir=folder,
                repository=RepositoryInfo(snapshot.repository, snapshot.url, snapshot.default_branch),
                promotion=promotion_info(scene, facts, lambda: lock),
                git=site.git,
                github=site.github,
                identity=site.identity,
                programs=self._ports.programs,
                clock=self._ports.clock,
                http=self._ports.http,
                artifacts=site.registry.artifacts,
                secrets=site.secrets,
                describe_pull=_said_already,
                outputs=progress.outputs,
                previous={},
            )
            notes = Journal(self._ports, site, told, pull=pull)
            try:
                return await Steps(self._ports.plugins.steps, context, progress, notes, site.secrets.mask).run(steps)
            except UserError as error:  # what can't be written down is not gone on with
                return Ran(Severity.Errored, progress.current, str(error), runs=tuple(progress.runs.values()))


async def _said_already(*, title: str, description: str, head: str, target: str) -> tuple[str, str]:
    raise UserError("A promotion opens one pull request, and this one is open already.")
