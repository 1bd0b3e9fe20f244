"""Azure: the Container Registry tells of pushed images and charts, DevOps of pushed branches and tags. Neither signs.

https://learn.microsoft.com/en-us/azure/container-registry/container-registry-webhook-reference
https://learn.microsoft.com/en-us/azure/devops/service-hooks/events#code-pushed
"""

from collections.abc import Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import items, text
from bot.server.receivers.proofs import by_address
from bot.server.receivers.shape import receiver

NAME = "azure"
HELP = "Azure Container Registry (push) and Azure DevOps (Code pushed)."
KEY = "secret"
SCHEMA = receiver(KEY)
_DOCKER = "application/vnd.docker."
_HEADS = "refs/heads/"

authentic = by_address


def delivery(message: Message) -> str:
    return ""


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    if text(payload, "eventType") == "git.push":
        return _pushed(payload)
    if text(payload, "action") not in {"push", "chart_push"}:
        return ()
    host = text(payload, "request", "host") or text(payload, "target", "repository").partition("/")[0]
    repository, tag = text(payload, "target", "repository"), text(payload, "target", "tag")
    if not (host and repository):
        return ()
    if text(payload, "target", "mediaType").startswith(_DOCKER):
        return news.image(f"{host}/{repository}", tag)
    return news.artifact(f"{host}/{repository}", tag)


def _pushed(payload: Any) -> tuple[Told, ...]:
    """Which paths changed is not told."""
    repository = ("resource", "repository")
    default = text(payload, *repository, "defaultBranch").removeprefix(_HEADS)
    urls = [text(payload, *repository, key) for key in ("remoteUrl", "sshUrl")]
    refs = [text(one, "name") for one in items(payload, "resource", "refUpdates")]
    return tuple(one for ref in refs for one in news.push(urls, ref, default))
