"""Container images in any OCI registry.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#image-subscriptions
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.contracts import Discovered, DiscoveryContext, ImageDetails, Registry, Schema
from bot.core.model import Artifact, Image
from bot.core.news import News
from bot.core.urls import image_repository, normalize_image
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
_STRATEGIES = ("SemVer", "Lexical", "Digest", "NewestBuild")
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
    dates: bool

    def ordered(self, tags: Iterable[str]) -> list[str]:
        """The tags that may be it, best first where their names alone tell."""
        if self.strategy == "Digest":
            return [tag for tag in tags if tag == self.followed]
        if self.strategy == "SemVer":
            return self.tags.by_version(tags)
        return self.tags.by_name(tags)

    async def details(self, tag: str) -> ImageDetails | None:
        """What a tag stands for now, or None if it is gone by now."""
        dates = self.dates or bool(self.platform) or self.strategy == "NewestBuild"
        return await self.registry.image(self.repo_url, tag, dates=dates)

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
        return await _by_date(wanted)
    if wanted.strategy == "Digest":
        return await _first(wanted, [wanted.followed], "")
    tags = await wanted.registry.tags(wanted.repo_url)
    state, previous = _state(tags), context.previous
    # Of the same tags the same one is the newest, and most of a poll is putting them in order. With a platform, a tag
    # before it may have moved to an image that has it.
    if previous and previous.state == state and previous.artifacts and not wanted.platform:
        known = [artifact.tag for artifact in previous.artifacts[:1] if isinstance(artifact, Image)]
        if (found := await _first(wanted, known, state)).artifacts:
            return found
    return await _first(wanted, tags, state)


async def _first(wanted: _Wanted, tags: Iterable[str], state: str) -> Discovered:
    for tag in wanted.ordered(tags):
        details = await wanted.details(tag)
        if details and (image := wanted.accepted(tag, details)):
            return Discovered((image,), (details.created,), state)
    return Discovered(())


def _state(tags: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(tags).encode()).hexdigest()


async def find(context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str) -> Artifact | None:
    """The image with exactly this tag, if the rules let it pass."""
    wanted = _read(context, config, name)
    if _TAG.fullmatch(version) is None or not wanted.ordered([version]):
        return None
    details = await wanted.details(version)
    return wanted.accepted(version, details) if details else None


def address(config: Mapping[str, Any]) -> str:
    return normalize_image(image_repository(fields.required(config, "repoURL")))


def concerned(config: Mapping[str, Any], news: News) -> bool:
    """By the tag's name."""
    strategy = fields.choice(config, "imageSelectionStrategy", _STRATEGIES)
    constraint = fields.text(config, "constraint") or fields.text(config, "semverConstraint")
    if not news.version:
        return True
    if strategy == "Digest":
        return news.version == constraint
    if strategy == "SemVer":
        return bool(TagRules.read(config, constraint).by_version([news.version]))
    return bool(TagRules.read(config, "").named([news.version]))


async def _by_date(wanted: _Wanted) -> Discovered:
    tags = wanted.ordered(await wanted.registry.tags(wanted.repo_url))
    described = await _together(wanted.details(tag) for tag in tags)
    return newest_builds(wanted, [(tag, details) for tag, details in zip(tags, described, strict=True) if details])


def newest_builds(wanted: _Wanted, found: Iterable[tuple[str, ImageDetails]]) -> Discovered:
    """Latest date first; of equal dates the tag that sorts last. An image without a date is older than all others."""
    by_age = sorted(found, key=lambda item: (item[1].created or _LONG_AGO, item[0]), reverse=True)
    images = [(image, details.created) for tag, details in by_age if (image := wanted.accepted(tag, details))]
    chosen = images[: wanted.limit]
    return Discovered(tuple(image for image, _ in chosen), tuple(date for _, date in chosen))


def _read(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> _Wanted:
    strategy = fields.choice(config, "imageSelectionStrategy", _STRATEGIES)
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
        dates=context.dates,
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
