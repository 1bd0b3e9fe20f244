"""The sandbox's container registry."""

from aiohttp import web

from bot.sandbox.hooks import Hooks
from bot.sandbox.oci.images import push_image
from bot.sandbox.oci.login import Login
from bot.sandbox.oci.server import OnPush, routes
from bot.sandbox.oci.storage import Refused, Storage
from bot.sandbox.packages import announce_image
from bot.sandbox.world import World

__all__ = ["Login", "OnPush", "Refused", "Storage", "plug", "push_image", "routes", "storage_of"]


def storage_of(world: World) -> Storage:
    """Where the registry of a sandbox keeps its content."""
    return Storage(world.directory / "registry")


def plug(world: World, hooks: Hooks) -> list[web.RouteDef]:
    """The registry of a sandbox, open to everybody, as routes for its server. Apps are told of what is pushed."""

    async def tell(repository: str, tag: str, digest: str) -> None:
        owner, _, name = repository.partition("/")
        if name and world.account(owner) is not None:
            await announce_image(world, hooks, owner, name, tag, digest)

    return routes(storage_of(world), on_push=tell)
