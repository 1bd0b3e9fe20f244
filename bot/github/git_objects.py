"""Commits made by GitHub itself (`bot.contracts.github_areas.GitObjects`)."""

from collections.abc import Sequence

from bot.core.model import CommitSha
from bot.errors import UserError
from bot.github import parse, routes
from bot.github.area import Area
from bot.github.client import Refused


class GitObjects(Area):
    async def write_commit(self, message: str, tree: str, parents: Sequence[CommitSha]) -> CommitSha:
        """Without author, committer and signature, so that GitHub signs it.

        https://docs.github.com/en/rest/git/commits#create-a-commit
        """
        request = {"message": message, "tree": tree, "parents": list(parents)}
        try:
            return parse.read(_commit, await self._send(routes.CREATE_COMMIT, request))
        except Refused as refusal:
            if refusal.status not in (403, 409, 422):
                raise
            raise UserError(f"GitHub did not make the commit: {refusal}") from refusal


def _commit(data: parse.Json) -> CommitSha:
    return CommitSha(data["sha"])
