"""@octokit/rest with its App authentication, run by Node, goes from an App's key to a merged pull request."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.environment import required
from tests.sandbox.driver import GitHub

_PROJECT = Path(__file__).parents[2]
_PACKAGES = _PROJECT / ".tools" / "clients"
_FLOW = _PROJECT / "tests" / "clients" / "flow.mjs"


async def test_octokit_goes_from_token_to_merge(github: GitHub) -> None:
    node = shutil.which("node")
    required(node, "Node.js is not installed")
    required((_PACKAGES / "node_modules" / "@octokit" / "rest").exists(), "`make tools` brings @octokit/rest")
    await github.repo()
    arguments = (_FLOW, _PACKAGES, github.sandbox.url, str(github.keys.app_id), github.keys.private_key_path)
    program = await asyncio.create_subprocess_exec(
        str(node), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await program.communicate()
    assert program.returncode == 0, said.decode()
    assert github.sandbox.record.unserved == []
    events = await github.events()
    for event in ("pull_request.labeled", "check_run.completed", "issue_comment.edited", "pull_request.closed"):
        assert event in events
