"""What a subscription is, and what it may ask: places artifacts are discovered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.contracts.clock import Clock
from bot.contracts.git import Git
from bot.contracts.schema import Schema
from bot.core.model import Artifact
from bot.core.news import News


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a subscription found, best first; `artifacts[0]` goes into new freight.

    `created` says when each was made, None where that isn't known; it may end early. As long as `state` would be the
    same, the same would be found; "" where nothing tells so.
    """

    artifacts: tuple[Artifact, ...]
    created: tuple[datetime | None, ...] = ()
    state: str = ""


class Registry(Protocol):
    """OCI registries, read only. Faults of one image are `UserError` (say which and what to do) or `Retry`."""

    async def tags(self, repo_url: str) -> tuple[str, ...]:
        """All tags of a repository, unordered."""
        ...

    async def digest(self, repo_url: str, tag: str) -> str | None:
        """The digest of a tag's top manifest by HEAD; None when there is no such tag."""
        ...

    async def describe(self, repo_url: str, digest: str, *, dates: bool = True) -> "ImageDetails":
        """What the manifests and configs say of an image; cached for ever, as digests are immutable.

        Without `dates` no config is asked for: the date is left out where annotations don't tell it, as is the
        platform of an image that is no index.
        """
        ...

    async def image(self, repo_url: str, tag: str, *, dates: bool = True) -> "ImageDetails | None":
        """What a tag stands for now, as `describe` tells it, in as few requests as that takes; None when there is no
        such tag."""
        ...

    async def chart_versions(self, repo_url: str, name: str) -> tuple[str, ...]:
        """The versions of a chart in a classic Helm repository, unordered; empty when there is no such chart."""
        ...

    def configured(self, *, verify_tls: bool = True, immutable_tags: bool = False) -> "Registry":
        """The same registry under one subscription's rules: without verifying certificates, or with tags that
        never move."""
        ...


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """`platforms` are those of an index, or the one of a single image, from its config."""

    digest: str
    created: datetime | None
    annotations: Mapping[str, str]
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscoveryContext:
    """What discovery asks. `previous` is what was found before under the same configuration, if it is known.

    `dates`: somebody wants to know when artifacts were made, even where that takes requests of its own.
    `since`: something may be new since then (by `time.monotonic`); what was asked before is not good enough.
    """

    git: Git
    registry: Registry
    clock: Clock
    previous: Discovered | None = None
    dates: bool = False
    since: float = 0.0


class Subscription(Protocol):
    """A kind of place artifacts come from: one module in `bot/subscriptions`."""

    NAME: str  # the key in `subscriptions[]`: image, git, chart
    HELP: str
    SCHEMA: Schema

    async def discover(self, context: DiscoveryContext, config: Mapping[str, Any], name: str) -> Discovered:
        """Find artifacts, best first, at most `discoveryLimit`. An empty result is no error."""
        ...

    async def find(
        self, context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str
    ) -> Artifact | None:
        """The artifact of exactly this tag, version or commit, if the subscription's rules let it pass."""
        ...

    def address(self, config: Mapping[str, Any]) -> str:
        """What it watches, in the one spelling that news has it in. Raises UserError."""
        ...

    def concerned(self, config: Mapping[str, Any], news: News) -> bool:
        """Whether news of this address may change what is found; what isn't known never rules that out.

        Raises UserError.
        """
        ...
