"""A GitLab that runs here, a project in it, and the forge that speaks to it over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.contracts import Http
from bot.contracts.forges import NewPull
from bot.contracts.git import Credential
from bot.core.egress import parse_rules
from bot.core.model import CommitSha
from bot.engine.http import OutboundHttp
from bot.gitlab.forge import GitLabForge
from bot.sandbox.gitlab import GitLabSandbox, Role, start
from bot.sandbox.gitlab.model import MergeRequest, Project

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PATH = "acme/apps/shop"
SOURCE = "promotion/test"


class StandingClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Lab:
    """The server, the project in it, and everything a story needs of both."""

    sandbox: GitLabSandbox
    project: Project
    http: OutboundHttp
    token: str
    asked: list[str] = field(default_factory=list)

    def forge(self, token: str | None = "", url: str = "", http: Http | None = None) -> GitLabForge:
        """With the Maintainer's token unless another is given; None: there is none."""

        async def credentials(url: str) -> Credential | None:
            self.asked.append(url)
            shown = self.token if token == "" else token
            return None if shown is None else Credential("oauth2", shown)

        return GitLabForge(http or self.http, url or f"{self.sandbox.url}/{PATH}.git", credentials, StandingClock())

    async def push(self, text: str = "a: 1\n", branch: str = SOURCE, path: str = "a.yaml") -> CommitSha:
        return CommitSha(await self.sandbox.world.commit(self.project, branch, {path: text}))

    def new(self, **changes: Any) -> NewPull:
        return NewPull(**{"source": SOURCE, "target": "main", "title": "Promote test", "body": "1.0.0", **changes})

    def request(self, iid: int = 1) -> MergeRequest:
        """As GitLab has it."""
        return self.project.requests[iid - 1]

    @property
    def writes(self) -> list[str]:
        """What the API was told to change, in order."""
        return [f"{method} {path}" for method, path in self.sandbox.faults.calls if method != "GET"]


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    async with OutboundHttp(rules=parse_rules("*, 127.0.0.0/8")) as opened:
        yield opened


@pytest.fixture
async def lab(tmp_path: Path, http: OutboundHttp) -> AsyncIterator[Lab]:
    sandbox = await start(tmp_path / "gitlab")
    members = {"towpath": Role.MAINTAINER, "writer": Role.DEVELOPER, "reporter": Role.REPORTER}
    project = await sandbox.world.create_project(PATH, {"README.md": "shop\n"}, members)
    made = Lab(sandbox, project, http, sandbox.world.token("towpath"))
    await made.push()
    yield made
    await sandbox.close()


@pytest.fixture
def words() -> Callable[[BaseException], str]:
    """Everything an exception and what caused it say."""

    def tell(error: BaseException) -> str:
        said, each = "", error
        while each is not None:
            said += f"{each!r} {each} {vars(each)}\n"
            each = each.__cause__ or each.__context__  # type: ignore[assignment]  # the loop ends at None
        return said

    return tell
