"""Bitbucket Cloud and Data Center tell of pushed branches and tags, not of the paths that changed; both sign the body.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Push
https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import at, items, text
from bot.server.receivers.proofs import signed
from bot.server.receivers.shape import receiver

NAME = "bitbucket"
HELP = "Bitbucket Cloud and Data Center: repository push."
KEY = "secret"
SCHEMA = receiver(KEY)
_REFS = {"branch": "refs/heads/", "named_branch": "refs/heads/", "tag": "refs/tags/", "annotated_tag": "refs/tags/"}


def authentic(message: Message, secret: str) -> bool:
    return signed(message, secret, "x-hub-signature", "sha256=")


def delivery(message: Message) -> str:
    """https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#HTTP-headers"""
    return message.headers.get("x-request-uuid", "") or message.headers.get("x-request-id", "")


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    event = message.headers.get("x-event-key", "")
    if event == "repo:push":
        urls, refs = [text(payload, "repository", "links", "html", "href")], list(_cloud(payload))
    elif event == "repo:refs_changed":
        urls = [text(link, "href") for link in items(payload, "repository", "links", "clone")]
        refs = [text(change, "ref", "id") for change in items(payload, "changes")]
    else:
        return ()
    return tuple(one for ref in refs for one in news.push(urls, ref))


def _cloud(payload: Any) -> Iterator[str]:
    """What was deleted is told as `old` alone."""
    for change in items(payload, "push", "changes"):
        moved = at(change, "new") or at(change, "old")
        prefix = _REFS.get(text(moved, "type"))
        if prefix and text(moved, "name"):
            yield prefix + text(moved, "name")
