"""Apply: carries out one action of a plan. Doing any of them twice is harmless, and expected."""

from datetime import datetime, timedelta
from typing import assert_never

from bot.contracts import NotMergeable
from bot.core import messages
from bot.core.actions import Action, Close, Finish, Measure, Merge, Promote, PutCheck, Relabel, Tell
from bot.core.promotion import Severity
from bot.core.snapshot import Snapshot, promotion_check
from bot.engine.ports import Ports, Site
from bot.engine.runner import Ran, Runner
from bot.engine.verification import Verifier

_MERGE_SOON, _MERGE_LATE = timedelta(seconds=5), timedelta(minutes=5)
_RUN_AGAIN = timedelta(seconds=30)


class Executor:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._runner = Runner(ports)
        self._verifier = Verifier(ports, self._runner)

    async def apply(self, site: Site, snapshot: Snapshot, action: Action) -> datetime | None:
        """Do it. A time means: it could not be done yet, try again then."""
        match action:
            case Promote():
                ran = await self.promote(site, snapshot, action)
                waits = ran.outcome is Severity.Running and not ran.opened
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
        """Run the stage's steps. What fails is said on the commit it was rendered from."""
        ran = await self._runner.before_merge(site, snapshot, action)
        if ran.outcome >= Severity.Failed:
            before = snapshot.head_checks.get(promotion_check(action.stage))
            check = messages.broke_check(snapshot.head, action.stage, action.freight, ran.step, ran.message, before)
            await site.github.put_check_run(check)
        return ran

    async def tell(self, site: Site, tell: Tell) -> None:
        """Say it, unless it was said before: its marker in a comment of ours is the key."""
        for comment in await site.github.comments(tell.number):
            if comment.author == site.github.bot_login and comment.body.rstrip().endswith(tell.marker):
                return
        await site.github.create_comment(tell.number, messages.with_marker(tell.body, tell.marker))

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
