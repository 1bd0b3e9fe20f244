"""Harbor tells of artifacts pushed to a project, in its default payload format, and says the word it was given.

https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import items, text
from bot.server.receivers.proofs import told
from bot.server.receivers.shape import receiver

NAME = "harbor"
HELP = "Harbor: images and charts pushed to a project (payload format Default, its Auth Header the secret)."
KEY = "auth-header"
SCHEMA = receiver(KEY)


def authentic(message: Message, secret: str) -> bool:
    return told(message, secret, "authorization")


def delivery(message: Message) -> str:
    return ""


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    if text(payload, "type") != "PUSH_ARTIFACT":
        return ()
    pushed = [(text(one, "resource_url"), text(one, "tag")) for one in items(payload, "event_data", "resources")]
    return tuple(one for url, tag in pushed for one in news.artifact(url, tag))
