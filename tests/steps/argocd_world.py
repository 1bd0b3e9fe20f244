"""An Argo CD to run steps against: the sandbox's, over HTTP, on the remote that the steps' promotion works on."""

import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts.metrics import Http, HttpAnswer
from bot.contracts.steps import StepResult, StepStatus
from bot.errors import UserError
from bot.sandbox.cluster import Rules
from bot.sandbox.cluster.applications import Applications
from bot.sandbox.cluster.argocd import TOKEN, routes
from bot.steps import BY_NAME
from tests.steps.conftest import NOW, Remote, Run

AUTHORIZED = {"kargo.akuity.io/authorized-stage": "acme/config:uat"}


@dataclass
class MovingClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class OneRepository:
    """The remote, as Argo CD reads it; every other address leads nowhere."""

    remote: Remote

    async def resolve(self, url: str, revision: str) -> str | None:
        if url != self.remote.url:
            return None
        try:
            return self.remote.git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", bare=True)
        except subprocess.CalledProcessError:
            return None

    async def files(self, url: str, sha: str, folder: str) -> Mapping[str, bytes]:
        where = f"{sha}:{folder}"
        if not self.remote.git("ls-tree", sha, folder, bare=True):
            return {}
        names = self.remote.git("ls-tree", "--name-only", where, bare=True).splitlines()
        kinds = self.remote.git("ls-tree", where, bare=True).splitlines()
        blobs = [name for name, line in zip(names, kinds, strict=True) if " blob " in line]
        return {name: self.remote.git("show", f"{where}/{name}", bare=True).encode() for name in blobs}

    async def read(self, url: str, sha: str, path: str) -> bytes | None:
        return self.remote.git("show", f"{sha}:{path}", bare=True).encode()


@dataclass
class RealHttp:
    """The `Http` port without rules, which remembers what was asked. `gone`: nobody answers any more."""

    session: aiohttp.ClientSession
    asked: list[tuple[str, str]] = field(default_factory=list)
    gone: bool = False

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        timeout_seconds: float = 10.0,
        insecure: bool = False,
    ) -> HttpAnswer:
        self.asked.append((method, url.partition("/api/v1/applications")[2]))
        if self.gone:
            raise UserError(f"{method} http://127.0.0.1: can't connect: connection refused")
        async with self.session.request(method, url, headers=dict(headers), data=body) as answer:
            return HttpAnswer(answer.status, answer.headers, await answer.read())


@dataclass
class World:
    """Argo CD, a promotion whose steps ask it, and the time, which only a test moves."""

    run: Run
    remote: Remote
    applications: Applications
    clock: MovingClock
    http: RealHttp
    rules: Rules = field(default_factory=lambda: Rules(delay=timedelta(seconds=20)))

    async def app(self, name: str = "service-uat", **more: Any) -> None:
        """An Application of this name; `more` is said over what most have."""
        metadata = {"name": name, "annotations": AUTHORIZED, **more.get("metadata", {})}
        source = {"repoURL": self.remote.url, "path": "out/stages/uat", "targetRevision": "main"}
        spec = {"project": "default", "source": {**source, **more.get("source", {})}, **more.get("spec", {})}
        await self.applications.put(metadata, spec, more.get("sync_fails", ""))

    async def shown(self, name: str = "service-uat") -> dict[str, Any]:
        app = self.applications.get(name, "")
        assert app is not None
        return await self.applications.shown(app)

    async def step(self, uses: str, config: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> StepResult:
        """One run of a step, as the engine does it."""
        context = replace(self.run.context, previous=previous or {})
        return await BY_NAME[uses].run(context, config)

    async def to_the_end(self, uses: str, config: Mapping[str, Any], result: StepResult) -> StepResult:
        """Run it again whenever it asks to be, until it has ended."""
        while result.status is StepStatus.RUNNING:
            assert result.retry_at is not None
            self.clock.moment = result.retry_at
            assert self.clock.now() < NOW + timedelta(minutes=10), result.message
            result = await self.step(uses, config, result.output)
        return result

    def syncs(self, name: str = "service-uat") -> int:
        return self.http.asked.count(("POST", f"/{name}/sync"))


@asynccontextmanager
async def argocd_world(run: Run, remote: Remote, folder: Path) -> AsyncIterator[World]:
    clock = MovingClock()
    worlds: list[World] = []
    applications = Applications(OneRepository(remote), folder / "argocd.json", clock.now, lambda: worlds[0].rules)
    served = web.Application()
    served.add_routes(routes(applications))
    async with TestServer(served) as server, aiohttp.ClientSession() as session:
        http = RealHttp(session)
        run.secrets.values = {("argocd", "server"): f"{server.make_url('/argocd')}/", ("argocd", "token"): TOKEN}
        run.context = replace(run.context, clock=clock, http=cast(Http, http))
        worlds.append(World(run, remote, applications, clock, http))
        yield worlds[0]
