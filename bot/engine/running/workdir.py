"""The folder that one run of steps works in."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def workdir(parent: Path) -> AsyncIterator[Path]:
    """A folder for one run; gone with it, whatever happens. What a kill leaves is swept at the next start."""
    path = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="promotion-", dir=parent))
    try:
        yield path
    finally:
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
