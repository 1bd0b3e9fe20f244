"""Freight from artifacts: its id (Kargo's, so ids are portable), its alias, its JSON, and the words people use for it.

https://docs.kargo.io/user-guide/how-to-guides/working-with-freight
"""

import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core.aliases import ADJECTIVES, ANIMALS
from bot.core.model import Artifact, Chart, Commit, CommitSha, Freight, FreightId, Image, WarehouseName
from bot.core.notes import is_alias
from bot.core.urls import image_repository, normalize_chart, normalize_git, normalize_image, short_name

_SHORTEST_PREFIX = 7


def make_freight(origin: WarehouseName, artifacts: Iterable[Artifact], discovered_at: datetime | None) -> Freight:
    """The freight that these artifacts of one warehouse make. Equal artifacts make equal freight, in any order.

    `discovered_at` is aware.
    """
    images: list[Image] = []
    charts: list[Chart] = []
    commits: list[Commit] = []
    for artifact in artifacts:
        if isinstance(artifact, Image):
            images.append(artifact)
        elif isinstance(artifact, Chart):
            charts.append(artifact)
        else:
            commits.append(artifact)
    name = freight_id(origin, (*images, *charts, *commits))
    return Freight(
        id=name,
        alias=alias_of(name),
        origin=origin,
        commits=tuple(commits),
        images=tuple(images),
        charts=tuple(charts),
        discovered_at=discovered_at,
    )


