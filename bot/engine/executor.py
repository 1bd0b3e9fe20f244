"""Apply: carries out one action of a plan. Doing any of them twice is harmless, and expected."""

import logging
from datetime import datetime, timedelta
from typing import assert_never

from bot.contracts import NotMergeable
from bot.core import merging, messages
from bot.core.actions import Action, Close, Finish, GoOn, Measure, Merge, Promote, PutCheck, Relabel, Tell
from bot.core.facts import CheckRun, CheckStatus, Conclusion
from bot.core.messages import merging as merging_said
from bot.core.messages import steps as said
from bot.core.model import CommitSha
from bot.core.promotion import Severity
from bot.core.snapshot import Snapshot, promotion_check
from bot.engine.ports import Ports, Site
from bot.engine.runner import Attempt, Runner
from bot.engine.running.proposed import Proposed
from bot.engine.running.steps import Ran
from bot.engine.verification import Verifier
from bot.errors import Retry

log = logging.getLogger(__name__)

_MERGE_SOON, _MERGE_LATE = timedelta(seconds=5), timedelta(minutes=5)
_RUN_AGAIN = timedelta(seconds=30)
_STOPPED = timedelta(hours=1)  # what goes on by itself is asked seldom


class Executor:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._runner = Runner(ports)
        self._proposed = Proposed(ports)
        self._verifier = Verifier(ports, self._runner)

    async def apply(self, site: Site, snapshot: Snapshot, action: Action) -> datetime | None:
        """Do it. A time means: it could not be done yet, try again then."""
        try:
            return await self._apply(site, snapshot, action)
        except Retry as error:
            if not isinstance(action, Promote | GoOn | Finish | Measure):
                raise
            # What steps and metrics ask may be another server than GitHub: no reason for other stages to wait for it.
            log.info("trying again: %s", error, extra={"repository": site.repository, "stage": action.stage})
            return error.at

    async def _apply(self, site: Site, snapshot: Snapshot, action: Action) -> datetime | None:
        match action:
            case Promote():
                ran = await self.promote(site, snapshot, action)
                waits = ran.outcome is Severity.Running and not ran.opened and not ran.landed
                return (ran.retry_at or self._ports.clock.now() + _RUN_AGAIN) if waits else None
            case PutCheck(check):
                await site.github.put_check_run(check)
            case Relabel(number, add, remove):
                if add:
                    await site.github.add_labels(number, add)
                for label in remove:
                    await site.github.remove_label(number, label)
            case Merge():
                return await self._merge(site, snapshot, action)
            case GoOn():
                return await self._go_on(site, snapshot, action)
            case Finish(stage):
                return await self._verifier.finish(site, snapshot, snapshot.stages[stage])
            case Measure(stage):
                await self._verifier.measure(site, snapshot, snapshot.stages[stage])
            case Tell():
                await self.tell(site, action)
            case Close(number):
                await site.github.update_pull(number, open=False)
            case _:
                assert_never(action)
        return None

    async def promote(self, site: Site, snapshot: Snapshot, action: Promote) -> Ran:
        """Run the stage's steps. What fails or waits is said on the commit it was rendered from."""
        attempt = await self._runner.before_merge(site, snapshot, action)
        ran = attempt.ran
        waits = ran.outcome is Severity.Running and not ran.opened and not ran.landed
        failed = ran.outcome >= Severity.Failed and not ran.landed
        noted = attempt.before.head if attempt.before else ""  # where it was said before that a step waits
        if noted and not ((waits or failed) and noted == snapshot.head):
            await self._went_on(site, noted, action)
        if waits:
            await self._say_it_waits(site, snapshot, action, attempt)
        elif failed:
            await self._say_it_broke(site, snapshot, action, attempt)
        return ran

    async def _say_it_broke(self, site: Site, snapshot: Snapshot, action: Promote, attempt: Attempt) -> None:
        ran, before = attempt.ran, snapshot.head_checks.get(promotion_check(action.stage))
        if attempt.before and attempt.before.head == snapshot.head:
            before = await self._check_on(site, snapshot.head, action)
        check = messages.broke_check(
            snapshot.head, action.stage, attempt.freight, ran.step, ran.message, before, ran.runs
        )
        waited = before is not None and before.external_id == said.WAITING
        await site.github.put_check_run(messages.with_id(check, before.id) if before and waited else check)

    async def _say_it_waits(self, site: Site, snapshot: Snapshot, action: Promote, attempt: Attempt) -> None:
        """Not at every poll: when it is noted that something changed, or it is not said there.

        What broke on this commit stays said: it would be tried again if it were not.
        """
        check = said.waiting_check(snapshot.head, action.stage, attempt.freight, attempt.ran.runs)
        seen = await self._check_on(site, snapshot.head, action)
        if seen is None or seen.external_id != said.WAITING:
            if seen is None or seen.conclusion is not Conclusion.FAILURE:
                await site.github.put_check_run(check)
        elif attempt.ran.noted or (seen.status, seen.title) != (check.status, check.title):
            await site.github.put_check_run(messages.with_id(check, seen.id))

    async def _went_on(self, site: Site, sha: str, action: Promote) -> None:
        seen = await self._check_on(site, CommitSha(sha), action)
        if seen is not None and seen.external_id == said.WAITING and seen.status is CheckStatus.IN_PROGRESS:
            await site.github.put_check_run(said.went_on_check(seen))

    async def _check_on(self, site: Site, sha: CommitSha, action: Promote) -> CheckRun | None:
        runs = await site.github.check_runs(sha)
        return next((run for run in runs if run.name == promotion_check(action.stage)), None)

    async def tell(self, site: Site, tell: Tell) -> None:
        """Say it, unless it was said before: its marker in a comment of ours is the key."""
        for comment in await site.github.comments(tell.number):
            if comment.author == site.github.bot_login and comment.body.rstrip().endswith(tell.marker):
                return
        await site.github.create_comment(tell.number, messages.with_marker(tell.body, tell.marker))

    async def _go_on(self, site: Site, snapshot: Snapshot, action: GoOn) -> datetime | None:
        """The gates hold as of this snapshot, so what the steps have come to may be done at once."""
        facts, now = snapshot.stages[action.stage], self._ports.clock.now()
        assert facts.proposal is not None  # noqa: S101 -- it is what the plan is about
        ran = await self._proposed.go_on(site, snapshot, facts, facts.proposal)
        if ran.outcome >= Severity.Failed:
            mark = merging_said.stopped_marker(action.head_sha, ran.step)
            await self.tell(site, Tell(action.number, mark, merging_said.stopped(action.stage, ran.step, ran.message)))
            return now + _STOPPED
        waiting = next((run for run in ran.runs if run.waits), None)
        method = action.method
        if waiting is not None:  # for the merge, or for something that a time is known for
            method = merging.wished(facts.stage, waiting, "" if ran.retry_at else action.method)
        if method:
            return await self._merge(site, snapshot, Merge(action.number, action.head_sha, method))
        return ran.retry_at or now + _STOPPED

    async def _merge(self, site: Site, snapshot: Snapshot, action: Merge) -> datetime | None:
        try:
            await site.github.merge_pull(action.number, action.head_sha, action.method)
        except NotMergeable:
            # A check, a review or a conflict: GitHub's page names it, and whoever mends it wakes us. A young pull
            # request may only be waiting for GitHub to see whether it can be merged; an old one is asked seldom.
            now = self._ports.clock.now()
            proposals = [facts.proposal for facts in snapshot.stages.values() if facts.proposal]
            ages = [now - one.pull.created_at for one in proposals if one.pull.number == action.number]
            return now + min(max(_MERGE_SOON, *(age / 4 for age in ages)), _MERGE_LATE)
        return None
