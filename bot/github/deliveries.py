"""Webhooks that did not reach us: GitHub keeps them for three days, but sends them again only when asked.

https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import Retry
from bot.github import parse, routes
from bot.github.client import Client, Refused
from bot.github.limits import Pace

log = logging.getLogger(__name__)

KEPT = timedelta(days=3)
_READ = 2_000
_SENT_AGAIN = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver a webhook. All attempts for one event share the `guid`."""

    id: int
    guid: str
    at: datetime
    arrived: bool
    event: str


def attempt(data: parse.Json) -> Attempt:
    return Attempt(
        id=int(data["id"]),
        guid=str(data["guid"]),
        at=parse.moment(data["delivered_at"]),
        arrived=200 <= int(data["status_code"]) < 400,
        event=str(data.get("event") or ""),
    )


async def redeliver_failed(client: Client, pace: Pace, *, since: datetime, now: datetime) -> int:
    """Ask once for every webhook since then of which no attempt arrived, oldest first; how many were asked for.

    Bounded, because what is left out costs no more than a tick. Raises Retry or Refused.
    """
    since = max(since, now - KEPT)
    arrived: set[str] = set()
    failed: dict[str, Attempt] = {}
    for data in await client.pages(routes.LIST_DELIVERIES, enough=lambda read: _goes_back_to(since, read)):
        one = parse.read(attempt, data)
        if one.arrived:
            arrived.add(one.guid)
        elif one.at >= since:
            failed.setdefault(one.guid, one)
    missing = sorted((one for one in failed.values() if one.guid not in arrived), key=lambda one: one.at)
    if len(missing) > _SENT_AGAIN:
        log.warning("%d webhooks did not arrive; only the newest %d are asked for again", len(missing), _SENT_AGAIN)
    asked = 0
    for one in missing[-_SENT_AGAIN:]:
        asked += await _redeliver(client, pace, one)
    return asked


def _goes_back_to(since: datetime, read: list[parse.Json]) -> bool:
    """The list is newest first."""
    return len(read) >= _READ or (bool(read) and parse.read(attempt, read[-1]).at < since)


async def _redeliver(client: Client, pace: Pace, one: Attempt) -> bool:
    await pace.turn()
    try:
        await client.call(routes.REDELIVER, delivery_id=one.id)
    except Refused as refusal:  # this one can't be sent again; the others may
        log.warning("webhook %s (%s) can't be sent again: %s", one.guid, one.event, refusal)
        return False
    except Retry as trouble:
        log.warning("webhook %s (%s) was not sent again: %s", one.guid, one.event, trouble)
        raise
    log.info("webhook %s (%s) of %s did not arrive; GitHub was asked to send it again", one.guid, one.event, one.at)
    return True
