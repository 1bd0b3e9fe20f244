"""What people do on the sandbox's GitLab, without its API; nobody has to sign in.

POST /sandbox/projects   {"path": "group/project", "files": {"a.yaml": "a: 1\\n"}, "members": {"writer": 30}}
POST /sandbox/tokens     {"username": "writer", "scopes": ["api"]}: {"token": …}
POST /sandbox/settings   {"path": …, "merge_method": "ff", "pipelines": {SHA: "running"}, …}: a project's, as in the API
POST /sandbox/obstacles  {"path": …, "iid": 1, "status": "not_approved"}: the detailed merge status, "" for none
POST /sandbox/merge      {"path": …, "iid": 1, "username": "maintainer"}
POST /sandbox/close      {"path": …, "iid": 1}
POST /sandbox/faults     {"status": 500, "times": 3}: the next calls of the API fail
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.gitlab import merging, payloads
from bot.sandbox.gitlab.desk import Faults
from bot.sandbox.gitlab.model import MergeRequest, Project, Role
from bot.sandbox.gitlab.world import GitLab, Unknown

_SETTINGS = (
    "merge_method",
    "squash_option",
    "only_allow_merge_if_pipeline_succeeds",
    "merge_trains_enabled",
    "remove_source_branch_after_merge",
    "several_people",
    "public",
    "pipelines",
)


def routes(world: GitLab, faults: Faults) -> list[web.RouteDef]:
    """The addresses above."""

    def project(data: Mapping[str, Any]) -> Project:
        return world.project(str(data["path"]))

    async def create(data: Mapping[str, Any]) -> Any:
        members = {name: Role(role) for name, role in data.get("members", {}).items()}
        return payloads.project(world, await world.create_project(str(data["path"]), data.get("files"), members))

    async def token(data: Mapping[str, Any]) -> Any:
        return {"token": world.token(str(data["username"]), *data.get("scopes", ()))}

    async def configure(data: Mapping[str, Any]) -> Any:
        for name in _SETTINGS:
            if name in data:
                setattr(project(data), name, data[name])
        return payloads.project(world, project(data))

    async def shown(request: MergeRequest) -> Any:
        return await payloads.merge_request(world, request)

    async def obstruct(data: Mapping[str, Any]) -> Any:
        request = world.request(project(data), int(data["iid"]))
        request.obstacle = str(data["status"])
        return await shown(request)

    async def merge(data: Mapping[str, Any]) -> Any:
        return await shown(await world.merge_as(str(data["username"]), project(data), int(data["iid"])))

    async def close(data: Mapping[str, Any]) -> Any:
        return await shown(await world.close(project(data), int(data["iid"])))

    async def fail(data: Mapping[str, Any]) -> Any:
        faults.fail(int(data["status"]), int(data.get("times", 1)))
        return {}

    acts: dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
        "projects": create,
        "tokens": token,
        "settings": configure,
        "obstacles": obstruct,
        "merge": merge,
        "close": close,
        "faults": fail,
    }
    return [web.post(f"/sandbox/{name}", _answering(act)) for name, act in acts.items()]


def _answering(act: Callable[[Mapping[str, Any]], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await act(await request.json()))
        except (KeyError, ValueError, TypeError, AttributeError, Unknown, merging.NotMergeable) as error:
            return web.json_response({"message": f"that can't be done: {error!r}"}, status=400)

    return handle
