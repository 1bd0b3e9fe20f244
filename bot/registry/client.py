"""The client for OCI registries: as few requests as an answer takes, `HEAD` before `GET` for what is known.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import asyncio
import copy
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from weakref import WeakValueDictionary

import aiohttp
from cachetools import LRUCache
from yarl import URL

from bot.contracts.clock import Clock
from bot.contracts.metrics import Secrets
from bot.contracts.subscriptions import ImageDetails
from bot.core.urls import registry_address
from bot.errors import UserError
from bot.registry import manifests
from bot.registry.access import Access, Entrance, advice
from bot.registry.artifacts import ArtifactClient
from bot.registry.charts import ChartIndexes
from bot.registry.credentials import FindCredentials, own_first
from bot.registry.docker_config import DOCKER_HUB
from bot.registry.manifests import Child, Index, Malformed, Manifest
from bot.registry.tags import Pages
from bot.registry.together import together
from bot.registry.transport import Answer, Request, Transport, reason

_MANIFEST_LIMIT = 4 << 20  # what the specification asks registries to accept at least
# Where a GET of a manifest counts against a limit and a HEAD doesn't.
_COUNTS_PULLS = frozenset({DOCKER_HUB})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository as the user wrote it, and where that is, as somebody sees it.

    `key` is what things are remembered by: what one account was shown, another isn't, and what somebody said whose
    certificate nobody looked at goes to those only who look at none.
    """

    repo_url: str
    entrance: Entrance
    verify_tls: bool

    @property
    def host(self) -> str:
        return self.entrance.address.host

    @property
    def key(self) -> tuple[str, str, str, bool]:
        return (self.host, self.entrance.address.name, self.entrance.account, self.verify_tls)

    def url(self, path: str) -> URL:
        return URL(f"{self.entrance.address.origin}/v2/{self.entrance.address.name}/{path}", encoded=True)


class _Memory:
    """What was read, the least recently wanted forgotten first. A digest stands for the same content for ever."""

    def __init__(self, remembered: int) -> None:
        self.tags: LRUCache[tuple[object, ...], str] = LRUCache(5 * remembered)  # the digests they stood for
        self.documents: LRUCache[tuple[object, ...], Index | Manifest] = LRUCache(remembered)
        self.details: LRUCache[tuple[object, ...], ImageDetails] = LRUCache(remembered)
        self.reading: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()


