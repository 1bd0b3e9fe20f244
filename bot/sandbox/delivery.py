"""Carries the outbox to the Apps: in order for each App, signed, once, with the outcome kept.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from dataclasses import replace

import aiohttp

from bot.sandbox.faults import Faults, HookFault, HookFaultKind
from bot.sandbox.model.accounts import App
from bot.sandbox.model.hooks import Delivery, DeliveryState
from bot.sandbox.world import World

TIMEOUT = 10.0


class Courier:
    """The task that empties the outbox; `start` and `close` frame its life."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._faults = world, faults
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.Task[None] | None = None
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._held: dict[int, asyncio.Task[None]] = {}
        self._reordering: dict[int, Delivery] = {}
        self._progress = asyncio.Event()

    def start(self) -> None:
        """Begin, with what an earlier life left in the outbox."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        self._loop = asyncio.create_task(self._watch(), name="sandbox-courier")

    async def close(self) -> None:
        """Stop; what is not delivered stays in the outbox."""
        tasks = [task for task in (self._loop, *self._workers.values(), *self._held.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def settle(self) -> None:
        """Wait until nothing is on its way; what waits to be reordered goes out now."""
        while True:
            self._progress.clear()
            self._release(list(self._reordering.values()))
            if not self._world.deliveries.of(DeliveryState.PENDING):
                return
            await self._progress.wait()

    async def _watch(self) -> None:
        while True:
            self._world.committed.clear()
            for app_id in {row.app_id for row in self._waiting()}:
                if app_id not in self._workers:
                    task = asyncio.create_task(self._drain(app_id), name=f"sandbox-courier-{app_id}")
                    self._workers[app_id] = task
            await self._world.committed.wait()

    def _waiting(self, app_id: int | None = None) -> list[Delivery]:
        rows = self._world.deliveries.of(DeliveryState.PENDING)
        return [
            row
            for row in rows
            if app_id in (None, row.app_id) and row.id not in self._held and row.id not in self._reordering
        ]

    async def _drain(self, app_id: int) -> None:
        try:
            while waiting := self._waiting(app_id):
                fault = self._faults.take_hook(waiting[0].event)
                await (self._attempt(waiting[0]) if fault is None else self._disturb(waiting[0], fault))
                self._progress.set()
        finally:
            del self._workers[app_id]
            self._world.committed.set()  # something may have come between the last look and this line

    async def _disturb(self, delivery: Delivery, fault: HookFault) -> None:
        match fault.kind:
            case HookFaultKind.DROP:
                await self._keep(replace(delivery, state=DeliveryState.DROPPED, status="dropped by a fault"))
            case HookFaultKind.DUPLICATE:
                await self._post(self._world.apps[delivery.app_id], delivery)
                await self._attempt(delivery)
            case HookFaultKind.DELAY:
                self._hold([delivery], fault.seconds)
            case HookFaultKind.REORDER:
                if not self._reordering:
                    asyncio.get_running_loop().call_later(
                        fault.seconds, lambda: self._release(list(self._reordering.values()))
                    )
                self._reordering[delivery.id] = delivery
                if len(self._reordering) >= fault.size:
                    self._release(list(self._reordering.values()))

    def _release(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            self._reordering.pop(delivery.id, None)
        if deliveries:
            self._hold(deliveries[::-1], 0)

    def _hold(self, deliveries: list[Delivery], seconds: float) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            for delivery in deliveries:
                await self._attempt(delivery)
                self._held.pop(delivery.id, None)
                self._progress.set()

        task = asyncio.create_task(later(), name="sandbox-courier-held")
        self._held.update({delivery.id: task for delivery in deliveries})

    async def _attempt(self, delivery: Delivery) -> None:
        await self._keep(await self._post(self._world.apps[delivery.app_id], delivery))

    async def _keep(self, delivery: Delivery) -> None:
        async with self._world.change():
            self._world.deliveries.put(delivery)

    async def _post(self, app: App, delivery: Delivery) -> Delivery:
        """Send once; the record of how it went."""
        if self._session is None:
            raise RuntimeError("the courier was not started")
        body = delivery.payload.encode()
        headers = self._headers(app, delivery, body)
        began = time.monotonic()
        code, status, answer, answered = 0, "OK", "", {}
        try:
            async with self._session.post(app.webhook_url, data=body, headers=headers) as response:
                answer = (await response.content.read(65_536)).decode("utf-8", "replace")
                code, answered = response.status, dict(response.headers)
                status = "OK" if response.status < 400 else f"Invalid HTTP Response: {response.status}"
        except TimeoutError:
            status = "timed out"
        except (aiohttp.ClientError, OSError) as error:
            status = f"failed to connect to host: {type(error).__name__}"
        return replace(
            delivery,
            state=DeliveryState.DONE,
            status=status,
            status_code=code,
            delivered_at=self._world.clock(),
            duration=round(time.monotonic() - began, 3),
            request_headers=headers,
            response_headers=answered,
            response_body=answer,
        )

    def _headers(self, app: App, delivery: Delivery, body: bytes) -> dict[str, str]:
        secret = app.webhook_secret.encode()
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": f"GitHub-Hookshot/{app.id:07x}",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Enterprise-Host": self._world.url.partition("://")[2],
            "X-GitHub-Hook-ID": str(app.id),
            "X-GitHub-Hook-Installation-Target-ID": str(app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": f"sha1={hmac.new(secret, body, hashlib.sha1).hexdigest()}",
            "X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
        }
