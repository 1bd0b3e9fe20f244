"""The client for OCI registries: as few requests as an answer takes, `HEAD` before `GET`.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import asyncio
import copy
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import aiohttp
from cachetools import LRUCache
from yarl import URL

from bot.contracts.clock import Clock
from bot.contracts.subscriptions import ImageDetails
from bot.core.urls import RegistryAddress, registry_address
from bot.errors import UserError
from bot.registry import manifests
from bot.registry.access import Access, FindCredentials, advice
from bot.registry.charts import ChartIndexes
from bot.registry.manifests import Child, Index, Malformed
from bot.registry.transport import Answer, Request, Transport, reason

_PAGE = 1000
_MANIFEST_LIMIT = 4 << 20  # what the specification asks registries to accept at least
_TAGS_LIMIT = 64 << 20
_MOST_PAGES = 1000
_LINK_NEXT = re.compile(r"<([^>]*)>\s*(?:;[^,]*?)?;\s*rel\s*=\s*\"?next\"?", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository as the user wrote it, and where that is."""

    repo_url: str
    address: RegistryAddress

    def url(self, path: str) -> URL:
        return URL(f"{self.address.origin}/v2/{self.address.name}/{path}", encoded=True)


class RegistryClient:
    """Reads OCI registries, and classic Helm repositories; an implementation of `contracts.Registry`.

    `credentials` gives what to log in with at a repository, or None for nobody in particular. What a digest stands
    for is remembered for ever, up to `remembered` images: the least recently wanted are forgotten first.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        credentials: FindCredentials,
        *,
        concurrency: int = 8,
        remembered: int = 20_000,
        timeout_seconds: float = 60,
    ) -> None:
        transport = Transport(session, clock, concurrency=concurrency, timeout_seconds=timeout_seconds)
        self._access = Access(transport, credentials)
        self._credentials = credentials
        self._charts = ChartIndexes(transport, credentials)
        self._details: LRUCache[tuple[RegistryAddress, str], ImageDetails] = LRUCache(remembered)
        self._digests: LRUCache[tuple[RegistryAddress, str, bool], str] = LRUCache(remembered)
        self._verify_tls, self._immutable_tags = True, False

    def configured(self, *, verify_tls: bool = True, immutable_tags: bool = False) -> "RegistryClient":
        """The same client under other rules, sharing all it knows.

        `immutable_tags` remembers the digest of a tag once seen (Kargo's `cacheByTag`).
        """
        other = copy.copy(self)
        other._verify_tls, other._immutable_tags = verify_tls, immutable_tags
        return other

    async def tags(self, repo_url: str) -> tuple[str, ...]:
        """All tags, in the registry's order. Raises UserError when there is no such repository."""
        place = _place(repo_url)
        url: URL | None = place.url(f"tags/list?n={_PAGE}")
        seen: set[URL] = set()
        found: list[str] = []
        room = _TAGS_LIMIT
        while url is not None:
            if url in seen or len(seen) >= _MOST_PAGES or room <= 0:
                raise UserError(f"{repo_url}: the list of tags that {place.address.host} gives has no end")
            seen.add(url)
            request = Request(url, repo_url, accept="application/json", limit=room, verify_tls=self._verify_tls)
            answer = await self._access.send(place.address, request)
            if answer.status == 404:
                raise await self._missing(place, f"has no repository {place.address.name}{reason(answer)}")
            found += _tags(place, answer)
            room -= len(answer.body)
            url = _next_page(place, url, answer)
        return tuple(found)

    async def digest(self, repo_url: str, tag: str) -> str | None:
        """The digest of the manifest or index that a tag stands for now; None when there is no such tag."""
        place = _place(repo_url)
        key = (place.address, tag, self._verify_tls)
        if self._immutable_tags and key in self._digests:
            return self._digests[key]
        path = f"manifests/{_segment(tag)}"
        answer = await self._send(place, "HEAD", path)
        digest = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 404:
            return None
        if answer.status != 200 or not digest:  # the header is optional, and some don't know HEAD
            answer = await self._send(place, "GET", path)
            if answer.status == 404:
                return None
            _expect_ok(place, answer, f"tag {tag!r}")
            digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if manifests.DIGEST.fullmatch(digest) is None:
            raise UserError(f"{repo_url}: {place.address.host} gives a digest for tag {tag!r} that is none")
        if self._immutable_tags:
            self._digests[key] = digest
        return digest

    async def describe(self, repo_url: str, digest: str) -> ImageDetails:
        """What an image says of itself. Raises UserError if it is not there, or not an image."""
        place = _place(repo_url)
        key = (place.address, digest)
        if key not in self._details:
            self._details[key] = await self._described(place, digest)
        return self._details[key]

    async def chart_versions(self, repo_url: str, name: str) -> tuple[str, ...]:
        """The versions of a chart in a classic Helm repository (`http(s)://`), in the order of its index."""
        return await self._charts.versions(repo_url, name, verify_tls=self._verify_tls)

    async def _described(self, place: _Place, digest: str) -> ImageDetails:
        found = await self._document(place, "manifests", digest, manifests.read_manifest)
        if isinstance(found, Index):
            date = found.created
            if date is None:
                date = manifests.newest(await _together(self._created(place, child) for child in found.children))
            platforms = tuple(dict.fromkeys(child.platform for child in found.children))
            return ImageDetails(digest, date, found.annotations, platforms)
        config = await self._document(place, "blobs", found.config_digest, manifests.read_config)
        platforms = (config.platform,) if config.platform else ()
        return ImageDetails(digest, found.created or config.created, found.annotations, platforms)

    async def _created(self, place: _Place, child: Child) -> datetime | None:
        return child.created or (await self.describe(place.repo_url, child.digest)).created

    async def _document(self, place: _Place, kind: str, digest: str, read: Callable[[bytes], T]) -> T:
        accept = manifests.ACCEPT if kind == "manifests" else "*/*"
        answer = await self._send(place, "GET", f"{kind}/{_segment(digest)}", accept)
        _expect_ok(place, answer, digest)
        algorithm, _, expected = digest.partition(":")
        if hashlib.new(algorithm, answer.body).hexdigest() != expected:
            raise UserError(f"{place.repo_url}: what {place.address.host} gives for {digest} has another digest")
        try:
            return read(answer.body)
        except Malformed as error:
            raise UserError(f"{place.repo_url}: {digest} can't be read: {error}") from error

    async def _send(self, place: _Place, method: str, path: str, accept: str = manifests.ACCEPT) -> Answer:
        request = Request(place.url(path), place.repo_url, method, accept, _MANIFEST_LIMIT, self._verify_tls)
        return await self._access.send(place.address, request)

    async def _missing(self, place: _Place, what: str) -> UserError:
        has_credentials = await self._credentials(place.address) is not None
        return UserError(f"{place.repo_url}: {place.address.host} {what}. {advice(place.address, has_credentials)}")


def _place(repo_url: str) -> _Place:
    try:
        return _Place(repo_url, registry_address(repo_url))
    except ValueError as error:
        raise UserError(str(error)) from error


def _segment(text: str) -> str:
    """A tag or digest as part of a path. What could not be one is nowhere, rather than somewhere else."""
    if manifests.DIGEST.fullmatch(text) or re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", text):
        return text
    raise UserError(f"{text!r} is neither a tag nor a digest of an image")


def _expect_ok(place: _Place, answer: Answer, what: str) -> None:
    if answer.status == 404:
        raise UserError(f"{place.repo_url}: {place.address.host} has no {what} (any more)")
    if answer.status != 200:
        raise UserError(f"{place.repo_url}: {place.address.host} answered {answer.status} for {what}{reason(answer)}")


def _tags(place: _Place, answer: Answer) -> list[str]:
    _expect_ok(place, answer, "list of tags")
    try:
        data = json.loads(answer.body)
        tags = data["tags"] or []
        if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
            return tags
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise UserError(f"{place.repo_url}: {place.address.host} answered something that is not a list of tags")


def _next_page(place: _Place, url: URL, answer: Answer) -> URL | None:
    for header in answer.headers.getall("Link", []):
        if found := _LINK_NEXT.search(header):
            try:
                following = url.join(URL(found[1], encoded=True))
                same = following.origin() == url.origin()
            except ValueError:
                same = False
            if not same:
                raise UserError(f"{place.repo_url}: the list of tags goes on at another place than {url.authority}")
            return following
    return None


async def _together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """All results in order; the first failure ends the rest and is raised as it is."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
