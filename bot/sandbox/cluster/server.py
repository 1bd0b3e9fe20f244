"""The cluster over HTTP: each stage answers as the version deployed there would, and can be told to misbehave.

GET  /cluster                     the rules, and which versions are bad
GET  /cluster/STAGE               desired and synced revision, version, images, health
GET  /cluster/STAGE/test          {"message": "Hello Audience!", "version", "stage", "revision"}
GET  /cluster/STAGE/version       {"version", "stage", "revision"}
POST /cluster/bad                 {"version": "1.1.0", "how": "message" or "error"}: that version misbehaves
DELETE /cluster/bad               no version does; with ?version=1.1.0: that one does not
POST /cluster/config              {"delaySeconds": 0, "repository": "acme/gitops", "path": "out/stages/{stage}/x.yaml"}
A stage where nothing runs yet answers 503.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from bot.sandbox.cluster.cluster import Cluster, Fault, StageStatus

GREETING = "Hello Audience!"
WRONG_GREETING = "Hello ...?"


def routes(cluster: Cluster) -> list[web.RouteDef]:
    """The addresses above."""
    return _Server(cluster).routes()


@dataclass(frozen=True, slots=True)
class _Server:
    """The handlers."""

    cluster: Cluster

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/cluster", self._overview),
            web.post("/cluster/bad", self._spoil),
            web.delete("/cluster/bad", self._mend),
            web.post("/cluster/config", self._configure),
            web.get("/cluster/{stage}", self._status),
            web.get("/cluster/{stage}/test", self._test),
            web.get("/cluster/{stage}/version", self._version),
        ]

    # --- what the deployed version would answer -----------------------------------------------------

    async def _test(self, request: web.Request) -> web.Response:
        status = await self._running(request)
        if status.fault is Fault.ERROR:
            return web.json_response({"error": "Something went wrong", **_about(status)}, status=500)
        message = WRONG_GREETING if status.fault else GREETING
        return web.json_response({"message": message, **_about(status)})

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response(_about(await self._running(request)))

    async def _running(self, request: web.Request) -> StageStatus:
        stage = request.match_info["stage"]
        status = await self.cluster.status(stage)
        if status is None or not status.running.images:
            raise web.HTTPServiceUnavailable(
                text=json.dumps({"message": f"Nothing runs in stage {stage} yet"}), content_type="application/json"
            )
        return status

    # --- what the cluster says of it ----------------------------------------------------------------

    async def _status(self, request: web.Request) -> web.Response:
        stage = request.match_info["stage"]
        status = await self.cluster.status(stage)
        if status is None:
            return web.json_response({"message": f"No repository holds manifests of stage {stage}"}, status=503)
        return web.json_response(
            {
                "stage": stage,
                "repository": status.repository,
                "desiredRevision": status.desired,
                "syncedRevision": status.synced or None,
                "version": status.running.version or None,
                "images": list(status.running.images),
                "health": status.health,
                "problem": status.problem or None,
            }
        )

    async def _overview(self, _request: web.Request) -> web.Response:
        rules = self.cluster.rules
        return web.json_response(
            {
                "delaySeconds": rules.delay.total_seconds(),
                "repository": rules.repository or None,
                "path": rules.path,
                "bad": dict(rules.bad),
            }
        )

    # --- control ------------------------------------------------------------------------------------

    async def _spoil(self, request: web.Request) -> web.Response:
        data = await _body(request)
        version, how = data.get("version"), data.get("how", Fault.MESSAGE)
        if not isinstance(version, str) or not version or how not in list(Fault):
            raise _bad_request('send {"version": "1.1.0"}, and "how": "message" or "error" if you like')
        await self.cluster.spoil(version, Fault(how))
        return await self._overview(request)

    async def _mend(self, request: web.Request) -> web.Response:
        version = request.query.get("version")
        if version is None:
            await self.cluster.change(replace(self.cluster.rules, bad={}))
        else:
            await self.cluster.spoil(version, None)
        return await self._overview(request)

    async def _configure(self, request: web.Request) -> web.Response:
        data, rules = await _body(request), self.cluster.rules
        seconds = data.get("delaySeconds", rules.delay.total_seconds())
        repository, path = data.get("repository", rules.repository) or "", data.get("path", rules.path)
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= 86_400:
            raise _bad_request("delaySeconds is a number from 0 to 86400")
        if not isinstance(repository, str) or repository.count("/") != (1 if repository else 0):
            raise _bad_request("repository is OWNER/NAME, or null for whichever holds the stage")
        if not isinstance(path, str) or "{stage}" not in path:
            raise _bad_request("path is a text with {stage} in it")
        await self.cluster.change(replace(rules, delay=timedelta(seconds=seconds), repository=repository, path=path))
        return await self._overview(request)


def _about(status: StageStatus) -> dict[str, str]:
    return {"version": status.running.version, "stage": status.stage, "revision": status.synced}


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        data = await request.json()
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise _bad_request("send a JSON object")
    return data


def _bad_request(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"message": message}), content_type="application/json")
