"""The sandbox as one HTTP server: GitHub's REST API, Git, the control API, and whatever else is plugged in."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.errors import UserError
from bot.sandbox import pushes
from bot.sandbox.control import Control
from bot.sandbox.delivery import Courier
from bot.sandbox.faults import Faults
from bot.sandbox.git.guard import install
from bot.sandbox.git.http import GitServer
from bot.sandbox.hooks import Hooks
from bot.sandbox.limits import Limits
from bot.sandbox.observers import Observer, Record
from bot.sandbox.plugs import PLUGS, Plug
from bot.sandbox.rest.areas import ROUTES
from bot.sandbox.rest.serve import Desk
from bot.sandbox.world import Clock, World, utc_now

HOST = "127.0.0.1"
_MAX_BODY = 100 * 1024 * 1024  # REST bodies; pushes are streamed and have no limit


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox. `url` has no final slash; REST is at `url/api/v3`."""

    url: str
    port: int
    world: World
    hooks: Hooks
    faults: Faults
    record: Record
    courier: Courier
    limits: Limits
    runner: web.AppRunner

    async def settle(self) -> None:
        """Wait until every webhook is delivered (or failed)."""
        await self.courier.settle()

    async def close(self) -> None:
        """Stop listening, stop delivering, close the state. A second start on the same directory goes on."""
        await self.runner.cleanup()
        await self.courier.close()
        await self.world.close()


async def start(
    directory: Path,
    port: int = 0,
    *,
    clock: Clock = utc_now,
    observers: Sequence[Observer] = (),
    plugs: Sequence[Plug] = PLUGS,
) -> Sandbox:
    """Serve the world kept in `directory` (made if missing) on 127.0.0.1; port 0 takes any free one.

    `plugs` give further routes, asked once with the world and the way into the outbox.
    Raises UserError if the port or the directory is in use.
    """
    directory = await asyncio.to_thread(_prepare, directory)
    listening = _listen(port)
    number: int = listening.getsockname()[1]
    url = f"http://{HOST}:{number}"
    try:
        world = World(directory, url, clock)
    except sqlite3.OperationalError as error:
        listening.close()
        raise UserError(f"{directory}: another sandbox uses this directory ({error})") from error
    record, faults, limits = Record(observers=list(observers)), Faults(), Limits()
    hooks, courier = Hooks(world, record), Courier(world, faults)
    control = Control(world, faults, courier, limits, record)
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[control.middleware()])
    app.add_routes(control.routes())
    app.add_routes(Desk(world, hooks, limits, record).bind(ROUTES))
    for plug in plugs:
        app.add_routes(plug(world, hooks))
    app.add_routes(GitServer(world, hooks).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await _catch_up(world, hooks)
    courier.start()
    await web.SockSite(runner, listening).start()
    return Sandbox(url, number, world, hooks, faults, record, courier, limits, runner)


def _prepare(directory: Path) -> Path:
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    install(directory / "hooks")
    return directory


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise UserError(f"port {port} of {HOST} is in use: {error.strerror}; choose another") from error


async def _catch_up(world: World, hooks: Hooks) -> None:
    """Tell of refs that moved in an earlier life that was killed before it could."""
    for repo in list(world.repos):
        async with world.change():
            await pushes.observe(world, hooks, repo, world.owner(repo))
