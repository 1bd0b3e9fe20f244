"""Container images in any OCI registry.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#image-subscriptions
"""

import asyncio
import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.contracts import Discovered, DiscoveryContext, ImageDetails, Registry, Schema
from bot.core.model import Artifact, Image
from bot.core.urls import image_repository
from bot.subscriptions import fields
from bot.subscriptions.tags import TagRules

NAME = "image"
HELP = "Container images of a repository in any OCI registry: by version, by name, by date, or one moving tag."
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "repoURL": {**fields.TEXT, "description": "The repository, such as ghcr.io/acme/service, without a tag."},
        "imageSelectionStrategy": {
            "enum": ["SemVer", "Lexical", "Digest", "NewestBuild"],
            "default": "SemVer",
            "description": "What makes an image the newest: its version, its tag's name, that one tag moved, its date.",
        },
        "constraint": {
            **fields.TEXT,
            "description": "SemVer: the versions wanted, such as ^1.0.0. Digest: the tag to follow, such as latest.",
        },
        "semverConstraint": {**fields.TEXT, "deprecated": True, "description": "Old spelling of constraint."},
        "strictSemvers": {
            "type": "boolean",
            "default": True,
            "description": "SemVer: only tags with all three numbers, after one v at most.",
        },
        "allowTagsRegexes": fields.REGEXES,
        "ignoreTagsRegexes": fields.REGEXES,
        "allowTags": {**fields.TEXT, "deprecated": True, "description": "Old spelling of one allowTagsRegexes."},
        "ignoreTags": {**fields.TEXTS, "deprecated": True, "description": "Tags to leave out, by their whole names."},
        "platform": {**fields.TEXT, "description": "Only images for this os/architecture or os/architecture/variant."},
        "cacheByTag": {
            "type": "boolean",
            "default": False,
            "description": "Tags never move here: what one stands for is asked only once.",
        },
        "insecureSkipTLSVerify": {"type": "boolean", "default": False, "description": "Accept any certificate."},
        "discoveryLimit": fields.LIMIT,
    },
    "required": ["repoURL"],
    "additionalProperties": False,
}
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The configuration, read, and the registry to ask under it."""

    registry: Registry
    repo_url: str
    strategy: str
    tags: TagRules
    followed: str
    platform: str
    limit: int
    name: str

    def ordered(self, tags: Iterable[str]) -> list[str]:
        """The tags that may be it, best first where their names alone tell."""
        if self.strategy == "Digest":
            return [tag for tag in tags if tag == self.followed]
        if self.strategy == "SemVer":
            return self.tags.by_version(tags)
        return self.tags.by_name(tags)

    async def image(self, tag: str) -> Image | None:
        """The image of a tag, or None if it is gone by now or for another platform."""
        digest = await self.registry.digest(self.repo_url, tag)
        if digest is None:
            return None
        details = await self.registry.describe(self.repo_url, digest)
        return self.accepted(tag, details)

    def accepted(self, tag: str, details: ImageDetails) -> Image | None:
        if self.platform and self.platform not in details.platforms:
            return None
        return Image(self.repo_url, tag, details.digest, details.annotations, self.name)


async def discover(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> Discovered:
    """The newest image; with NewestBuild, where all had to be looked at, up to `discoveryLimit`.

    SemVer and Lexical take one list of tags and one HEAD, Digest one HEAD; an image is described only when its
    digest is new. Others than the newest are had by `find`.
    """
    wanted = _read(context, config, name)
    if wanted.strategy == "NewestBuild":
        return Discovered(await _by_date(wanted))
    tags = [wanted.followed] if wanted.strategy == "Digest" else await wanted.registry.tags(wanted.repo_url)
    for tag in wanted.ordered(tags):
        if image := await wanted.image(tag):
            return Discovered((image,))
    return Discovered(())


async def find(context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str) -> Artifact | None:
    """The image with exactly this tag, if the rules let it pass."""
    wanted = _read(context, config, name)
    if _TAG.fullmatch(version) is None or not wanted.ordered([version]):
        return None
    return await wanted.image(version)


async def _by_date(wanted: _Wanted) -> tuple[Image, ...]:
    tags = wanted.ordered(await wanted.registry.tags(wanted.repo_url))
    digests = await _together(wanted.registry.digest(wanted.repo_url, tag) for tag in tags)
    distinct = tuple(dict.fromkeys(digest for digest in digests if digest))
    described = await _together(wanted.registry.describe(wanted.repo_url, digest) for digest in distinct)
    details = dict(zip(distinct, described, strict=True))
    return newest_builds(wanted, [(tag, details[digest]) for tag, digest in zip(tags, digests, strict=True) if digest])


def newest_builds(wanted: _Wanted, found: Iterable[tuple[str, ImageDetails]]) -> tuple[Image, ...]:
    """Latest date first; of equal dates the tag that sorts last. An image without a date is older than all others."""
    by_age = sorted(found, key=lambda item: (item[1].created or _LONG_AGO, item[0]), reverse=True)
    images = (wanted.accepted(tag, details) for tag, details in by_age)
    return tuple(image for image in images if image)[: wanted.limit]


def _read(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> _Wanted:
    strategy = fields.choice(config, "imageSelectionStrategy", ("SemVer", "Lexical", "Digest", "NewestBuild"))
    constraint = fields.text(config, "constraint") or fields.text(config, "semverConstraint")
    if strategy == "Digest" and _TAG.fullmatch(constraint) is None:
        raise fields.mistake(config, f"with strategy Digest, constraint must be the tag to follow, not {constraint!r}")
    registry = context.registry.configured(
        verify_tls=not fields.flag(config, "insecureSkipTLSVerify"),
        immutable_tags=fields.flag(config, "cacheByTag") and strategy != "Digest",
    )
    return _Wanted(
        registry=registry,
        repo_url=image_repository(fields.required(config, "repoURL")),
        strategy=strategy,
        tags=TagRules.read(config, constraint if strategy == "SemVer" else ""),
        followed=constraint if strategy == "Digest" else "",
        platform=_platform(config),
        limit=fields.limit(config),
        name=name,
    )


def _platform(config: Mapping[str, Any]) -> str:
    platform = fields.text(config, "platform")
    parts = platform.split("/")
    if platform and (len(parts) not in {2, 3} or not all(parts)):
        raise fields.mistake(config, f"platform must be like linux/amd64 or linux/arm/v7, not {platform!r}")
    return platform


async def _together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """All results in order; the first failure ends the rest and is raised as it is."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
