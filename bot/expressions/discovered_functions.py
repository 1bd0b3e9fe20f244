"""Kargo's functions over what a warehouse discovered, for `freightCreationCriteria`.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#freight-creation-criteria
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.core.urls import normalize_chart, normalize_git, normalize_image
from bot.expressions.functions import ChartLike, CommitLike, ImageLike, ambiguous
from bot.expressions.values import Function, Record

A = TypeVar("A", CommitLike, ImageLike, ChartLike)
Found = tuple[A, datetime | None]
"""The newest artifact of one subscription, and when it was made, where that is known."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest artifact of every subscription."""

    commits: Sequence[Found[CommitLike]] = ()
    images: Sequence[Found[ImageLike]] = ()
    charts: Sequence[Found[ChartLike]] = ()


def discovered_functions(newest: Newest) -> dict[str, Function]:
    """`commitFrom`, `imageFrom`, `chartFrom` by repository, and `artifactFrom` by the subscription's name.

    Each gives the newest artifact, with Kargo's field names, or nil. Repositories are compared however their addresses
    are spelled. Where two subscriptions are to the same repository, only their names tell them apart.
    """

    def commit_from(url: str) -> Record | None:
        found = [one for one in newest.commits if normalize_git(one[0].repo_url) == normalize_git(url)]
        return _one(url, found, _commit)

    def image_from(url: str) -> Record | None:
        found = [one for one in newest.images if normalize_image(one[0].repo_url) == normalize_image(url)]
        return _one(url, found, _image)

    def chart_from(url: str, name: str = "") -> Record | None:
        found = [
            one
            for one in newest.charts
            if normalize_chart(one[0].repo_url) == normalize_chart(url) and name in {"", one[0].name}
        ]
        return _one(url, found, _chart)

    def artifact_from(subscription: str) -> Record | None:
        artifacts = [
            *((one[0].subscription_name, "git", one[0].tag or one[0].id, _commit(one)) for one in newest.commits),
            *((one[0].subscription_name, "image", one[0].tag, _image(one)) for one in newest.images),
            *((one[0].subscription_name, "chart", one[0].version, _chart(one)) for one in newest.charts),
        ]
        for name, kind, version, record in artifacts:
            if name and name == subscription:
                metadata = {record.keys[field]: value for field, value in record.fields.items()}
                fields = {"ArtifactType": kind, "SubscriptionName": name, "Version": version, "Metadata": metadata}
                return Record("Artifact", fields)
        return None

    return {
        function.name: function
        for function in (
            Function("commitFrom", commit_from, ("string",)),
            Function("imageFrom", image_from, ("string",)),
            Function("chartFrom", chart_from, ("string", "string"), optional=1),
            Function("artifactFrom", artifact_from, ("string",)),
        )
    }


def _one(url: str, found: Sequence[Found[A]], record: Callable[[Found[A]], Record]) -> Record | None:
    if len(found) > 1:
        raise ValueError(ambiguous(url, [one[0].subscription_name for one in found]))
    return record(found[0]) if found else None


def _commit(found: Found[CommitLike]) -> Record:
    commit, created = found
    fields: dict[str, object] = {
        "ID": commit.id,
        "Branch": commit.branch,
        "Tag": commit.tag,
        "Subject": commit.message,
        "Author": commit.author,
        "Committer": commit.committer,
        "CreatorDate": created,
    }
    return _record("DiscoveredCommit", fields)


def _image(found: Found[ImageLike]) -> Record:
    image, created = found
    fields: dict[str, object] = {
        "Tag": image.tag,
        "Digest": image.digest,
        "Annotations": image.annotations,
        "CreatedAt": created,
    }
    return _record("DiscoveredImageReference", fields)


def _chart(found: Found[ChartLike]) -> Record:
    chart, _ = found
    return _record("Chart", {"RepoURL": chart.repo_url, "Name": chart.name, "Version": chart.version})


def _record(name: str, fields: dict[str, object]) -> Record:
    keys = {field: {"RepoURL": "repoURL", "ID": "id"}.get(field, field[:1].lower() + field[1:]) for field in fields}
    return Record(name, fields, keys, omit_empty=True)
