"""What the documents of an image say: manifests, indexes and configs, read without asking anybody.

https://github.com/opencontainers/image-spec/blob/main/image-index.md, and for dates Kargo's order of preference:
https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#image-selection-strategies
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.contracts.subscriptions import ImageDetails

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
# Left out of this list, an index would be answered with one of its children, which has another digest.
ACCEPT = ", ".join((*INDEXES, *MANIFESTS))
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
MOST_IMAGES = 200
_CREATED = ("org.opencontainers.image.created", "org.label-schema.build-date")
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Malformed(ValueError):
    """A document that is not what its place says it should be; the text says how."""


@dataclass(frozen=True, slots=True)
class Child:
    """One image that an index lists. `created` is known only if the index says so."""

    digest: str
    platform: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `children` are its images; attestations and other companions are left out."""

    annotations: Mapping[str, str]
    created: datetime | None
    children: tuple[Child, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A single image. `created` is known only if its own annotations say so."""

    annotations: Mapping[str, str]
    created: datetime | None
    config_digest: str


@dataclass(frozen=True, slots=True)
class Config:
    """`platform` is "" when the config tells none."""

    created: datetime | None
    platform: str


def read_manifest(body: bytes) -> Index | Manifest:
    """Raises Malformed."""
    data = read_object(body)
    annotations = _texts(data.get("annotations"))
    if isinstance(data.get("manifests"), list):
        children = tuple(child for entry in data["manifests"] if (child := _child(entry)))
        if not children:
            raise Malformed("it is an index without an image")
        if len(children) > MOST_IMAGES:
            raise Malformed(f"it is an index of {len(children)} images, more than {MOST_IMAGES}")
        return Index(annotations, created(annotations), children)
    config = data.get("config")
    if isinstance(config, Mapping):
        return Manifest(annotations, created(annotations), _digest(config))
    raise Malformed("it is neither an image nor an index of images")


def read_config(body: bytes) -> Config:
    """Raises Malformed."""
    data = read_object(body)
    inner = data.get("config")
    labels = _texts(inner.get("Labels")) if isinstance(inner, Mapping) else {}
    dates = [date for date in (created(labels), _date(data.get("created"))) if date]
    return Config(max(dates, default=None), _platform(data))


def details(digest: str, found: Index | Manifest, created: datetime | None = None, platform: str = "") -> ImageDetails:
    """What a document tells of its image; of a date and a platform, what it tells itself comes first."""
    if isinstance(found, Index):
        platforms = tuple(dict.fromkeys(child.platform for child in found.children))
    else:
        platforms = (platform,) if platform else ()
    return ImageDetails(digest, found.created or created, found.annotations, platforms)


def created(annotations: Mapping[str, str]) -> datetime | None:
    """The date of creation that annotations or labels tell."""
    return next((date for key in _CREATED if (date := _date(annotations.get(key)))), None)


def newest(dates: Sequence[datetime | None]) -> datetime | None:
    return max((date for date in dates if date), default=None)


def _child(entry: object) -> Child | None:
    """An entry of an index, or None if it is no image: without platform, or an attestation (`unknown/unknown`).

    https://docs.docker.com/build/metadata/attestations/attestation-storage/
    """
    platform = entry.get("platform") if isinstance(entry, Mapping) else None
    text = _platform(platform) if isinstance(platform, Mapping) else ""
    if not text or not isinstance(entry, Mapping):
        return None
    return Child(_digest(entry), text, created(_texts(entry.get("annotations"))))


def _platform(data: Mapping[str, Any]) -> str:
    parts = [data.get("os"), data.get("architecture"), data.get("variant")]
    texts = [part if isinstance(part, str) else "" for part in parts]
    if {"", "unknown"} & set(texts[:2]):
        return ""
    return "/".join(filter(None, texts))


def _digest(descriptor: Mapping[str, Any]) -> str:
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or DIGEST.fullmatch(digest) is None:
        raise Malformed("it refers to something by a digest that is none")
    return digest


def read_object(body: bytes) -> Mapping[str, Any]:
    """Raises Malformed for what is no JSON object."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is not JSON") from error
    if not isinstance(data, dict):
        raise Malformed("it is not a JSON object")
    return data


def _texts(data: object) -> Mapping[str, str]:
    if not isinstance(data, Mapping):
        return {}
    return {key: value for key, value in data.items() if isinstance(value, str)}


def _date(text: object) -> datetime | None:
    """An RFC 3339 time; None for anything else, and for the year 1, which is how Go writes that there is none."""
    if not isinstance(text, str) or re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ][\d:.]+([Zz]|[+-]\d\d:\d\d)", text) is None:
        return None
    try:
        # Builders write nanoseconds, of which Python keeps six digits.
        date = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))
        return date if date > _NEVER else None
    except (ValueError, OverflowError):
        return None
