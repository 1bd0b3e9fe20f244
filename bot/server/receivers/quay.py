"""Quay tells which tags of a repository a push has updated. It signs nothing.

https://docs.quay.io/guides/notifications.html#repository-push
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import items, text
from bot.server.receivers.proofs import by_address
from bot.server.receivers.shape import receiver

NAME = "quay"
HELP = "Quay: images and charts pushed to a repository (the notification Push to Repository)."
KEY = "secret"
SCHEMA = receiver(KEY)

authentic = by_address


def delivery(message: Message) -> str:
    return ""


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    url = text(payload, "docker_url")
    tags = [tag for tag in items(payload, "updated_tags") if isinstance(tag, str)]
    return tuple(one for tag in tags for one in news.artifact(url, tag))
