"""Docker Hub tells of every tag pushed to a repository. It signs nothing.

https://docs.docker.com/docker-hub/repos/manage/webhooks/
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import text
from bot.server.receivers.proofs import by_address
from bot.server.receivers.shape import receiver

NAME = "dockerhub"
HELP = "Docker Hub: images and charts pushed to a repository."
KEY = "secret"
SCHEMA = receiver(KEY)

authentic = by_address


def delivery(message: Message) -> str:
    return ""


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    return news.artifact(text(payload, "repository", "repo_name"), text(payload, "push_data", "tag"))