def freight_id(origin: str, artifacts: Iterable[Artifact], *, kind: str = "Warehouse") -> FreightId:
    """The id that follows from the content: the same that Kargo computes (`GenerateFreightID`), 40 hex digits."""
    parts = sorted(_identity(artifact) for artifact in artifacts)
    text = f"{kind}/{origin}:{'|'.join(parts)}"
    return FreightId(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _identity(artifact: Artifact) -> str:
    name = f":{artifact.subscription_name}" if artifact.subscription_name else ""
    if isinstance(artifact, Image):
        return f"{artifact.repo_url}:{artifact.tag}@{artifact.digest}{name}"
    if isinstance(artifact, Chart):
        return f"{_joined(normalize_chart(artifact.repo_url), artifact.name)}:{artifact.version}{name}"
    tag = f"{artifact.tag}:" if artifact.tag else ""
    return f"{normalize_git(artifact.repo_url)}:{tag}{artifact.id}{name}"


def _joined(url: str, name: str) -> str:
    """Go's `path.Join`, which makes `https:/` of `https://`; ids depend on it."""
    path = "/".join(part for part in (url, name) if part)
    return re.sub(r"^/+", "/", posixpath.normpath(path)) if path else ""


def alias_of(name: FreightId) -> str:
    """A name to say aloud, such as `brisk-heron`: always the same for the same id, but not unique."""
    animal, rest = divmod(int(name, 16), len(ADJECTIVES))
    return f"{ADJECTIVES[rest]}-{ANIMALS[animal % len(ANIMALS)]}"


# --- words for people --------------------------------------------------------------------------------


def describe(freight: Freight) -> str:
    """One line about the content, such as `service 1.0.0, chart 0.3.1`."""
    return ", ".join(named(freight, item) for item in freight.artifacts) or "nothing"


def named(freight: Freight, artifact: Artifact) -> str:
    """One artifact of the freight as people know it, such as `service 1.0.0`."""
    return f"{_label(freight, artifact)} {_shown(artifact)}"


def version_of(freight: Freight) -> str:
    """What a person would type after `/promote STAGE` to mean this content.

    One version where that says it all, else `name=version` pairs.
    """
    versions = {version(artifact) for artifact in freight.artifacts}
    if len(versions) == 1:
        return versions.pop()
    return " ".join(f"{_label(freight, item)}={version(item)}" for item in freight.artifacts)


def version(artifact: Artifact) -> str:
    """The version of one artifact: tag, chart version, or the first seven digits of a commit without a tag."""
    if isinstance(artifact, Image):
        return artifact.tag
    if isinstance(artifact, Chart):
        return artifact.version
    return artifact.tag or artifact.id[:7]


def names_of(artifact: Artifact) -> tuple[str, ...]:
    """The names an artifact goes by: that of its subscription, the short one, its address."""
    if isinstance(artifact, Image):
        url = image_repository(artifact.repo_url)
        names = [short_name(url), url, normalize_image(url)]
    elif isinstance(artifact, Chart):
        names = [artifact.name or short_name(artifact.repo_url), artifact.repo_url]
    else:
        names = [short_name(artifact.repo_url), artifact.repo_url, normalize_git(artifact.repo_url)]
    return tuple(dict.fromkeys(filter(None, (artifact.subscription_name, *names))))


def _label(freight: Freight, artifact: Artifact) -> str:
    """The shortest name that is no other artifact's."""
    others = {name for item in freight.artifacts if item is not artifact for name in names_of(item)}
    names = names_of(artifact)
    return next((name for name in names if name not in others), names[0])


def _shown(artifact: Artifact) -> str:
    text = version(artifact)
    if isinstance(artifact, Image) and not any(letter.isdigit() for letter in text):
        # A tag such as `latest` moves; only the digest tells two of its images apart.
        return f"{text} ({artifact.digest.rpartition(':')[2][:7]})"
    return text


def matches(freight: Freight, text: str) -> bool:
    """Whether `text`, as typed after `/promote STAGE`, means this freight.

    Each word is the id or at least its first seven digits, the alias, the version of an artifact, or `name=version`.
    All words must fit; no word fits nothing.
    """
    words = text.split()
    return bool(words) and all(_word_matches(freight, word) for word in words)


def _word_matches(freight: Freight, word: str) -> bool:
    lowered = word.lower()
    if _is_prefix(lowered, freight.id) or lowered == freight.alias.lower():
        return True
    if any(has_version(artifact, word) for artifact in freight.artifacts):
        return True
    name, equals, wanted = word.partition("=")
    return bool(equals) and any(
        name.lower() in (known.lower() for known in names_of(artifact)) and has_version(artifact, wanted)
        for artifact in freight.artifacts
    )


def has_version(artifact: Artifact, wanted: str) -> bool:
    """Whether a person means this artifact by this version: its own, the beginning of a digest or of a commit's id."""
    if _without_v(wanted) == _without_v(version(artifact)):
        return True
    if isinstance(artifact, Image):
        return _is_prefix(wanted.lower().removeprefix("sha256:"), artifact.digest.removeprefix("sha256:"))
    return isinstance(artifact, Commit) and _is_prefix(wanted.lower(), artifact.id)


def spellings(wanted: str) -> tuple[str, ...]:
    """How a version may be spelled where it is: as written, or with or without the `v` before its digits."""
    other = _without_v(wanted) if _without_v(wanted) != wanted else f"v{wanted}" if wanted[:1].isdigit() else ""
    return (wanted, other) if other else (wanted,)


def _is_prefix(text: str, whole: str) -> bool:
    return len(text) >= _SHORTEST_PREFIX and whole.startswith(text)


def _without_v(text: str) -> str:
    return text[1:] if re.match(r"v\d", text) else text


# --- JSON --------------------------------------------------------------------------------------------


def to_json(freight: Freight) -> dict[str, Any]:
    """The freight as JSON values, under Kargo's names; what is empty is left out. `from_json` reads it back."""
    data: dict[str, Any] = {
        "id": freight.id,
        "alias": freight.alias,
        "origin": {"kind": "Warehouse", "name": freight.origin},
    }
    if freight.discovered_at is not None:
        data["discoveredAt"] = freight.discovered_at.isoformat()
    lists: tuple[tuple[str, Sequence[Artifact]], ...] = (
        ("images", freight.images),
        ("charts", freight.charts),
        ("commits", freight.commits),
    )
    data.update({key: [artifact_to_json(artifact) for artifact in items] for key, items in lists if items})
    return data


_FIELDS: Mapping[type[Artifact], Mapping[str, str]] = {
    Image: {"repoURL": "repo_url", "tag": "tag", "digest": "digest", "annotations": "annotations"},
    Chart: {"repoURL": "repo_url", "name": "name", "version": "version"},
    Commit: {
        "repoURL": "repo_url",
        "id": "id",
        "branch": "branch",
        "tag": "tag",
        "message": "message",
        "author": "author",
        "committer": "committer",
    },
}
_REQUIRED = {"repoURL", "digest", "version", "id"}


def artifact_to_json(artifact: Artifact) -> dict[str, Any]:
    """One artifact under Kargo's field names; what is empty is left out."""
    fields = {**_FIELDS[type(artifact)], "subscriptionName": "subscription_name"}
    values = {key: getattr(artifact, name) for key, name in fields.items()}
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in values.items() if value}


