"""GitLab tells of pushed branches and tags, and says the word it was given.

https://docs.gitlab.com/user/project/integrations/webhook_events/
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import text
from bot.server.receivers.commits import changed_paths
from bot.server.receivers.proofs import told
from bot.server.receivers.shape import receiver

NAME = "gitlab"
HELP = "GitLab: push events and tag push events (its Secret token the secret)."
KEY = "secret-token"
SCHEMA = receiver(KEY)
_MOST_COMMITS = 20  # in a payload: https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events


def authentic(message: Message, secret: str) -> bool:
    return told(message, secret, "x-gitlab-token")


def delivery(message: Message) -> str:
    """https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers"""
    return message.headers.get("idempotency-key", "")


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    if text(payload, "object_kind") not in {"push", "tag_push"}:
        return ()
    urls = [text(payload, "project", key) for key in ("git_http_url", "git_ssh_url", "web_url")]
    paths = changed_paths(payload, _MOST_COMMITS)
    return news.push(urls, text(payload, "ref"), text(payload, "project", "default_branch"), paths)
