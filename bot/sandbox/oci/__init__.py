"""The sandbox's container registry."""

from aiohttp import web

from bot.sandbox.hooks import Hooks
from bot.sandbox.oci.images import push_image
from bot.sandbox.oci.login import Login
from bot.sandbox.oci.server import OnPush, routes
from bot.sandbox.oci.storage import Refused, Storage
from bot.sandbox.world import World

__all__ = ["Login", "OnPush", "Refused", "Storage", "plug", "push_image", "routes", "storage_of"]


def storage_of(world: World) -> Storage:
    """Where the registry of a sandbox keeps its content."""
    return Storage(world.directory / "registry")


def plug(world: World, _hooks: Hooks) -> list[web.RouteDef]:
    """The registry of a sandbox, open to everybody, as routes for its server."""
    return routes(storage_of(world))
