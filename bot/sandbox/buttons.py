"""What GitHub offers people only on its pages, as an API: pressing a button on a check run.

POST /sandbox/repos/{owner}/{repo}/check-runs/{id}/actions/{identifier}, with a user's token, answers 204.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.access import visible
from bot.sandbox.auth import ActorKind, BadCredentials, authenticate
from bot.sandbox.checks import NoSuchAction, press
from bot.sandbox.hooks import Hooks
from bot.sandbox.world import World


def plug(world: World, hooks: Hooks) -> Sequence[web.RouteDef]:
    """The routes above."""
    path = "/sandbox/repos/{owner}/{repo}/check-runs/{id:[0-9]+}/actions/{identifier}"
    return [web.post(path, _Buttons(world, hooks).press)]


@dataclass(frozen=True, slots=True)
class _Buttons:
    world: World
    hooks: Hooks

    async def press(self, request: web.Request) -> web.Response:
        """Anybody who sees the run may press: GitHub leaves it to the App to ask what the sender may do."""
        world, part = self.world, request.match_info
        try:
            actor = authenticate(world, request.headers.get("Authorization"))
        except BadCredentials as error:
            return _refused(401, str(error))
        if actor.kind is not ActorKind.USER or actor.account is None:
            return _refused(401, "a person's token is needed")
        repo, run = world.repo(part["owner"], part["repo"]), world.check_runs.get(int(part["id"]))
        if repo is None or run is None or run.repo_id != repo.id or not visible(world, actor, repo):
            return _refused(404, "Not Found")
        try:
            async with world.change():
                press(world, self.hooks, run, part["identifier"], actor.account)
        except NoSuchAction as error:
            return _refused(404, str(error))
        return web.Response(status=204)


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
