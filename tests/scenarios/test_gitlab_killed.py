"""kill -9 after every single thing Towpath does for a stage on GitLab, then a restart: the world ends the same."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.sandbox.gitlab import Role
from bot.sandbox.gitlab import start as start_gitlab
from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO
from tests.scenarios.serving import Served, serving, settings_file
from tests.scenarios.test_gitlab import APPS, HEAD, MERGES, STAGES
from tests.scenarios.test_killed import Reaper, until
from tests.scenarios.test_steps_state import forget

KEPT = f"{REPO}/contents/.promotion/test.lock?ref=promotion-stages"


@pytest.mark.timeout(400)
async def test_wherever_it_is_killed_each_version_is_proposed_and_landed_once(github: GitHub, tmp_path: Path) -> None:
    owner = github.user("owner")
    address = github.sandbox.url.removeprefix("http://")
    gitlab = await start_gitlab(tmp_path / "gitlab")
    try:
        project = await gitlab.world.create_project("platform/apps", APPS, {"towpath": Role.MAINTAINER})
        login = gitlab.url.replace("http://", f"http://oauth2:{gitlab.world.token('towpath')}@")
        await github.repo("shop")
        pipeline = HEAD + STAGES.replace("GITLAB", gitlab.url).replace("ENDING", MERGES)
        await github.file(REPO, ".promotion.yaml", pipeline.replace("ADDRESS", address))
        secrets = json.dumps({"acme/shop": {"git": {".git-credentials": login}}})
        env, data = settings_file(github, tmp_path, f"SECRETS='{secrets}'\n")
        reaper = Reaper()
        github.sandbox.record.observers.append(reaper)
        gitlab.world.observers.append(lambda method, path: reaper.change())

        async def landed(version: str) -> bool:
            """Whether the stage holds it, and that is judged."""
            answer = await owner.get(KEPT, Accept="application/vnd.github.raw+json")
            if answer.status == 404:
                return False
            text: Any = answer.ok()
            if yaml.safe_load(text)["freight"][0]["images"][0]["tag"] != version:
                return False
            tip = (await owner.get(f"{REPO}/commits/promotion-stages/check-runs")).ok()["check_runs"]
            return any(run["conclusion"] == "success" for run in tip)

        killed, told = 0, []
        while True:
            version = f"1.{len(told)}.0"
            told.append(version)
            await asyncio.to_thread(push_image, storage_of(github.sandbox.world), "acme/service", version)
            async with serving(env, tmp_path / "bot.log") as process:
                reaper.process, reaper.seen, reaper.left = process, 0, killed + 1

                async def dead_or_done(process: Served = process, version: str = version) -> bool:
                    return process.returncode is not None or await landed(version)

                await until(f"{version}, or death after effect {killed + 1}", dead_or_done)
                if process.returncode is None:
                    break  # it came to its end before it could die: every moment has been tried
                assert process.returncode == -signal.SIGKILL
            killed += 1
            forget(data)
            reaper.process = None
            async with serving(env, tmp_path / "bot.log"):
                await until(f"{version}, killed after effect {killed}", lambda version=version: landed(version))
        assert killed >= 6, "a promotion has more effects than that: is the reaper blind?"

        assert [request.title for request in project.requests] == [f"Deploy {version}" for version in told]
        assert all(request.squash_commit_sha for request in project.requests)
        commits = (await owner.get(f"{REPO}/commits?sha=promotion-stages&path=.promotion/test.lock&per_page=100")).ok()
        assert len(commits) == len(told)
    finally:
        await gitlab.close()