def from_json(data: object) -> Freight:
    """Read what `to_json` wrote. Raises ValueError, which says what is wrong, if the id isn't that of the content."""
    freight = _object(data, "freight", {"id", "alias", "origin", "discoveredAt", "images", "charts", "commits"})
    origin = _object(freight.get("origin"), "origin", {"kind", "name"})
    if origin.get("kind") != "Warehouse":
        raise ValueError(f"origin.kind is {origin.get('kind')!r}, not 'Warehouse'")
    alias = _text(freight, "alias", "freight")
    if not is_alias(alias):
        raise ValueError(f"freight.alias {alias!r} is no name for freight")
    images = tuple(Image(**item) for item in _artifacts(freight, "images", Image))
    charts = tuple(Chart(**item) for item in _artifacts(freight, "charts", Chart))
    commits = tuple(Commit(**{**item, "id": CommitSha(item["id"])}) for item in _artifacts(freight, "commits", Commit))
    name = WarehouseName(_text(origin, "name", "origin"))
    expected = freight_id(name, (*images, *charts, *commits))
    if _text(freight, "id", "freight") != expected:
        raise ValueError(f"freight.id is {freight['id']!r}, but its content makes {expected!r}")
    return Freight(expected, alias, name, commits, images, charts, _time(freight.get("discoveredAt")))


def _artifacts(freight: Mapping[str, Any], key: str, kind: type[Artifact]) -> list[dict[str, Any]]:
    items = freight.get(key, [])
    if not isinstance(items, list):
        raise ValueError(f"freight.{key} is not a list")
    fields = {**_FIELDS[kind], "subscriptionName": "subscription_name"}
    return [_artifact(item, f"{key}[{index}]", fields) for index, item in enumerate(items)]


def _artifact(data: object, where: str, fields: Mapping[str, str]) -> dict[str, Any]:
    found = _object(data, where, set(fields))
    values: dict[str, Any] = {}
    for key, name in fields.items():
        if key == "annotations":
            annotations = _object(found.get(key, {}), f"{where}.{key}", None)
            if not all(isinstance(value, str) for value in annotations.values()):
                raise ValueError(f"{where}.{key} has a value that is not a text")
            values[name] = dict(annotations)
        elif key in found or key in _REQUIRED:
            values[name] = _text(found, key, where)
        else:
            values[name] = ""
    return values


def _object(data: object, where: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError(f"{where} is not an object")
    unknown = sorted(key for key in data if not isinstance(key, str) or (known is not None and key not in known))
    if unknown:
        raise ValueError(f"{where} has a field {unknown[0]!r} that is not known")
    return data


def _text(data: Mapping[str, Any], key: str, where: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}.{key} is {'missing' if key not in data else 'not a text with something in it'}")
    return value


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"freight.discoveredAt is {value!r}, not a time with its zone")
    return moment
