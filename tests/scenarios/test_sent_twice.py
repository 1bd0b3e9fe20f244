"""kill -9 between a request and its answer: it is sent once more, and the service can know it again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, REPO
from tests.scenarios.serving import Served, serving, settings_file
from tests.scenarios.test_killed import until
from tests.scenarios.test_steps_killed import dead
from tests.scenarios.test_steps_state import HEAD, PROPOSE, RENDER, forget

ANNOUNCE = """\
          - uses: http
            config:
              method: POST
              url: URL/announce
              headers: [{name: Idempotency-Key, value: "${{ ctx.stage }}-${{ ctx.targetFreight.name }}"}]
"""


@dataclass
class Service:
    """It kills its first caller before it answers."""

    url: str = ""
    caller: Served | None = None
    keys: list[str] = field(default_factory=list)

    async def announce(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if len(self.keys) == 1 and self.caller is not None:
            os.kill(self.caller.pid, signal.SIGKILL)
        return web.Response()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    app = web.Application()
    app.router.add_post("/announce", made.announce)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


async def test_a_request_whose_answer_never_came_is_sent_again_under_the_same_key(
    github: GitHub, tmp_path: Path, service: Service
) -> None:
    owner = github.user("owner")
    await github.repo("shop")
    steps = ANNOUNCE.replace("URL", service.url) + RENDER + PROPOSE
    stage = "stages:\n  test:\n    from: service\n    auto: true\n    promotionTemplate:\n      spec:\n        steps:\n"
    address = github.sandbox.url.removeprefix("http://")
    for path, text in {**CHART, ".promotion.yaml": HEAD + stage + steps}.items():
        await github.file(REPO, path, text.replace("ADDRESS", address))
    env, data = settings_file(github, tmp_path)
    await asyncio.to_thread(push_image, storage_of(github.sandbox.world), "acme/service", "1.0.0")

    async def proposed() -> bool:
        return bool((await owner.get(f"{REPO}/pulls")).ok())

    async with serving(env, tmp_path / "bot.log") as process:
        service.caller = process
        await until("it is killed", dead(process))
    forget(data)
    async with serving(env, tmp_path / "bot.log"):
        await until("it is proposed after all", proposed)
    assert len(service.keys) == 2
    assert len(set(service.keys)) == 1
    assert service.keys[0].startswith("test-")
