"""Gitea and Forgejo tell of pushed branches and tags, and sign the body.

https://docs.gitea.com/usage/webhooks and https://forgejo.org/docs/latest/user/webhooks/
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import text
from bot.server.receivers.commits import changed_paths
from bot.server.receivers.proofs import signed
from bot.server.receivers.shape import receiver

NAME = "gitea"
HELP = "Gitea and Forgejo: push events."
KEY = "secret"
SCHEMA = receiver(KEY)
# In a payload, FEED_MAX_COMMIT_NUM: https://docs.gitea.com/administration/config-cheat-sheet
_MOST_COMMITS = 5


def authentic(message: Message, secret: str) -> bool:
    signatures = [signed(message, secret, f"x-{name}-signature") for name in ("gitea", "forgejo")]
    return any([signed(message, secret, "x-hub-signature-256", "sha256="), *signatures])


def delivery(message: Message) -> str:
    return message.headers.get("x-gitea-delivery", "") or message.headers.get("x-forgejo-delivery", "")


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    event = message.headers.get("x-gitea-event", "") or message.headers.get("x-forgejo-event", "")
    repository = {key: text(payload, "repository", key) for key in ("clone_url", "ssh_url", "html_url")}
    ref, default = text(payload, "ref"), text(payload, "repository", "default_branch")
    if event in {"create", "delete"} and text(payload, "ref_type") in {"tag", "branch"} and ref:
        # These name what they are about without its `refs/…/`.
        prefix = "refs/tags/" if text(payload, "ref_type") == "tag" else "refs/heads/"
        return news.push(repository.values(), prefix + ref.removeprefix(prefix), default)
    if event != "push":
        return ()
    return news.push(repository.values(), ref, default, changed_paths(payload, _MOST_COMMITS))