class RegistryClient:
    """Reads OCI registries, and classic Helm repositories; an implementation of `contracts.Registry`.

    `credentials` gives what to log in with at a repository, or None for nobody in particular. What a digest stands
    for is remembered for ever, up to `remembered` images and five tags for each. At most `concurrency` requests are
    under way at a registry.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        credentials: FindCredentials,
        *,
        concurrency: int = 16,
        remembered: int = 20_000,
        timeout_seconds: float = 60,
    ) -> None:
        transport = Transport(session, clock, concurrency=concurrency, timeout_seconds=timeout_seconds)
        self._access = Access(transport)
        self._credentials = credentials
        self._charts = ChartIndexes(transport)
        self._memory = _Memory(remembered)
        self._verify_tls, self._immutable_tags = True, False
        self._seconds = timeout_seconds

    def configured(self, *, verify_tls: bool = True, immutable_tags: bool = False) -> "RegistryClient":
        """The same client under other rules, sharing all it knows.

        `immutable_tags` remembers what a tag once seen stands for (Kargo's `cacheByTag`).
        """
        other = copy.copy(self)
        other._verify_tls, other._immutable_tags = verify_tls, immutable_tags
        return other

    def with_credentials(self, credentials: FindCredentials) -> "RegistryClient":
        """The same client for somebody else: of what it knows, only what the same account was shown is shared."""
        other = copy.copy(self)
        other._credentials = credentials
        return other

    def of_repository(self, secrets: Secrets) -> "RegistryClient":
        """The same client for a repository, for the length of a look: its own logins go before those it has now."""
        return self.with_credentials(own_first(secrets, self._credentials))

    async def tags(self, repo_url: str) -> tuple[str, ...]:
        """All tags, in the registry's order. Raises UserError when there is no such repository."""
        place = await self._place(repo_url)
        pages = Pages(repo_url, place.url("tags/list"))
        while pages.following is not None:
            request = Request(
                pages.following,
                repo_url,
                accept="application/json",
                limit=pages.room,
                verify_tls=self._verify_tls,
                account=place.entrance.account,
            )
            answer = await self._access.send(place.entrance, request)
            if answer.status == 404:
                raise _missing(place, answer)
            _expect_ok(place, answer, "list of tags")
            pages.add(answer)
        return tuple(pages.tags)

    async def digest(self, repo_url: str, tag: str) -> str | None:
        """The digest of the manifest or index that a tag stands for now; None when there is no such tag."""
        place = await self._place(repo_url)
        if self._immutable_tags and (known := self._memory.tags.get((place.key, tag))):
            return known
        return await self._head(place, tag)

    async def describe(self, repo_url: str, digest: str, *, dates: bool = True) -> ImageDetails:
        """What an image says of itself. Raises UserError if it is not there, or not an image."""
        return await self._described(await self._place(repo_url), digest, dates)

    async def image(self, repo_url: str, tag: str, *, dates: bool = True) -> ImageDetails | None:
        """What a tag stands for now; None when there is no such tag. Raises UserError if it is not an image.

        A tag seen before is asked for by HEAD, and described only if it moved; another by a single GET.
        """
        place = await self._place(repo_url)
        digest = self._memory.tags.get((place.key, tag))
        if digest is None and place.host not in _COUNTS_PULLS:
            digest = await self._get(place, tag)
        elif digest is None or not self._immutable_tags:
            digest = await self._head(place, tag)
        return await self._described(place, digest, dates) if digest else None

    async def chart_versions(self, repo_url: str, name: str) -> tuple[str, ...]:
        """The versions of a chart in a classic Helm repository (`http(s)://`), in the order of its index."""
        return await self._charts.versions(repo_url, name, self._credentials, verify_tls=self._verify_tls)

    @property
    def artifacts(self) -> ArtifactClient:
        """The same client for artifacts whole."""
        return ArtifactClient(self._access, self._credentials, self._seconds)

    async def _place(self, repo_url: str) -> _Place:
        try:
            address = registry_address(repo_url)
        except ValueError as error:
            raise UserError(str(error)) from error
        return _Place(repo_url, Entrance(address, await self._credentials(address)), self._verify_tls)

    async def _head(self, place: _Place, tag: str) -> str | None:
        answer = await self._send(place, "HEAD", f"manifests/{_segment(tag)}")
        digest = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 404:
            return None
        if answer.status != 200 or not digest:  # the header is optional, and some don't know HEAD
            return await self._get(place, tag)
        return self._stands_for(place, tag, digest)

    async def _get(self, place: _Place, tag: str) -> str | None:
        """The digest of a tag, its manifest remembered on the way."""
        answer = await self._send(place, "GET", f"manifests/{_segment(tag)}")
        if answer.status == 404:
            return None
        _expect_ok(place, answer, f"tag {tag!r}")
        told = answer.headers.get("Docker-Content-Digest") or f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        digest = self._stands_for(place, tag, told)
        _verify(place, digest, answer)
        if (place.key, digest) not in self._memory.details:
            with suppress(Malformed):  # said when somebody wants to know what the image is
                self._memory.documents[place.key, digest] = manifests.read_manifest(answer.body)
        return digest

    def _stands_for(self, place: _Place, tag: str, digest: str) -> str:
        if manifests.DIGEST.fullmatch(digest) is None:
            raise UserError(f"{place.repo_url}: {place.host} gives a digest for tag {tag!r} that is none")
        self._memory.tags[place.key, tag] = digest
        return digest

    async def _described(self, place: _Place, digest: str, dates: bool) -> ImageDetails:
        key = (place.key, digest)
        if known := self._memory.details.get(key):
            return known
        lock = self._memory.reading.get(key) or asyncio.Lock()
        self._memory.reading[key] = lock
        async with lock:  # many tags may stand for it
            if known := self._memory.details.get(key):
                return known
            found = self._memory.documents.get(key)
            if found is None:
                found = await self._document(place, "manifests", digest, manifests.read_manifest)
                self._memory.documents[key] = found
            if not dates:
                return manifests.details(digest, found)
            details = await self._dated(place, digest, found)
            self._memory.details[key] = details
            self._memory.documents.pop(key, None)  # the details hold all of it
            return details

    async def _dated(self, place: _Place, digest: str, found: Index | Manifest) -> ImageDetails:
        if isinstance(found, Index):
            date = found.created
            if date is None:
                date = manifests.newest(await together(self._created(place, child) for child in found.children))
            return manifests.details(digest, found, date)
        config = await self._document(place, "blobs", found.config_digest, manifests.read_config)
        return manifests.details(digest, found, config.created, config.platform)

    async def _created(self, place: _Place, child: Child) -> datetime | None:
        return child.created or (await self._described(place, child.digest, True)).created

    async def _document(self, place: _Place, kind: str, digest: str, read: Callable[[bytes], T]) -> T:
        accept = manifests.ACCEPT if kind == "manifests" else "*/*"
        answer = await self._send(place, "GET", f"{kind}/{_segment(digest)}", accept)
        _expect_ok(place, answer, digest)
        _verify(place, digest, answer)
        try:
            return read(answer.body)
        except Malformed as error:
            raise UserError(f"{place.repo_url}: {digest} can't be read: {error}") from error

    async def _send(self, place: _Place, method: str, path: str, accept: str = manifests.ACCEPT) -> Answer:
        request = Request(
            place.url(path),
            place.repo_url,
            method,
            accept,
            _MANIFEST_LIMIT,
            self._verify_tls,
            account=place.entrance.account,
            is_pull=method == "GET" and path.startswith("manifests/"),
        )
        return await self._access.send(place.entrance, request)


def _segment(text: str) -> str:
    """A tag or digest as part of a path. What could not be one is nowhere, rather than somewhere else."""
    if manifests.DIGEST.fullmatch(text) or manifests.TAG.fullmatch(text):
        return text
    raise UserError(f"{text!r} is neither a tag nor a digest of an image")


def _verify(place: _Place, digest: str, answer: Answer) -> None:
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, answer.body).hexdigest() != expected:
        raise UserError(f"{place.repo_url}: what {place.host} gives for {digest} has another digest")


def _missing(place: _Place, answer: Answer) -> UserError:
    what = f"has no repository {place.entrance.address.name}{reason(answer)}"
    return UserError(f"{place.repo_url}: {place.host} {what}. {advice(place.entrance)}")


def _expect_ok(place: _Place, answer: Answer, what: str) -> None:
    if answer.status == 404:
        raise UserError(f"{place.repo_url}: {place.host} has no {what} (any more)")
    if answer.status != 200:
        raise UserError(f"{place.repo_url}: {place.host} answered {answer.status} for {what}{reason(answer)}")
