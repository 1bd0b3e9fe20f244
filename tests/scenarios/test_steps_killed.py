"""kill -9 between what a step did and what comes next: it is not done twice, and what comes next is done."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.engine.running.under_way import BRANCH
from bot.sandbox.observers import Exchange, Webhook
from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO
from tests.scenarios.serving import Served, serving, settings_file
from tests.scenarios.test_killed import BOT, until
from tests.scenarios.test_steps_state import ANNOUNCE, PROPOSE, RENDER, Gate, forget, gate, pipeline

__all__ = ["gate"]  # the fixture

PUSH = "          - {uses: git-push, as: push, config: {path: ./src, targetBranch: main}}\n"


@dataclass(slots=True)
class Reaper:
    """Kills the process the moment the bot has done one thing."""

    pushes_to: str = ""
    calls: str = ""  # method and the end of the path
    process: Served | None = None

    def exchange(self, exchange: Exchange) -> None:
        method, _, end = self.calls.partition(" ")
        if self.calls and exchange.account == BOT and exchange.method == method and exchange.path.endswith(end):
            self._kill()

    def webhook(self, webhook: Webhook) -> None:
        ours = webhook.event == "push" and webhook.payload["sender"]["login"] == BOT
        # The first push to the branch makes it; the second says what was done.
        if ours and webhook.payload["ref"] == f"refs/heads/{self.pushes_to}" and not webhook.payload["created"]:
            self._kill()

    def _kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("steps", "reaper"),
    [
        pytest.param(ANNOUNCE + RENDER + PROPOSE, Reaper(pushes_to=BRANCH), id="as it is noted that it was sent"),
        pytest.param(ANNOUNCE + RENDER + PROPOSE, Reaper(calls="POST /pulls"), id="as the pull request is opened"),
        pytest.param(RENDER + PROPOSE + ANNOUNCE, Reaper(calls="PATCH /pulls/1"), id="as it is noted after the merge"),
        pytest.param(RENDER + PUSH + ANNOUNCE, Reaper(pushes_to="main"), id="as it is pushed directly"),
    ],
)
@pytest.mark.timeout(300)
async def test_what_was_sent_once_is_sent_once(
    github: GitHub, tmp_path: Path, gate: Gate, steps: str, reaper: Reaper
) -> None:
    owner = github.user("owner")
    await github.repo("shop")
    for path, text in pipeline(steps, gate).items():
        await github.file(REPO, path, text.replace("ADDRESS", github.sandbox.url.removeprefix("http://")))
    env, data = settings_file(github, tmp_path)
    (await owner.call("POST", f"{github.sandbox.url}/cluster/config", {"delaySeconds": 0})).ok()
    github.sandbox.record.observers.append(reaper)
    await asyncio.to_thread(push_image, storage_of(github.sandbox.world), "acme/service", "1.0.0")

    async def verified() -> bool:
        landed = (await owner.get(f"{REPO}/commits/main/check-runs?filter=all")).ok()["check_runs"]
        return any(run["name"] == "verification/test" and run["conclusion"] == "success" for run in landed)

    async with serving(env, tmp_path / "bot.log") as process:
        reaper.process = process
        await until("it is killed", dead(process))
        assert process.returncode == -signal.SIGKILL
    reaper.process = None
    forget(data)
    async with serving(env, tmp_path / "bot.log"):
        await until("it is verified after all", verified)
        assert len(gate.announced) == 1
        pulls = (await owner.get(f"{REPO}/pulls?state=all")).ok()
        assert len(pulls) == (0 if PUSH in steps else 1)


def dead(process: Served) -> Callable[[], Any]:
    async def look() -> bool:
        return process.returncode is not None

    return look
