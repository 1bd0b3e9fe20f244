"""What a sender of webhooks is: how its deliveries prove themselves, and what they tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.contracts.schema import Schema
from bot.core.news import Told


@dataclass(frozen=True, slots=True)
class Message:
    """One request as it came: `headers` by their names in lower case, and the body, byte for byte."""

    headers: Mapping[str, str]
    body: bytes


class Sender(Protocol):
    """A kind of sender: one module in `bot/server/receivers`. Nothing of it asks anybody."""

    NAME: str  # the key in `webhookReceivers[]`
    HELP: str
    SCHEMA: Schema  # of what is under that key
    KEY: str  # the key in the repository's secret

    def authentic(self, message: Message, secret: str) -> bool:
        """Whether whoever has the secret sent this, in constant time. Always, where the address is the proof."""
        ...

    def delivery(self, message: Message) -> str:
        """What the sender calls this delivery, the same when it is sent again; "" where it has no name for it."""
        ...

    def read(self, message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
        """What the payload tells; nothing for what doesn't matter. Whatever is strange in it means less.

        `config` is what was configured for this receiver. Raises ValueError for what can't be a delivery at all.
        """
        ...
