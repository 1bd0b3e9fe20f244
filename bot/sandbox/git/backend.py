"""`git http-backend`, which answers for one repository. https://git-scm.com/docs/git-http-backend"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from bot.sandbox.git.process import environment


async def backend(
    request: web.Request, repository: Path, tail: str, extra: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start it for a request; `tail` is the path within the repository, `extra` are variables that its hooks see."""
    variables = {
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}/{tail}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "sandbox",
        "REMOTE_ADDR": "127.0.0.1",
    }  # no HTTP_CONTENT_ENCODING: aiohttp has unpacked the body already
    return await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=environment(repository) | variables | dict(extra),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
