"""An App's webhook: where it goes, what was delivered, and once more, please.

https://docs.github.com/en/rest/apps/webhooks
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from bot.sandbox.access import Needs, Who
from bot.sandbox.model.accounts import App
from bot.sandbox.model.hooks import Delivery, DeliveryState
from bot.sandbox.payloads.deliveries import delivery_item, delivery_payload
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, invalid, not_found

# https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks
_KEPT = timedelta(days=3)
_APP = Needs(Who.APP)


async def get_config(call: Call) -> Reply:
    """GET /app/hook/config"""
    return Reply(_config(_app(call)))


async def update_config(call: Call) -> Reply:
    """PATCH /app/hook/config: `url` and `secret`."""
    app, body = _app(call), call.body
    url = body.text("url") or app.webhook_url
    if not url.startswith(("http://", "https://")):
        raise invalid("Hook", "url", value=url)
    app = call.world.apps.put(replace(app, webhook_url=url, webhook_secret=body.text("secret") or app.webhook_secret))
    return Reply(_config(app))


async def list_deliveries(call: Call) -> Reply:
    """GET /app/hook/deliveries: attempts of the last days, newest first, from `cursor` on."""
    status, cursor = call.query.get("status"), call.query.get("cursor")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
        raise ApiError(400, "Invalid cursor")
    rows = [
        row
        for row in _deliveries(call)
        if (cursor is None or row.id < int(cursor)) and (status is None or (status == "success") == _succeeded(row))
    ][::-1]
    first = replace(call, query={**call.query, "page": "1"}).page(rows)  # only `cursor` turns these pages
    headers = {}
    if first.total > len(first.items):
        query = urlencode({**call.query, "cursor": str(first.items[-1].id)})
        headers["Link"] = f'<{call.world.api}{call.path}?{query}>; rel="next"'
    return Reply([delivery_item(row) for row in first.items], headers=headers)


async def get_delivery(call: Call) -> Reply:
    """GET /app/hook/deliveries/{delivery_id}"""
    return Reply(delivery_payload(_app(call), _delivery(call)))


async def redeliver(call: Call) -> Reply:
    """POST /app/hook/deliveries/{delivery_id}/attempts: the same GUID and payload, as a new attempt."""
    call.hooks.redeliver(_delivery(call))
    return Reply({}, 202)


def _app(call: Call) -> App:
    if call.actor.app is None:
        raise not_found()
    return call.actor.app


def _config(app: App) -> JsonObject:
    return {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": app.webhook_url}


def _deliveries(call: Call) -> list[Delivery]:
    """What was attempted, oldest first, and is not too old to be known."""
    app, oldest = _app(call), call.world.now() - _KEPT
    return [
        row
        for row in call.world.deliveries
        if row.app_id == app.id and row.state is not DeliveryState.PENDING and row.created_at >= oldest
    ]


def _delivery(call: Call) -> Delivery:
    number = call.number("delivery_id")
    for row in _deliveries(call):
        if row.id == number:
            return row
    raise not_found()


def _succeeded(row: Delivery) -> bool:
    return 200 <= row.status_code < 400


_AT = "/app/hook"

ROUTES = (
    Route("GET", _AT + "/config", get_config, _APP),
    Route("PATCH", _AT + "/config", update_config, _APP),
    Route("GET", _AT + "/deliveries", list_deliveries, _APP),
    Route("GET", _AT + "/deliveries/{delivery_id}", get_delivery, _APP),
    Route("POST", _AT + "/deliveries/{delivery_id}/attempts", redeliver, _APP),
)
