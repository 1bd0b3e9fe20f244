"""What all webhooks go through once it is known whose they are: reading them, making them durable, answering."""

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from bot.server.events import Delivery

log = logging.getLogger(__name__)

Intake = Callable[[Delivery], Awaitable[None]]


def read_payload(content_type: str, body: bytes) -> Mapping[str, Any]:
    """The JSON object in a body, or in the field `payload` of a form. Raises ValueError, with what is wrong."""
    if content_type == "application/x-www-form-urlencoded":
        fields = parse_qs(body.decode("ascii"), strict_parsing=True).get("payload", [])
        if len(fields) != 1:
            raise ValueError("the form has not one field 'payload'")
        text: str | bytes = fields[0]
    else:
        text = body
    try:
        payload = json.loads(text)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(payload, dict):
        raise ValueError("not an object")
    return payload


async def take(intake: Intake, delivery: Delivery, *, nothing: int = 202) -> web.Response:
    """Make it durable, then say so; `nothing` is the status for what asks for nothing."""
    about = {"delivery": delivery.id, "event": delivery.event}
    if not delivery:
        log.debug("webhook asks for nothing", extra=about)
        return web.json_response({"message": "nothing to do"}, status=nothing)
    try:
        await intake(delivery)
    except Exception:  # the border: the sender records the failure, and can be asked to deliver again
        number = uuid.uuid4().hex[:12]
        log.exception("webhook could not be taken, id %s", number, extra=about)
        return web.json_response({"message": f"internal error {number}"}, status=500)
    log.info("webhook taken", extra=about)
    return web.json_response({"message": "accepted"}, status=202)


def refuse(status: int, reason: str, **headers: str) -> web.Response:
    log.info("webhook refused with %d: %s", status, reason)
    return web.json_response({"message": reason}, status=status, headers=headers)
