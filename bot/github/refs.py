"""Where a branch or the tags of a repository are, by GitHub's API; by ETag that costs nothing where nothing moved.

https://docs.github.com/en/rest/git/refs
"""

from collections.abc import Mapping
from urllib.parse import quote

from bot.github import parse, routes
from bot.github.area import Area
from bot.github.client import Refused


class RefsByApi(Area):
    """Full names of refs, and the objects they lead to: an annotated tag leads to an object of its own, as Git lists
    it."""

    async def branch(self, name: str) -> Mapping[str, str]:
        """Nothing where there is no such branch. Raises Retry or Refused."""
        try:
            return dict([parse.read(_ref, await self._get(routes.GET_REF, ref=quote(f"heads/{name}")))])
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return {}

    async def tags(self) -> Mapping[str, str]:
        """One page of them, which is all where there are at most thirty. Raises Retry or Refused."""
        return dict(parse.read(_ref, one) for one in await self._get(routes.LIST_REFS, ref="tags"))


def _ref(data: parse.Json) -> tuple[str, str]:
    return str(data["ref"]), str(data["object"]["sha"])
