"""What a promotion would change, read from Git: files as they are on the branch it is for, and as they were pushed."""

import asyncio

from bot.contracts import Git
from bot.core import lock
from bot.core.changes import Changes, compare, masking_key

_MOST_FILES = 4_000  # read on each side; nobody looks through more, and the pull request itself shows them all


async def changes_between(git: Git, url: str, target: str, head: str, signing_key: bytes) -> Changes:
    """From `target` to `head`, locks apart. Raises Retry and UserError as Git does."""
    differing = await git.changed_paths(url, target, head)
    paths = sorted(path for path in differing if not lock.is_lock(path))[:_MOST_FILES]
    before = await git.read_files(url, target, paths)
    after = await git.read_files(url, head, paths)
    return await asyncio.to_thread(compare, before, after, masking_key(signing_key))
