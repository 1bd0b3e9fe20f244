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
from bot.core.yaml_depth import too_deep
from bot.errors import UserError
from bot.registry.credentials import FindCredentials
from bot.registry.transport import Request, Transport, reason

_INDEX_LIMIT = 32 << 20
_READ_WHOLE_LIMIT = 8 << 20  # of an index in a layout of its own: reading all of it takes a second for each megabyte
_PLAIN_KEY = rb"[\"']?[A-Za-z0-9][A-Za-z0-9._-]*[\"']?:[ \t]*\r?\n"
# CBaseLoader makes nothing but texts, lists and mappings: version 1.10 must not become the number 1.1.


class ChartIndexes:
    """Fetches indexes only when they changed (`If-None-Match`), and reads only the chart that is wanted."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: LRUCache[tuple[str, str, str, bool], tuple[str, tuple[str, ...]]] = LRUCache(4096)

    async def versions(
        self, repo_url: str, name: str, find_credentials: FindCredentials, *, verify_tls: bool
    ) -> tuple[str, ...]:
        """The versions of chart `name`, in the order of the index. Raises UserError and Retry."""
        about = f"chart {name} of {repo_url}"
        url = _index_url(repo_url)
        credentials = await find_credentials(RegistryAddress(url.authority, url.path.strip("/")))
        account = credentials.account if credentials else ""
        key = (repo_url, name, account, verify_tls)
        etag, versions = self._known.get(key, ("", ()))
        if credentials and url.scheme != "https" and not RegistryAddress(url.authority, "").is_loopback:
            raise UserError(f"{about}: credentials are not sent over http; use https")
        request = Request(
            url / "index.yaml",
            about,
            limit=_INDEX_LIMIT,
            verify_tls=verify_tls,
            headers={"If-None-Match": etag} if etag else None,
            account=account,
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
    if too_deep(index):
        raise UserError(f"{about}: its index.yaml is nested too deep to be an index of charts")
    try:
        entries = _entry(index, name)
        if entries is None:
            if len(index) > _READ_WHOLE_LIMIT:
                raise UserError(
                    f"{about}: its index.yaml is large, and not laid out as `helm repo index` writes it; "
                    "write it anew with that, or push the chart to an OCI registry"
                )
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
    # Lines are found by the break before them, which is many times faster than by `^`.
    start = re.compile(rb"(?:^|\n)entries:[ \t]*\r?(?=\n)").search(index)
    if start is None:
        return None
    after = re.compile(rb"\n[^\s#-]").search(index, start.end())
    stop = after.start() + 1 if after else len(index)
    indent = re.compile(rb"\n( +)[^\s#-]").match(index, start.end(), stop)
    if indent is None:
        return None
    line = rb"\n" + indent[1]
    key = line + rb"[\"']?" + re.escape(name.encode()) + rb"[\"']?:[ \t]*\r?(?=\n)"
    found = re.compile(key).search(index, start.end(), stop)
    if found is None:
        # Nothing but plain keys beside each other: then none of them is the chart's, however it were written.
        strange = re.compile(line + rb"(?!" + _PLAIN_KEY + rb")[^\s#-]")
        return None if strange.search(index, start.end(), stop) else []
    last = re.compile(rb"\n {0," + str(len(indent[1])).encode() + rb"}[^\s#-]").search(index, found.end(), stop)
    try:
        entry = index[found.end() : last.start() + 1 if last else stop]
        return yaml.load(entry, Loader=yaml.CBaseLoader)  # noqa: S506
    except yaml.YAMLError:  # anchors, or a layout of its own: the whole document is read instead
        return None
