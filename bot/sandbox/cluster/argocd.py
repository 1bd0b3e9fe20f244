"""Argo CD's REST API over the sandbox's cluster, as far as Towpath and people's scripts use it.

GET    /argocd/api/v1/applications?selector=&appNamespace=   {"items": [Application]}
GET    /argocd/api/v1/applications/NAME?appNamespace=        with &refresh=normal or hard: compared with Git anew
PATCH  /argocd/api/v1/applications/NAME                      {"patch": "{\\"spec\\": …}", "patchType": "merge"}
PUT    /argocd/api/v1/applications/NAME/spec                 a whole spec
POST   /argocd/api/v1/applications/NAME/sync                 {"infos": [{"name", "value"}]}
All want `Authorization: Bearer sandbox-argocd-token`. Control, without sign-in:
GET    /cluster/apps       all Applications
POST   /cluster/apps       an Application's `metadata` and `spec`; "syncFails": "why" lets its operations fail

What one runs is not what the stage of /cluster/STAGE runs: each follows Git by itself. Bad versions are bad in both.
Shapes and codes: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.cluster.applications import App, Applications, Busy
from bot.sandbox.cluster.targets import selected

TOKEN = "sandbox-argocd-token"  # noqa: S105 -- it opens nothing but a sandbox
ACCOUNT = "towpath"
_PREFIX = "/argocd/api/v1/applications"
Handler = Callable[[web.Request], Awaitable[web.Response]]


def routes(applications: Applications) -> list[web.RouteDef]:
    """The addresses above."""
    return _Server(applications).routes()


class _Problem(Exception):
    """A gRPC status and what is said of it: https://grpc.io/docs/guides/status-codes/"""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class _Server:
    """The handlers."""

    applications: Applications

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/cluster/apps", self._all),
            web.post("/cluster/apps", self._guarded(self._put, signed=False)),
            web.get(_PREFIX, self._guarded(self._list)),
            web.get(f"{_PREFIX}/{{name}}", self._guarded(self._get)),
            web.patch(f"{_PREFIX}/{{name}}", self._guarded(self._patch)),
            web.put(f"{_PREFIX}/{{name}}/spec", self._guarded(self._put_spec)),
            web.post(f"{_PREFIX}/{{name}}/sync", self._guarded(self._sync)),
        ]

    def _guarded(self, handler: Handler, *, signed: bool = True) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                if signed and request.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise _Problem(401, 16, "no session information")
                return await handler(request)
            except _Problem as problem:
                said = {"error": problem.message, "code": problem.code, "message": problem.message}
                return web.json_response(said, status=problem.status)

        return handle

    def _found(self, request: web.Request, body: Mapping[str, Any] | None = None) -> App:
        """Without a project Argo CD does not tell what is missing from what is forbidden."""
        namespace = request.query.get("appNamespace") or (body or {}).get("appNamespace") or ""
        app = self.applications.get(request.match_info["name"], namespace)
        if app is None:
            raise _Problem(403, 7, "permission denied")
        return app

    # --- Argo CD's ------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        namespace, selector = request.query.get("appNamespace"), request.query.get("selector", "")
        try:
            found = [
                app
                for app in self.applications.all()
                if namespace in {None, "", app.metadata["namespace"]}
                and selected(app.metadata.get("labels") or {}, selector)
            ]
        except ValueError as error:
            raise _Problem(400, 3, f"error parsing the selector: {error}") from error
        return web.json_response({"metadata": {}, "items": [await self.applications.shown(app) for app in found]})

    async def _get(self, request: web.Request) -> web.Response:
        app = self._found(request)
        if "refresh" in request.query:
            await self.applications.refresh(app)
        return web.json_response(await self.applications.shown(app))

    async def _patch(self, request: web.Request) -> web.Response:
        body = await _body(request)
        app = self._found(request, body)
        if body.get("patchType") != "merge":
            raise _Problem(400, 3, f"Patch type '{body.get('patchType')}' is not supported by the sandbox")
        try:
            patch = json.loads(body.get("patch") or "")
        except ValueError as error:
            raise _Problem(400, 3, f"error calculating merge patch: {error}") from error
        changed = _merged({"metadata": app.metadata, "spec": app.spec}, patch)
        await self.applications.change(app, changed["metadata"], changed["spec"])
        return web.json_response(await self.applications.shown(app))

    async def _put_spec(self, request: web.Request) -> web.Response:
        app = self._found(request)
        await self.applications.change(app, {}, await _body(request))
        return web.json_response(app.spec)

    async def _sync(self, request: web.Request) -> web.Response:
        body = await _body(request)
        app = self._found(request, body)
        try:
            operation = {"initiatedBy": {"username": ACCOUNT}, "info": body.get("infos") or [], "sync": {}}
            await self.applications.sync(app, operation)
        except Busy as error:
            raise _Problem(400, 9, "another operation is already in progress") from error
        except ValueError as error:
            raise _Problem(400, 9, str(error)) from error
        return web.json_response(await self.applications.shown(app))

    # --- control --------------------------------------------------------------------------------------

    async def _all(self, _request: web.Request) -> web.Response:
        return web.json_response([await self.applications.shown(app) for app in self.applications.all()])

    async def _put(self, request: web.Request) -> web.Response:
        body = await _body(request)
        metadata, spec = body.get("metadata"), body.get("spec")
        if not isinstance(metadata, dict) or not metadata.get("name") or not isinstance(spec, dict):
            raise _Problem(400, 3, "send an Application: its metadata, with a name, and its spec")
        if not spec.get("source") and not spec.get("sources"):
            raise _Problem(400, 3, "the spec wants a source")
        app = await self.applications.put(metadata, spec, str(body.get("syncFails", "")))
        return web.json_response(await self.applications.shown(app), status=201)


def _merged(target: Any, patch: Any) -> Any:
    """https://www.rfc-editor.org/rfc/rfc7386#section-2"""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        data = await request.json()
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise _Problem(400, 3, "send a JSON object")
    return data
