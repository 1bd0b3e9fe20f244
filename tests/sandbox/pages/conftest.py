"""A browser on a sandbox in which the story has been told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.sandbox.driver import GitHub
from tests.sandbox.pages.site import Site
from tests.sandbox.pages.story import tell


@pytest.fixture
async def site(github: GitHub) -> AsyncIterator[Site]:
    """A browser on the world that `story` has told, or on an empty one."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Site(github.sandbox.url, session)


@pytest.fixture
async def story(github: GitHub) -> str:
    """The repository's path in the API."""
    return await tell(github)
