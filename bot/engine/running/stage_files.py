"""A branch of Towpath's own in the pipeline's repository, with one file for each stage.

A branch is found by the listing of refs that every look begins with, outlives the work store, and costs no call to
GitHub's API. It shares no history with the others, so that no workflow runs for it and nobody can propose it. There is
none until it is needed.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot.contracts.git import BranchMoved
from bot.core.model import CommitSha
from bot.engine.ports import Ports, Site
from bot.engine.running.workdir import workdir

_ATTEMPTS = 5


async def put_file(
    ports: Ports, site: Site, branch: str, path: str, text: Callable[[CommitSha], str | None], message: str
) -> CommitSha | None:
    """Commit a file's new text, None to remove it; gives None where nothing changes.

    `text` is told the commit it comes after: where the branch moves meanwhile, it is asked once more. Raises
    PushRejected where the branch can't be written.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(BranchMoved):
            return await _put_once(ports, site, branch, path, text, message)
    return await _put_once(ports, site, branch, path, text, message)


async def _put_once(
    ports: Ports, site: Site, branch: str, path: str, text: Callable[[CommitSha], str | None], message: str
) -> CommitSha | None:
    url = ports.url(site.repository)
    async with workdir(ports.workdirs) as folder:
        await site.git.refs(url)
        worktree = folder / "branch"
        tip = await site.git.checkout(url, worktree, branch=branch, create=True)
        await asyncio.to_thread(_put, worktree / path, text(tip))
        if await site.git.commit(worktree, message, author=site.identity) is None:
            return None
        return (await site.git.push(worktree, branch, expect=tip, force=True)).commit


def _put(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
