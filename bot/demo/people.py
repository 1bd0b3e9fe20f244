"""The people of the story: accounts that look, comment and merge over GitHub's API, as a person would by mouse."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")
_GLANCE = 0.1  # seconds between two looks at the page


class NotAsTold(Exception):
    """The story took another turn; the text says where."""


@dataclass(frozen=True, slots=True)
class Person:
    """One account and what it sees of one repository."""

    session: aiohttp.ClientSession
    api: str
    repository: str
    login: str
    token: str

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call below the repository. Raises NotAsTold when GitHub refuses it."""
        url = f"{self.api}/repos/{self.repository}{path}"
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"}
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            data = await answer.json() if answer.content_type == "application/json" else None
            if answer.status >= 400:
                raise NotAsTold(f"{method} {path} was answered with {answer.status}: {data}")
            return data

    async def comment(self, number: int, text: str) -> int:
        made = await self.ask("POST", f"/issues/{number}/comments", {"body": text})
        return int(made["id"])

    async def open_issue(self, title: str, text: str) -> int:
        return int((await self.ask("POST", "/issues", {"title": title, "body": text}))["number"])

    async def merge(self, number: int, head: str) -> None:
        await self.ask("PUT", f"/pulls/{number}/merge", {"sha": head, "merge_method": "merge"})

    async def pulls(self, stage: str, state: str = "all") -> list[dict[str, Any]]:
        owner = self.repository.partition("/")[0]
        found: list[dict[str, Any]] = await self.ask(
            "GET", f"/pulls?head={owner}:promotion/{stage}&state={state}&per_page=100"
        )
        return found

    async def checks(self, sha: str) -> dict[str, dict[str, Any]]:
        found = await self.ask("GET", f"/commits/{sha}/check-runs?per_page=100")
        return {run["name"]: run for run in found["check_runs"]}

    async def answers(self, number: int) -> list[dict[str, Any]]:
        """What Towpath has said on an issue or pull request."""
        found = await self.ask("GET", f"/issues/{number}/comments?per_page=100")
        return [one for one in found if one["user"]["type"] == "Bot"]

    async def file(self, path: str) -> str:
        """A file of the default branch, as plain text."""
        url = f"{self.api}/repos/{self.repository}/contents/{path}"
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github.raw+json"}
        async with self.session.get(url, headers=headers) as answer:
            return await answer.text() if answer.status == 200 else ""


async def until(what: str, look: Callable[[], Awaitable[T | None]], within: float = 60.0) -> T:
    """Look again and again until there is something to see. Raises NotAsTold when it does not come."""
    try:
        async with asyncio.timeout(within):
            while True:
                seen = await look()
                if seen is not None:
                    return seen
                await asyncio.sleep(_GLANCE)
    except TimeoutError as error:
        raise NotAsTold(f"waited {within:.0f} s for this in vain: {what}") from error
