"""What the parts of GitHub's API about one repository have in common."""

from typing import Any

from bot.core.model import RepositoryName
from bot.github import parse
from bot.github.client import Client
from bot.github.routes import Route


class Area:
    """Calls whose addresses begin with one repository. All raise Retry, and Refused where nothing else is said."""

    def __init__(self, client: Client, name: RepositoryName) -> None:
        self._client = client
        self._name = name
        self._path = parse.owner_and_repo(name)

    async def _get(self, route: Route, **values: Any) -> Any:
        return await self._client.call(route, **self._path, **values)

    async def _send(self, route: Route, data: Any, **values: Any) -> Any:
        return await self._client.call(route, data, **self._path, **values)

    async def _pages(self, route: Route, key: str = "", **values: Any) -> list[Any]:
        return await self._client.pages(route, key, **self._path, **values)
