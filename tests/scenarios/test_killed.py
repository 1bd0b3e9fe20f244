"""kill -9 after every single thing Towpath does on the way, then a restart: the world ends the same.

Every write the sandbox takes from the bot is a moment to die at; so is every push. Once with the work store kept, once
with it deleted between death and restart.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.observers import Exchange, Webhook
from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PATIENCE, PIPELINE, REPO
from tests.scenarios.serving import Served, serving, settings_file

BOT = "towpath[bot]"


@dataclass(slots=True)
class Reaper:
    """Kills the process after its n-th effect on the world."""

    process: Served | None = None
    left: int = -1
    seen: int = 0

    def exchange(self, exchange: Exchange) -> None:
        if exchange.account == BOT and exchange.method != "GET" and "access_tokens" not in exchange.path:
            self.change()

    def webhook(self, webhook: Webhook) -> None:
        if webhook.event == "push" and webhook.payload["sender"]["login"] == BOT:
            self.change()

    def change(self) -> None:
        self.seen += 1
        self.left -= 1
        if self.left == 0 and self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)


async def until(what: str, look: Callable[[], Any]) -> Any:
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                seen = await look()
                if seen:
                    return seen
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"in vain: {what}")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("store", ["kept", "deleted"])
async def test_a_killed_bot_leaves_one_of_each(github: GitHub, tmp_path: Path, store: str) -> None:
    owner = github.user("owner")
    address = github.sandbox.url.removeprefix("http://")
    await github.repo("shop")
    for path, text in {**CHART, ".promotion.yaml": PIPELINE}.items():
        await github.file(REPO, path, text.replace("ADDRESS", address))
    env, data = settings_file(github, tmp_path)
    (await owner.call("POST", f"{github.sandbox.url}/cluster/config", {"delaySeconds": 0})).ok()
    reaper = Reaper()
    github.sandbox.record.observers.append(reaper)

    async def verified(version: str) -> list[dict[str, Any]]:
        """The version's pull requests, once one of them says that it is verified."""
        pulls = (await owner.get(f"{REPO}/pulls?state=all&head=acme:promotion/test&per_page=100")).ok()
        mine = [pull for pull in pulls if pull["title"].endswith(version)]
        last = {"promotion", "stage/test", "promotion/verified"}  # the earlier state's label goes after this one came
        return mine if any({x["name"] for x in pull["labels"]} == last for pull in mine) else []

    killed, told = 0, []
    while True:
        version = f"1.{len(told)}.0"
        told.append(version)
        await asyncio.to_thread(push_image, storage_of(github.sandbox.world), "acme/service", version)
        async with serving(env, tmp_path / "bot.log") as process:
            reaper.process, reaper.seen, reaper.left = process, 0, killed + 1

            async def dead_or_done(process: Served = process, version: str = version) -> bool:
                return process.returncode is not None or bool(await verified(version))

            await until(f"{version}, or death after effect {killed + 1}", dead_or_done)
            if process.returncode is None:
                break  # it came to its end before it could die: every moment has been tried
            assert process.returncode == -signal.SIGKILL
        killed += 1
        if store == "deleted":
            for file in data.glob("towpath.db*"):
                file.unlink()
        reaper.process = None
        async with serving(env, tmp_path / "bot.log"):
            await until(f"{version}, killed after effect {killed}", lambda version=version: verified(version))
    assert killed >= 8, "a promotion has more effects than that: is the reaper blind?"

    for version in told:
        await one_of_each(github, version, await verified(version))


async def one_of_each(github: GitHub, version: str, pulls: list[dict[str, Any]]) -> None:
    """One pull request, one comment, one check run of each name, and no label but the last."""
    owner = github.user("owner")
    (pull,) = pulls
    assert pull["merged_at"], version
    comments = (await owner.get(f"{REPO}/issues/{pull['number']}/comments")).ok()
    assert len(comments) == 1, f"{version}: {[c['body'] for c in comments]}"
    assert f"service {version} is verified in `test`" in comments[0]["body"]
    for sha, name in ((pull["head"]["sha"], "promotion/test"), (pull["merge_commit_sha"], "verification/test")):
        runs = (await owner.get(f"{REPO}/commits/{sha}/check-runs?filter=all")).ok()["check_runs"]
        assert [(run["name"], run["conclusion"]) for run in runs] == [(name, "success")], version
    assert {one["name"] for one in pull["labels"]} == {"promotion", "stage/test", "promotion/verified"}
