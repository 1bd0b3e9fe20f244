"""GitHub, for repositories that the App is not installed on.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core.news import Told
from bot.server import github_news
from bot.server.receivers.proofs import signed
from bot.server.receivers.shape import receiver

NAME = "github"
HELP = "GitHub, where the App is not installed: pushes, branches and tags created, releases, packages."
KEY = "secret"
SCHEMA = receiver(KEY)


def authentic(message: Message, secret: str) -> bool:
    return signed(message, secret, "x-hub-signature-256", "sha256=")


def delivery(message: Message) -> str:
    return message.headers.get("x-github-delivery", "")


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    return github_news.of(message.headers.get("x-github-event", ""), payload)
