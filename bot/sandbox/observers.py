"""What the sandbox lets others see: every exchange and every webhook, in a log and through observers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Exchange:
    """One REST call and its answer.

    `path` is without `/api/v3` and still percent-encoded; bodies are JSON values, None for none.
    `content_type` is the answer's: only if it is JSON is `response` given. `injected` marks a fault's answer.
    """

    method: str
    path: str
    query: str
    request: Any
    status: int
    response: Any
    account: str
    milliseconds: float
    content_type: str = "application/json"
    injected: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event as put into the outbox."""

    event: str
    payload: Mapping[str, Any]


class Observer(Protocol):
    """Told of everything, as it happens."""

    def exchange(self, exchange: Exchange) -> None:
        """One REST call was answered."""

    def webhook(self, webhook: Webhook) -> None:
        """One event was put into the outbox."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """An exchange without its bodies."""

    method: str
    path: str
    query: str
    status: int
    account: str
    milliseconds: float
    injected: bool


@dataclass(slots=True)
class Record:
    """The log of calls (the newest 20,000), the calls to paths that do not exist, and who else listens."""

    calls: deque[LoggedCall] = field(default_factory=lambda: deque(maxlen=20_000))
    unserved: list[str] = field(default_factory=list)
    observers: list[Observer] = field(default_factory=list)

    def exchange(self, exchange: Exchange) -> None:
        """Log a call and tell the observers."""
        self.calls.append(
            LoggedCall(
                exchange.method,
                exchange.path,
                exchange.query,
                exchange.status,
                exchange.account,
                exchange.milliseconds,
                exchange.injected,
            )
        )
        for observer in self.observers:
            observer.exchange(exchange)

    def webhook(self, webhook: Webhook) -> None:
        """Tell the observers of an event."""
        for observer in self.observers:
            observer.webhook(webhook)
