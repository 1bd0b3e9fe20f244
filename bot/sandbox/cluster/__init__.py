"""The sandbox's cluster."""

from aiohttp import web

from bot.sandbox.cluster.cluster import Cluster, Fault, Health, Rules, StageStatus
from bot.sandbox.cluster.server import routes
from bot.sandbox.cluster.source import Change, Source, WorldSource
from bot.sandbox.hooks import Hooks
from bot.sandbox.world import World

__all__ = ["Change", "Cluster", "Fault", "Health", "Rules", "Source", "StageStatus", "WorldSource", "plug", "routes"]


def plug(world: World, _hooks: Hooks) -> list[web.RouteDef]:
    """The cluster of a sandbox, following its repositories, as routes for its server."""
    return routes(Cluster(WorldSource(world), world.directory / "cluster.json", world.clock))
