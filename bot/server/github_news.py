"""What GitHub's webhooks tell of new artifacts, whether the App is sent them or a receiver.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from collections.abc import Mapping
from typing import Any

from bot.core import news
from bot.core.news import News
from bot.server.payloads import at, text
from bot.server.receivers.commits import changed_paths

_MOST_COMMITS, _MOST_PATHS = 2048, 3000  # in a push; of a commit
_CONTAINERS = {"container", "docker"}


def of(event: str, payload: Any) -> tuple[News, ...]:
    """The news in a payload, none in those of other events. Never raises."""
    match event:
        case "push":
            paths = changed_paths(payload, _MOST_COMMITS, most_paths=_MOST_PATHS)
            return _push(payload, text(payload, "ref"), paths)
        case "create" if text(payload, "ref") and text(payload, "ref_type") in {"branch", "tag"}:
            kind = "tags" if text(payload, "ref_type") == "tag" else "heads"
            return _push(payload, f"refs/{kind}/{text(payload, 'ref')}")
        case "release" if text(payload, "release", "tag_name"):
            return _push(payload, f"refs/tags/{text(payload, 'release', 'tag_name')}")
        case "registry_package" | "package" if text(payload, "action") in {"published", "updated"}:
            return _package(at(payload, event))
    return ()


def _push(payload: Any, ref: str, paths: tuple[str, ...] | None = None) -> tuple[News, ...]:
    urls = [text(payload, "repository", key) for key in ("clone_url", "ssh_url", "html_url")]
    return news.push(urls, ref, text(payload, "repository", "default_branch"), paths)


def _package(package: Any) -> tuple[News, ...]:
    """A version of a container package; none that has no tag, as the parts of an image for several platforms have."""
    details = at(package, "package_version", "container_metadata")
    if text(package, "package_type").lower() not in _CONTAINERS and not isinstance(details, Mapping):
        return ()
    tag = at(details, "tag", "name")
    url = text(package, "package_version", "package_url")
    if not url or (isinstance(tag, str) and not tag):
        return ()
    config_type = text(details, "manifest", "config", "media_type")
    return news.artifact(url, tag if isinstance(tag, str) else "", config_type)
