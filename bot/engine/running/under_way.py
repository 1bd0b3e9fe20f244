"""Promotions that wait, or have done what must not be done twice, before they have a pull request.

What is known of them is on a branch of its own in the pipeline's repository, `promotion-steps`: one file for each
stage, with the same signed block as in a pull request's body. A check run would be bound to one commit, and so lost
once the default branch moves on.
"""

from datetime import timedelta

from bot.contracts import PushRejected
from bot.core import record
from bot.core.model import CommitSha, StageName
from bot.core.record import Kind, Record
from bot.engine.ports import Ports, Site
from bot.engine.running.stage_files import put_file
from bot.errors import UserError

BRANCH = "promotion-steps"
_NONE, _SOME = "none", "some"
_BELIEVED = timedelta(days=1)  # that there is no such branch; nobody but us makes it
_TEXT = (
    "Where promotion {promotion} into `{stage}` stands.\n\n"
    "Towpath writes this file while a promotion waits that has no pull request yet. Do not edit it.\n\n{block}\n"
)


class UnderWay:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def read(self, site: Site, stage: StageName) -> Record | None:
        """What is known of the stage's promotion; None also where it can't be believed. Costs nothing as a rule."""
        if await self._ports.work.recall(_known(site)) == _NONE:
            return None
        url = self._ports.url(site.repository)
        tip = (await site.git.refs(url)).heads.get(BRANCH)
        if tip is None:
            await self._ports.work.remember(_known(site), _NONE, _BELIEVED)
            return None
        return await self.at(site, tip, stage)

    async def at(self, site: Site, tip: CommitSha, stage: StageName) -> Record | None:
        """What the branch says of the stage where it is at `tip`."""
        text = await site.git.read(self._ports.url(site.repository), tip, _file(stage))
        if text is None:
            return None
        body = text.decode("utf-8", "replace")
        return record.unseal(body, self._ports.signing_key, site.repository, stage, Kind.UNDER_WAY)

    async def write(self, site: Site, told: Record) -> None:
        """Raises UserError where the branch can't be written."""
        block = record.seal(told, self._ports.signing_key, Kind.UNDER_WAY, site.secrets.mask)
        text = _TEXT.format(promotion=told.promotion, stage=told.stage, block=block)
        await self._change(site, told.stage, text, f"Note how far {told.promotion} is")

    async def drop(self, site: Site, stage: StageName) -> None:
        await self._change(site, stage, None, f"Forget the promotion into {stage}")

    async def _change(self, site: Site, stage: StageName, text: str | None, message: str) -> None:
        await self._ports.work.remember(_known(site), _SOME, _BELIEVED)
        try:
            await put_file(self._ports, site, BRANCH, _file(stage), lambda _: text, message)
        except PushRejected as error:
            raise UserError(
                f"What the steps have done can't be kept on the branch `{BRANCH}`, so they don't go on: {error}"
            ) from error


def _known(site: Site) -> str:
    """Where the work store keeps whether there is such a branch."""
    return f"under-way/{site.repository}"


def _file(stage: StageName) -> str:
    return f"{stage}.md"
