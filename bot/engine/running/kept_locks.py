"""Locks of stages that bring nothing into the pipeline's own repository, and so leave none there themselves.

They push or propose elsewhere, or only tell Argo CD or some other service. Once their steps have come to their end,
Towpath writes the lock to a branch of its own, `promotion-stages`. It is signed, as nobody's merge stands for what it
says, and that for its one place in the branch's history: a `git revert` there takes nothing back, and means nothing.
"""

from dataclasses import replace

from bot.contracts import PushRejected
from bot.core import lock
from bot.core.lock import Lock
from bot.core.model import CommitSha
from bot.core.snapshot import StageFacts
from bot.engine.history import Histories
from bot.engine.ports import Ports, Site
from bot.engine.running.stage_files import put_file
from bot.errors import UserError

BRANCH = "promotion-stages"


class KeptLocks:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def write(self, site: Site, held: Lock, message: str) -> CommitSha | None:
        """Where it landed; None where it has been there already. Raises UserError where the branch can't be written."""
        text = lock.write(held)

        def sealed(parent: CommitSha) -> str:
            return lock.seal(text, self._ports.signing_key, site.repository, parent)

        try:
            return await put_file(self._ports, site, BRANCH, lock.path(held.stage), sealed, message)
        except ValueError as error:
            raise UserError(f"The lock of `{held.stage}` can't be kept: {error}. Set less metadata.") from error
        except PushRejected as error:
            raise UserError(
                f"The lock of `{held.stage}` can't be kept on the branch `{BRANCH}`, so it is not known what the stage "
                f"holds now: {error}"
            ) from error

    async def of(self, site: Site, histories: Histories, tip: CommitSha | None, facts: StageFacts) -> StageFacts:
        """What is known of a stage, with what Towpath keeps of it where its branch is at `tip`. Raises UserError."""
        if tip is None:
            return facts

        def genuine(content: bytes, parent: CommitSha) -> bool:
            return lock.is_sealed(content, self._ports.signing_key, site.repository, parent)

        url = self._ports.url(site.repository)
        kept = await histories.kept(site.git, url, tip, facts.stage.name, genuine)
        if kept.problem and not facts.landings:
            raise UserError(f"On the branch `{BRANCH}` {kept.problem}.")
        if not kept.landings:
            return facts
        # A stage may have been brought into the repository before, or may be now: what came last is what it holds.
        together = sorted((*kept.landings, *facts.landings), key=lambda one: one.at, reverse=True)
        return replace(facts, landings=tuple(together))
