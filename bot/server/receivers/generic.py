"""Any other sender: expressions over its request choose the warehouses. The address is the proof.

https://docs.kargo.io/user-guide/how-to-guides/working-with-projects#webhook-receivers
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core.news import Told
from bot.core.refreshes import ACTION, refreshes
from bot.server.receivers.proofs import by_address
from bot.server.receivers.shape import receiver

NAME = "generic"
HELP = "Anything that can send JSON: expressions choose the warehouses."
KEY = "secret"
SCHEMA = receiver(KEY, actions={"type": "array", "items": ACTION})

authentic = by_address


def delivery(message: Message) -> str:
    return ""


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    return refreshes(config.get("actions"), message.headers, payload)
