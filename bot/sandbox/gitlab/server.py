"""The sandbox's GitLab as one HTTP server: API, Git, and what people do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.errors import UserError
from bot.sandbox.gitlab import api, control
from bot.sandbox.gitlab.desk import Faults
from bot.sandbox.gitlab.git import GitDoor
from bot.sandbox.gitlab.world import Clock, GitLab, utc_now

HOST = "127.0.0.1"
_MAX_BODY = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GitLabSandbox:
    """A running GitLab. `url` has no final slash; a project's repository is at `url/GROUP/PROJECT.git`."""

    url: str
    world: GitLab
    faults: Faults
    runner: web.AppRunner

    async def close(self) -> None:
        await self.runner.cleanup()


async def start(directory: Path, port: int = 0, clock: Clock = utc_now) -> GitLabSandbox:
    """Serve a new, empty GitLab on 127.0.0.1; port 0 takes any free one. Raises UserError if the port is in use."""
    world, faults = GitLab(directory, clock), Faults()
    app = web.Application(client_max_size=_MAX_BODY)
    app.add_routes(api.routes(world, faults))
    app.add_routes(control.routes(world, faults))
    app.add_routes(GitDoor(world).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise UserError(f"port {port} of {HOST} is in use: {error.strerror}; choose another") from error
    world.url = f"http://{HOST}:{runner.addresses[0][1]}"
    return GitLabSandbox(world.url, world, faults, runner)
