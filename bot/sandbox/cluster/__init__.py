"""The sandbox's cluster."""

from aiohttp import web

from bot.sandbox.cluster import argocd
from bot.sandbox.cluster.applications import Applications
from bot.sandbox.cluster.cluster import Cluster, Fault, Health, Rules, StageStatus
from bot.sandbox.cluster.server import routes
from bot.sandbox.cluster.source import Change, Source, WorldSource
from bot.sandbox.cluster.targets import WorldRepositories
from bot.sandbox.hooks import Hooks
from bot.sandbox.world import World

__all__ = ["Change", "Cluster", "Fault", "Health", "Rules", "Source", "StageStatus", "WorldSource", "plug", "routes"]


def plug(world: World, _hooks: Hooks) -> list[web.RouteDef]:
    """The cluster of a sandbox, following its repositories, and its Argo CD, as routes for its server."""
    cluster = Cluster(WorldSource(world), world.directory / "cluster.json", world.clock)
    applications = Applications(
        WorldRepositories(world), world.directory / "argocd.json", world.clock, lambda: cluster.rules
    )
    return [*argocd.routes(applications), *routes(cluster)]
