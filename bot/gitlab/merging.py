"""Merging one merge request, at once or by the project's merge train.

https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.contracts import NotMergeable
from bot.core.model import CommitSha
from bot.gitlab import parse
from bot.gitlab.client import Client, Refused
from bot.gitlab.parse import MergeRequest, Project

# GitLab's ways to say that it can't be merged now; 406 is that of servers before 15.6.
_NOT_NOW = frozenset({405, 406, 409, 422})
_NOT_ON_A_TRAIN_NOW = _NOT_NOW | {400}
_ON_ITS_WAY = frozenset({"idle", "fresh", "stale", "merging"})


@dataclass(frozen=True, slots=True)
class Merging:
    """A wish to merge exactly this head."""

    client: Client
    project: Project
    number: int
    head: CommitSha
    squash: bool = False

    async def merge(self, found: MergeRequest, again: Callable[[], Awaitable[MergeRequest]]) -> CommitSha | None:
        """`found` is how it is now, `again` reads that anew. None: it is on its way. Raises NotMergeable, Refused."""
        if found.merging or not found.pull.open:
            return self._settled(found, "")
        try:
            return await (self._board() if self.project.trains else self._merge_now())
        except Refused as refusal:
            if refusal.status not in (_NOT_ON_A_TRAIN_NOW if self.project.trains else _NOT_NOW):
                raise
            return self._settled(await again(), refusal.message)

    async def _merge_now(self) -> CommitSha | None:
        path = f"/projects/{self.project.id}/merge_requests/{self.number}/merge"
        request = parse.read(parse.merge_request, await self.client.send("PUT", path, self._wish()))
        return request.pull.merge_sha

    async def _board(self) -> None:
        """https://docs.gitlab.com/api/merge_trains/"""
        path = f"/projects/{self.project.id}/merge_trains/merge_requests/{self.number}"
        try:
            if parse.read(parse.carriage, await self.client.get(path)) in _ON_ITS_WAY:
                return
        except Refused as refusal:
            if refusal.status != 404:  # it is on no train
                raise
        await self.client.send("POST", path, self._wish())

    def _wish(self) -> dict[str, Any]:
        return {"sha": self.head, "squash": True} if self.squash else {"sha": self.head}

    def _settled(self, found: MergeRequest, said: str) -> CommitSha | None:
        """What has come of it without us, or why it can't be merged."""
        pull = found.pull
        if pull.head_sha != self.head:
            raise NotMergeable(f"!{self.number} is at {pull.head_sha[:8] or 'nothing'} now, not at {self.head[:8]}")
        if pull.merged:
            return pull.merge_sha
        if found.merging:
            return None
        if not pull.open:
            raise NotMergeable(f"!{self.number} is closed")
        raise NotMergeable(f"!{self.number} can't be merged: {pull.hindrance or f'GitLab says {said}'}")
