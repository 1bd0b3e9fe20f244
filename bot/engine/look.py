"""One look at a repository: gather, decide, apply, until there is nothing left to do.

Level-triggered: a look doesn't know what woke it. When it ends, the world is as the configuration wants it, or there
is a time to look again, or somebody has to do something.
"""

import logging
from datetime import datetime

from bot.core.actions import GoOn, Measure, Merge, Plan, Promote
from bot.core.model import RepositoryName
from bot.core.plan import plan
from bot.engine.executor import Executor
from bot.engine.ports import Ports, Site
from bot.engine.snapshot import Gatherer
from bot.errors import Broken, UserError

log = logging.getLogger(__name__)
_MOST_ROUNDS = 25  # a plan that never ends is a defect of ours, and is said so instead of looping


class Looker:
    def __init__(self, ports: Ports, gatherer: Gatherer, executor: Executor) -> None:
        self._ports = ports
        self._gatherer = gatherer
        self._executor = executor

    async def look(self, repository: RepositoryName) -> datetime | None:
        """Returns when to look again at the latest. None: when something happens."""
        site = await self._ports.hub.site(repository)
        try:
            return None if site is None else await self.settle(site)
        except UserError as error:  # what keeps the whole repository from being looked at, such as the App's removal
            log.warning("looking ended: %s", error, extra={"repository": repository})
            return None

    async def settle(self, site: Site) -> datetime | None:
        """Rounds of gather, decide, apply. A round in which nothing could be done yet ends the look."""
        again = None
        for number in range(_MOST_ROUNDS):
            snapshot = await self._gatherer.gather(site, self._ports.clock.now())
            if snapshot is None:
                return None
            decided = plan(snapshot, self._ports.clock.now())
            if number and any(isinstance(action, Promote | Merge | GoOn) for action in decided.actions):
                # Decided by what is there at that moment: the steps of the rounds before may have taken their time.
                snapshot = await self._gatherer.gather(site, self._ports.clock.now(), anew=True)
                if snapshot is None:
                    return None
                decided = plan(snapshot, self._ports.clock.now())
            again = self._ports.clock.now() if _only_measures(decided) else None
            waits = [decided.look_again]
            done = False
            for action in decided.actions:
                log.info("applying", extra={"repository": site.repository, "action": type(action).__name__})
                wait = await self._executor.apply(site, snapshot, action)
                waits.append(wait)
                done = done or wait is None
            if not done:
                return min((time for time in waits if time), default=None)
        if again is not None:
            return again
        raise Broken(f"the plan for {site.repository} did not come to an end in {_MOST_ROUNDS} rounds")


def _only_measures(decided: Plan) -> bool:
    """Metrics may be measured every few milliseconds, and then there is always something to do."""
    return all(isinstance(action, Measure) for action in decided.actions)
