"""The sandbox for tests: one key for all of them, one fresh world for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.driver import GitHub, new_key, running_github


@pytest.fixture(scope="session")
def app_key() -> str:
    """The App's private key."""
    return new_key()


@pytest.fixture
async def github(tmp_path: Path, app_key: str) -> AsyncIterator[GitHub]:
    """A fresh world, served."""
    async with running_github(tmp_path / "sandbox", app_key) as github:
        yield github
