"""The sandbox's own API under `/sandbox/…`, for tests and benchmarks: faults, logs, settling. No sign-in.

POST /sandbox/faults      {"kind": "http", "method": ".*", "path": "/pulls", "times": 1, "status": 502,
                           "headers": {}, "body": {}, "seconds": 0, "after": false}
                          {"kind": "secondary_rate_limit", "path": ".*", "times": 1, "retry_after": 60}
                          {"kind": "drop"|"duplicate"|"reorder"|"delay", "event": ".*", "times": 1, "seconds": 1}
DELETE /sandbox/faults    nothing goes wrong any more
POST /sandbox/settle      answers when every webhook is delivered
POST /sandbox/rate_limit  {"limit": 5000}: the primary limit of every caller, counted anew
POST /sandbox/runs        {"conclusion": "success"}: every workflow that was dispatched and runs ends so
GET /sandbox/calls, /sandbox/unserved, /sandbox/deliveries
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.sandbox.delivery import Courier
from bot.sandbox.faults import Faults, HookFault, HookFaultKind, HttpFault, secondary_limit
from bot.sandbox.limits import Limits
from bot.sandbox.observers import Exchange, Record
from bot.sandbox.payloads.values import stamp_or_none
from bot.sandbox.rest.actions import finish
from bot.sandbox.rest.serve import PREFIX
from bot.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Control:
    """Serves `/sandbox/…` and makes HTTP faults happen."""

    world: World
    faults: Faults
    courier: Courier
    limits: Limits
    record: Record

    def routes(self) -> list[web.RouteDef]:
        """The addresses above."""
        return [
            web.post("/sandbox/faults", self._add_fault),
            web.delete("/sandbox/faults", self._clear_faults),
            web.post("/sandbox/settle", self._settle),
            web.post("/sandbox/rate_limit", self._rate_limit),
            web.post("/sandbox/runs", self._end_runs),
            web.get("/sandbox/calls", self._calls),
            web.get("/sandbox/unserved", self._unserved),
            web.get("/sandbox/deliveries", self._deliveries),
        ]

    def middleware(self) -> Middleware:
        """Lets the next request that a fault matches fail; the control API itself never does."""

        @web.middleware
        async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/sandbox/"):
                return await handler(request)
            fault = self.faults.take_http(request.method, request.path)
            if fault is None:
                return await handler(request)
            if fault.seconds:
                await asyncio.sleep(fault.seconds)
            if fault.until is not None:
                await fault.until.wait()
            if fault.status is None:
                return await handler(request)
            if fault.after:
                await handler(request)
            return self._injected(request, fault, fault.status)

        return disturb

    def _injected(self, request: web.Request, fault: HttpFault, status: int) -> web.Response:
        body = fault.body if fault.body is not None else {"message": f"Injected {status}"}
        path = request.rel_url.raw_path.removeprefix(PREFIX)
        self.record.exchange(
            Exchange(request.method, path, request.query_string, None, status, body, "-", 0.0, injected=True)
        )
        return web.json_response(body, status=status, headers=dict(fault.headers))

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            self._plan(await request.json())
        except (KeyError, ValueError, TypeError, AttributeError, re.error) as error:
            return web.json_response({"message": f"not a fault: {error!r}"}, status=400)
        return web.json_response({}, status=201)

    def _plan(self, wish: dict[str, Any]) -> None:
        kind, times = wish["kind"], int(wish.get("times", 1))
        method, path = str(wish.get("method", ".*")), str(wish.get("path", ".*"))
        if kind == "secondary_rate_limit":
            self.faults.http.append(secondary_limit(method, path, times, int(wish.get("retry_after", 60))))
        elif kind == "http":
            status = wish.get("status")
            self.faults.http.append(
                HttpFault(
                    re.compile(method),
                    re.compile(path),
                    times,
                    None if status is None else int(status),
                    {str(key): str(value) for key, value in wish.get("headers", {}).items()},
                    wish.get("body"),
                    float(wish.get("seconds", 0)),
                    bool(wish.get("after", False)),
                )
            )
        else:
            event, seconds = re.compile(str(wish.get("event", ".*"))), float(wish.get("seconds", 1))
            self.faults.hooks.append(HookFault(HookFaultKind(kind), event, times, seconds, size=times))

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response({})

    async def _settle(self, _: web.Request) -> web.Response:
        await self.courier.settle()
        return web.json_response({})

    async def _rate_limit(self, request: web.Request) -> web.Response:
        self.limits.limit = int((await request.json())["limit"])
        self.limits.counts.clear()
        return web.json_response({})

    async def _end_runs(self, request: web.Request) -> web.Response:
        conclusion = str((await request.json())["conclusion"])
        async with self.world.change():
            return web.json_response({"ended": finish(self.world, conclusion)})

    async def _calls(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(call) for call in self.record.calls])

    async def _unserved(self, _: web.Request) -> web.Response:
        return web.json_response(self.record.unserved)

    async def _deliveries(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "id": row.id,
                    "guid": row.guid,
                    "event": row.event,
                    "action": row.action,
                    "state": str(row.state),
                    "status": row.status,
                    "status_code": row.status_code,
                    "redelivery": row.redelivery,
                    "delivered_at": stamp_or_none(row.delivered_at),
                    "payload": json.loads(row.payload),
                }
                for row in self.world.deliveries
            ]
        )
