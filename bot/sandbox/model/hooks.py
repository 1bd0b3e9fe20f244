"""Webhook deliveries: the outbox and its history in one record, an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where an attempt stands."""

    PENDING = "pending"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver one event to one App.

    `payload` is the JSON text as signed and sent. A redelivery is a new attempt with the same `guid`.
    `status_code` 0 means that nobody answered; `status` then says why.
    """

    id: int
    guid: str
    app_id: int
    installation_id: int
    repo_id: int | None
    event: str
    action: str | None
    payload: str
    created_at: datetime
    redelivery: bool = False
    state: DeliveryState = DeliveryState.PENDING
    status: str = ""
    status_code: int = 0
    delivered_at: datetime | None = None
    duration: float = 0.0
    request_headers: Mapping[str, str] | None = None
    response_headers: Mapping[str, str] | None = None
    response_body: str = ""
