"""Brings a landing to its judgement: what comes after the merge, then the analysis, measurement by measurement."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import analysis, labels, messages
from bot.core.facts import PullRequest
from bot.core.known import known
from bot.core.messages import steps as said
from bot.core.model import Stage
from bot.core.promotion import Severity
from bot.core.snapshot import Landing, Snapshot, StageFacts
from bot.core.templates import verification_args
from bot.engine.measure import measure_due
from bot.engine.ports import Ports, Site
from bot.engine.runner import Runner
from bot.engine.running.steps import Ran
from bot.engine.snapshot import analysis_key
from bot.errors import UserError
from bot.expressions.functions import freight_functions, metadata_functions

_KEPT = timedelta(days=7)  # an analysis under way; losing it means measuring from the start
_LARGEST = 60_000  # bytes, of an analysis under way: the work store takes small texts only
_WHOLE = 10_000  # characters: more than is kept of anything measured
_POLL = timedelta(seconds=30)  # a step that waits without saying until when


class Verifier:
    def __init__(self, ports: Ports, runner: Runner) -> None:
        self._ports = ports
        self._runner = runner

    async def finish(self, site: Site, snapshot: Snapshot, facts: StageFacts) -> datetime | None:
        """Run the steps after the merge, then open the verification. A time: the steps are waiting until then."""
        landing = facts.current
        assert landing is not None  # noqa: S101 -- the plan saw it
        found = facts.pull_of(landing)
        stage, seen = facts.stage, landing.check.id if landing.check else 0
        ran = await self._runner.after_merge(site, snapshot, facts, landing, found)
        if ran.outcome is Severity.Running:
            await self._say_it_waits(site, facts, landing, ran)
            if found is not None:
                await self._syncing(site, facts, found[0])
            return ran.retry_at or self._ports.clock.now() + _POLL
        if ran.outcome >= Severity.Failed:
            check = messages.unfinished_check(stage.name, landing, ran.step, ran.message, ran.runs)
        elif stage.verification is None:
            check = messages.nothing_to_verify_check(stage.name, landing, ran.runs)
        else:
            check = messages.verifying_check(stage.name, landing, ran.runs)
        await site.github.put_check_run(messages.with_id(check, seen))
        if found is None:
            await self._runner.forget(site, facts, landing)
        return None

    async def _say_it_waits(self, site: Site, facts: StageFacts, landing: Landing, ran: Ran) -> None:
        """Said on what landed, in place of the verification; not at every poll."""
        check, seen = said.arriving_check(facts.stage.name, landing, ran.runs), landing.check
        if seen is None or ran.noted or (seen.external_id, seen.title) != (check.external_id, check.title):
            await site.github.put_check_run(messages.with_id(check, seen.id if seen else 0))

    async def _syncing(self, site: Site, facts: StageFacts, pull: PullRequest) -> None:
        """Steps that wait after the merge wait for the cluster: said by a label, which the verification replaces."""
        add, remove = labels.change(pull.labels, facts.stage.name, labels.State.SYNCING)
        if add:
            await site.github.add_labels(pull.number, add)
        for label in remove:
            await site.github.remove_label(pull.number, label)

    async def measure(self, site: Site, snapshot: Snapshot, facts: StageFacts) -> None:
        """Take what measurements are due; publish the judgement once there is one. The run is kept first, told last."""
        landing = facts.current
        assert landing is not None and landing.check is not None  # noqa: S101, PT018 -- the plan saw them
        now = self._ports.clock.now()
        run = facts.analysis
        if run is None and facts.stage.verification is None:  # the configuration has changed meanwhile
            check = messages.nothing_to_verify_check(facts.stage.name, landing)
            await site.github.put_check_run(messages.with_id(check, landing.check.id))
            return
        if run is None:
            try:
                run = self._start(snapshot, facts, now)
            except (UserError, analysis.AnalysisError) as error:
                check = messages.unfinished_check(facts.stage.name, landing, "verification", str(error))
                await site.github.put_check_run(messages.with_id(check, landing.check.id))
                return
        if not run.phase.completed:
            run = await measure_due(run, self._ports.plugins.providers, self._ports.metric_context(site), now)
        if run.phase.completed:
            check = messages.judged_check(facts.stage.name, landing, analysis.summary(run))
            await site.github.put_check_run(messages.with_id(check, landing.check.id))
        else:
            key = analysis_key(snapshot.repository, facts.stage.name, landing.sha)
            await self._ports.work.remember(key, small_enough(run), _KEPT)

    def _start(self, snapshot: Snapshot, facts: StageFacts, now: datetime) -> analysis.Run:
        """The analysis as the configuration of now describes it."""
        stage: Stage = facts.stage
        pipeline, landing, wanted = snapshot.pipeline, facts.current, stage.verification
        assert pipeline is not None and landing is not None and wanted is not None  # noqa: S101, PT018
        seen = known(snapshot)
        functions = {
            **freight_functions(landing.lock.collection),
            **metadata_functions(seen.stages, seen.freight, seen.status),
        }
        args = verification_args(wanted.args, snapshot.repository, stage, functions)
        args.setdefault("stage", stage.name)
        templates = analysis.expand(wanted.templates, pipeline.verifications)
        return analysis.start(templates, args, now)


def small_enough(run: analysis.Run) -> str:
    """The run as text. Where there is too much of it, earlier measurements go first: nobody judges them any more."""
    text = analysis.to_json(run)
    for earlier, last in ((100, _WHOLE), (None, _WHOLE), (None, 100), (None, 0)):
        if len(text.encode()) <= _LARGEST:
            break
        text = analysis.to_json(replace(run, metrics=tuple(_shortened(one, earlier, last) for one in run.metrics)))
    return text


def _shortened(metric: analysis.MetricState, earlier: int | None, last: int) -> analysis.MetricState:
    """With so many characters of what was measured last, and before; None: nothing of that at all."""
    kept = [_cut(one, earlier) for one in metric.measurements[:-1]] if earlier is not None else []
    return replace(metric, measurements=(*kept, *(_cut(one, last) for one in metric.measurements[-1:])))


def _cut(one: analysis.Measurement, length: int) -> analysis.Measurement:
    return replace(one, value=one.value[:length], message=one.message[:length])
