"""A sandbox whose webhooks reach the bot, and a scene in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.sandbox.driver import GitHub, new_key, running_github
from tests.scenarios.scene import CHART, PIPELINE, Scene, scene


@pytest.fixture(scope="session")
def app_key() -> str:
    return new_key()


@pytest.fixture
async def github(tmp_path: Path, app_key: str) -> AsyncIterator[GitHub]:
    async with running_github(tmp_path / "sandbox", app_key, f"http://127.0.0.1:{free_port()}/webhook") as github:
        yield github


@pytest.fixture
async def shop(github: GitHub, tmp_path: Path) -> AsyncIterator[Scene]:
    """test goes and merges by itself; uat and prod go by command, and people merge."""
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": PIPELINE}) as made:
        yield made
