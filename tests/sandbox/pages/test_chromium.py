"""The pages in a real browser, without a window."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.sandbox.driver import GitHub
from tests.sandbox.pages.site import Reader

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def chromium() -> str:
    """The browser. Skips where there is none; with CI=true that fails."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":  # noqa: TID251  # tests have no settings
            pytest.fail("not installed: chromium")
        pytest.skip("not installed: chromium")
    return found


async def browse(chromium: str, profile: Path, url: str, *options: str) -> bytes:
    """Open an address in a browser that was never used before; what it prints."""
    process = await asyncio.create_subprocess_exec(
        chromium, *_FLAGS, f"--user-data-dir={profile}", *options, url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return out


async def test_a_browser_shows_the_list_and_the_pull_request(
    chromium: str, tmp_path: Path, github: GitHub, story: str
) -> None:
    pulls = f"{github.sandbox.url}/acme/service-cicd/pulls?state=all"
    page = Reader((await browse(chromium, tmp_path / "one", pulls, "--dump-dom")).decode())

    assert "<script>alert(1)</script>" in page.words
    assert "Promote service 1.1.0 to test" in page.words
    assert "promotion stage/test #3 opened" in page.words

    address = f"{github.sandbox.url}/acme/service-cicd/pull/3"
    page = Reader((await browse(chromium, tmp_path / "two", address, "--dump-dom")).decode())

    assert "Promote service 1.1.0 to test #3" in page.words
    assert "promotion/test service 1.1.0 may enter test" in page.words
    assert "Ready to be merged" in page.words
    assert {"Comment", "Merge pull request"} <= {words for form in page.forms for words in form.buttons}
    tables = [attributes.get("class", "") for tag, attributes in page.tags if tag == "table"]
    assert tables.count("lines") == 3  # and nothing of the page was swallowed on the way there
    assert "script" not in {tag for tag, _ in page.tags}


async def test_a_browser_can_take_a_picture(chromium: str, tmp_path: Path, github: GitHub, story: str) -> None:
    picture = tmp_path / "pull.png"
    address = f"{github.sandbox.url}/acme/service-cicd/pull/3"
    await browse(chromium, tmp_path / "one", address, "--window-size=1280,900", f"--screenshot={picture}")

    content = picture.read_bytes()
    assert content.startswith(_PNG)
    assert len(content) > 20_000  # an empty page of this size is far smaller
