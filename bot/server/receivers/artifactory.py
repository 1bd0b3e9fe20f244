"""Artifactory tells of what was pushed to its Docker, OCI and Helm repositories, and signs the body.

https://jfrog.com/help/r/jfrog-platform-administration-documentation/webhooks
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.contracts import Message
from bot.core import news
from bot.core.news import Told
from bot.server.payloads import text
from bot.server.receivers.proofs import signed
from bot.server.receivers.shape import TEXT, receiver

NAME = "artifactory"
HELP = "Artifactory: images and OCI charts pushed (with Use secret for payload signing)."
KEY = "secret-token"
SCHEMA = receiver(
    KEY,
    virtualRepoName={**TEXT, "description": "The virtual repository that warehouses watch, where they watch one."},
)


def authentic(message: Message, secret: str) -> bool:
    return signed(message, secret, "x-jfrog-event-auth")


def delivery(message: Message) -> str:
    return ""


def read(message: Message, payload: Any, config: Mapping[str, Any]) -> tuple[Told, ...]:
    """The host is that of the platform, `jpd_origin`; the path ends with `<tag>/manifest.json`."""
    if text(payload, "event_type") != "pushed" or text(payload, "domain") != "docker":
        return ()
    path = text(payload, "data", "path").strip("/").split("/")
    host = _host(text(payload, "jpd_origin"))
    repository = config.get("virtualRepoName") or text(payload, "data", "repo_key")
    name = "/".join(path[:-2]) or text(payload, "data", "image_name")
    if not (host and repository and name):
        return ()
    url, tag = f"{host}/{repository}/{name}", text(payload, "data", "tag")
    match text(payload, "data", "image_type"):
        case "docker":
            return news.image(url, tag)
        case _:  # "oci" is whatever is no Docker image: a chart, or an image of the OCI's own format
            return news.artifact(url, tag)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
