"""Webhook deliveries, as an App may look at its own."""

from __future__ import annotations

import json

from bot.sandbox.model.accounts import App
from bot.sandbox.model.hooks import Delivery
from bot.sandbox.payloads.values import JsonObject, stamp


def delivery_item(row: Delivery) -> JsonObject:
    """`hook-delivery-item`."""
    return {
        "id": row.id,
        "guid": row.guid,
        "delivered_at": stamp(row.delivered_at or row.created_at),
        "redelivery": row.redelivery,
        "duration": row.duration,
        "status": row.status,
        "status_code": row.status_code,
        "event": row.event,
        "action": row.action,
        "installation_id": row.installation_id,
        "repository_id": row.repo_id,
        "throttled_at": None,
    }


def delivery_payload(app: App, row: Delivery) -> JsonObject:
    """`hook-delivery`: with what was sent and answered."""
    item = {name: value for name, value in delivery_item(row).items() if name != "throttled_at"}
    return item | {
        "url": app.webhook_url,
        "request": {"headers": dict(row.request_headers or {}), "payload": json.loads(row.payload)},
        "response": {"headers": dict(row.response_headers or {}), "payload": row.response_body},
    }
