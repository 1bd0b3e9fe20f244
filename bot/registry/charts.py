"""Classic Helm repositories: the versions of one chart, out of an index that may be very large.

https://helm.sh/docs/topics/chart_repository/#the-index-file
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import yaml
from cachetools import LRUCache
from yarl import URL

from bot.core.urls import RegistryAddress
from bot.errors import UserError
from bot.registry.access import FindCredentials
from bot.registry.transport import Request, Transport, reason

_INDEX_LIMIT = 64 << 20
# CBaseLoader makes nothing but texts, lists and mappings: version 1.10 must not become the number 1.1.


class ChartIndexes:
    """Fetches indexes only when they changed (`If-None-Match`), and reads only the chart that is wanted."""

    def __init__(self, transport: Transport, credentials: FindCredentials) -> None:
        self._transport, self._credentials = transport, credentials
        self._known: LRUCache[tuple[str, str, bool], tuple[str, tuple[str, ...]]] = LRUCache(4096)

    async def versions(self, repo_url: str, name: str, *, verify_tls: bool) -> tuple[str, ...]:
        """The versions of chart `name`, in the order of the index. Raises UserError and Retry."""
        about = f"chart {name} of {repo_url}"
        url = _index_url(repo_url)
        key = (repo_url, name, verify_tls)
        etag, versions = self._known.get(key, ("", ()))
        credentials = await self._credentials(RegistryAddress(url.authority, url.path.strip("/")))
        if credentials and url.scheme != "https" and not RegistryAddress(url.authority, "").is_loopback:
            raise UserError(f"{about}: credentials are not sent over http; use https")
        request = Request(
            url / "index.yaml",
            about,
            limit=_INDEX_LIMIT,
            verify_tls=verify_tls,
            headers={"If-None-Match": etag} if etag else None,
        )
        answer = await self._transport.send(request, credentials.basic if credentials else "")
        if answer.status == 304 and etag:
            return versions
        if answer.status != 200:
            raise UserError(
                f"{about}: {url.authority} answered {answer.status} for index.yaml{reason(answer)}. "
                "Check the address; if the repository is private, give Towpath credentials for it."
            )
        versions = await asyncio.to_thread(read_versions, answer.body, name, about)
        if tag := answer.headers.get("ETag"):
            self._known[key] = (tag, versions)
        return versions


def _index_url(repo_url: str) -> URL:
    try:
        url = URL(repo_url)
        if url.scheme in {"http", "https"} and url.host:
            return url.with_user(None).with_query(None).with_fragment(None)
    except ValueError:
        pass
    raise UserError(f"{repo_url!r} is not a chart repository; write https://… or oci://…")


def read_versions(index: bytes, name: str, about: str) -> tuple[str, ...]:
    """The versions of one chart in the text of an index. Raises UserError if it is no index."""
    try:
        entries = _entry(index, name)
        if entries is None:
            entries = yaml.load(index, Loader=yaml.CBaseLoader)["entries"].get(name, [])  # noqa: S506
        return tuple(entry["version"] for entry in _listed(entries) if isinstance(entry.get("version"), str))
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"{about}: its index.yaml is not an index of charts") from error


def _listed(entries: object) -> list[Mapping[str, Any]]:
    if not isinstance(entries, list):
        raise TypeError("no list of versions")
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _entry(index: bytes, name: str) -> Any:
    """The entries of one chart from an index as `helm repo index` writes it; None for another layout.

    Reading all of an index of several megabytes takes seconds, and all but one chart of it is not wanted.
    """
    start = re.search(rb"^entries:[ \t]*\r?\n", index, re.MULTILINE)
    if start is None:
        return None
    body = index[start.end() :]
    end = re.search(rb"^[^\s#-]", body, re.MULTILINE)
    body = body[: end.start()] if end else body
    indent = re.match(rb"( +)[^\s#-]", body)
    if indent is None:
        return None
    key = rb"^" + indent[1] + rb"[\"']?" + re.escape(name.encode()) + rb"[\"']?:[ \t]*\r?\n"
    found = re.search(key, body, re.MULTILINE)
    if found is None:
        return None
    rest = body[found.end() :]
    end = re.search(rb"^ {0," + str(len(indent[1])).encode() + rb"}[^\s#-]", rest, re.MULTILINE)
    try:
        return yaml.load(rest[: end.start()] if end else rest, Loader=yaml.CBaseLoader)  # noqa: S506
    except yaml.YAMLError:  # anchors, or a layout of its own: the whole document is read instead
        return None
