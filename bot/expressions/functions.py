"""Kargo's functions over freight and steps. https://docs.kargo.io/user-guide/reference-docs/expressions#functions"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bot.core.urls import normalize_git
from bot.errors import UserError
from bot.expressions.values import Function, Record

ORIGIN = "FreightOrigin"
T = TypeVar("T")


class CommitLike(Protocol):
    """A commit of freight."""

    @property
    def repo_url(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def branch(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def committer(self) -> str: ...
    @property
    def subscription_name(self) -> str: ...


class ImageLike(Protocol):
    """An image of freight."""

    @property
    def repo_url(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def annotations(self) -> Mapping[str, str]: ...
    @property
    def subscription_name(self) -> str: ...


class ChartLike(Protocol):
    """A chart of freight; one from an OCI registry has no name."""

    @property
    def repo_url(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def subscription_name(self) -> str: ...


class FreightLike(Protocol):
    """The artifacts that came from one warehouse together."""

    @property
    def origin(self) -> str: ...
    @property
    def commits(self) -> Sequence[CommitLike]: ...
    @property
    def images(self) -> Sequence[ImageLike]: ...
    @property
    def charts(self) -> Sequence[ChartLike]: ...


_COMMIT_FIELDS = {
    "RepoURL": "repo_url",
    "ID": "id",
    "Branch": "branch",
    "Tag": "tag",
    "Message": "message",
    "Author": "author",
    "Committer": "committer",
    "SubscriptionName": "subscription_name",
}
_IMAGE_FIELDS = {
    "RepoURL": "repo_url",
    "Tag": "tag",
    "Digest": "digest",
    "Annotations": "annotations",
    "SubscriptionName": "subscription_name",
}
_CHART_FIELDS = {
    "RepoURL": "repo_url",
    "Name": "name",
    "Version": "version",
    "SubscriptionName": "subscription_name",
}
_KEYS = {
    name: {"RepoURL": "repoURL", "ID": "id"}.get(name, name[:1].lower() + name[1:])
    for name in (*_COMMIT_FIELDS, *_IMAGE_FIELDS, *_CHART_FIELDS)
}


def _record(name: str, fields: Mapping[str, str], artifact: object) -> Record:
    return Record(name, {field: getattr(artifact, own) for field, own in fields.items()}, _KEYS, omit_empty=True)


def freight_functions(collection: Iterable[FreightLike]) -> dict[str, Function]:
    """`commitFrom`, `imageFrom`, `chartFrom`, `artifactFrom` and `warehouse` over the freight at hand.

    Each gives the artifact, with Kargo's field names (`.ID`, `.Tag`, `.Digest`, `.Version` …), or nil. Repositories of
    commits are compared however their URLs are spelled, all others to the letter. If two pieces of freight have such an
    artifact, the expression has to say which warehouse it means: `imageFrom(url, warehouse("name"))`.
    """
    pieces = tuple(collection)

    def commit_from(url: str, origin: Record | None = None) -> Record | None:
        wanted = normalize_git(url)
        found = [(f.origin, c) for f in pieces for c in f.commits if normalize_git(c.repo_url) == wanted]
        artifact = _one(f"a commit from {url}", found, origin)
        return None if artifact is None else _record("GitCommit", _COMMIT_FIELDS, artifact)

    def image_from(url: str, origin: Record | None = None) -> Record | None:
        found = [(f.origin, image) for f in pieces for image in f.images if image.repo_url == url]
        artifact = _one(f"an image from {url}", found, origin)
        return None if artifact is None else _record("Image", _IMAGE_FIELDS, artifact)

    def chart_from(url: str, *more: object) -> Record | None:
        name, origin = _chart_arguments(more)
        found = [(f.origin, chart) for f in pieces for chart in f.charts if (chart.repo_url, chart.name) == (url, name)]
        artifact = _one(f"a chart from {url}", found, origin)
        if artifact is None and origin is None:
            raise ValueError(f"no chart {name + ' ' if name else ''}from {url} in this freight")
        return None if artifact is None else _record("Chart", _CHART_FIELDS, artifact)

    def artifact_from(subscription: str, origin: Record | None = None) -> Record | None:
        found: list[tuple[str, Record]] = []
        for piece in pieces:
            artifacts: list[tuple[str, str, Mapping[str, str], Any]] = [
                *(("git", commit.id, _COMMIT_FIELDS, commit) for commit in piece.commits),
                *(("image", image.tag, _IMAGE_FIELDS, image) for image in piece.images),
                *(("chart", chart.version, _CHART_FIELDS, chart) for chart in piece.charts),
            ]
            for kind, version, fields, artifact in artifacts:
                if artifact.subscription_name == subscription:
                    metadata = {_KEYS[field]: getattr(artifact, own) for field, own in fields.items()}
                    values = (kind, subscription, version, metadata)
                    found.append((piece.origin, Record("Artifact", dict(zip(_ARTIFACT, values, strict=True)))))
        return _one(f"an artifact of the subscription {subscription}", found, origin)

    return {
        function.name: function
        for function in (
            Function("warehouse", _warehouse, ("string",), ORIGIN),
            Function("commitFrom", commit_from, ("string", ORIGIN), optional=1),
            Function("imageFrom", image_from, ("string", ORIGIN), optional=1),
            Function("chartFrom", chart_from, ("string", "any", ORIGIN), optional=2),
            Function("artifactFrom", artifact_from, ("string", ORIGIN), optional=1),
        )
    }


_ARTIFACT = ("ArtifactType", "SubscriptionName", "Version", "Metadata")


def _warehouse(name: str) -> Record:
    return Record(ORIGIN, {"Kind": "Warehouse", "Name": name}, {"Kind": "kind", "Name": "name"})


def _chart_arguments(more: Sequence[object]) -> tuple[str, Record | None]:
    match more:
        case ():
            return "", None
        case (str(name),):
            return name, None
        case (str(name), Record() as origin):
            return name, origin
        case (Record(name=kind) as origin,) if kind == ORIGIN:
            return "", origin
    raise ValueError("after the URL come the chart's name, a warehouse, or both in this order")


def _one(what: str, found: Sequence[tuple[str, T]], origin: Record | None) -> T | None:
    """The artifact from the origin, or from the only one there is; of two under different names neither."""
    if origin is not None:
        found = [one for one in found if one[0] == origin.fields["Name"]]
    origins = sorted({name for name, _ in found})
    if len(origins) > 1:
        raise ValueError(
            f"{what} came from the warehouses {' and '.join(origins)}: "
            f'say which is meant, as in warehouse("{origins[0]}")'
        )
    names = [str(getattr(artifact, "subscription_name", "")) for _, artifact in found]
    if len(set(names)) > 1:
        raise ValueError(ambiguous(what, names))
    return found[0][1] if found else None


def ambiguous(what: str, names: Sequence[str]) -> str:
    """What to say where several subscriptions to one repository, by these names, could be meant."""
    listed = " and ".join(name or "one without a name" for name in names)
    return (
        f'{what} is there by several names, {listed}: say which, as in artifactFrom("{next(filter(None, names), "")}")'
    )


def lookup_function(name: str, values: Mapping[str, object], missing: object = None) -> Function:
    """A function of one name that looks it up: `sharedSecret`, `configMap` and the like."""
    return Function(name, lambda key: values.get(key, missing), ("string",))


def metadata_functions(
    stages: Mapping[str, Mapping[str, object]],
    freight: Mapping[str, Mapping[str, object]],
    status: Callable[[str], Mapping[str, object] | None],
) -> dict[str, Function]:
    """`stageMetadata(stage)`, `freightMetadata(id)` and `freightStatus(id)`: a map, or nil where there is nothing.

    The status has the metadata in it. `freightMetadata(id, key)` gives one value of the map, as Kargo did before 1.10.
    """

    def stage_metadata(name: str) -> Mapping[str, object] | None:
        return stages.get(_given(name, "stage")) or None

    def freight_metadata(name: str, *key: str) -> object:
        values = freight.get(_given(name, "freight")) or None
        return values if not key or values is None else values.get(key[0])

    def freight_status(name: str) -> Mapping[str, object] | None:
        values, metadata = status(_given(name, "freight")), freight.get(name)
        return values if values is None or not metadata else {**values, "metadata": metadata}

    return {
        function.name: function
        for function in (
            Function("stageMetadata", stage_metadata, ("string",)),
            Function("freightMetadata", freight_metadata, ("string", "string"), optional=1),
            Function("freightStatus", freight_status, ("string",)),
        )
    }


def _given(name: str, what: str) -> str:
    if not name:
        raise ValueError(f"which {what}? The name is empty")
    return name


def secret_functions(named: Callable[[str], Mapping[str, str]]) -> dict[str, Function]:
    """`secret(name)` gives a secret of the repository's own by key, an empty map when there is none.

    So do, always, `sharedSecret`, `configMap` and `sharedConfigMap`: Towpath keeps neither what all repositories share
    nor what is no secret (that belongs in variables). UserError of `named` is a mistake in the expression.
    """

    def secret(name: str) -> Mapping[str, str]:
        try:
            return named(name)
        except UserError as error:
            raise ValueError(str(error)) from error

    empty = {name: lookup_function(name, {}, {}) for name in ("sharedSecret", "configMap", "sharedConfigMap")}
    return {"secret": Function("secret", secret, ("string",)), **empty}


def status_functions(statuses: Mapping[str, str], *, failed: bool, task: str = "") -> dict[str, Function]:
    """`always`, `success`, `failure` and `status(alias)` over the steps that have run.

    `statuses` are Kargo's words ("Succeeded", "Failed" …) by alias; `failed` whether a step that counts has failed.
    In a step of a task, `status` means the steps of that task by their own aliases.
    """

    def status(alias: str) -> str:
        if not alias:
            raise ValueError("which step? The alias is empty")
        return statuses.get(f"{task}::{alias}" if task else alias, "")

    return {
        function.name: function
        for function in (
            Function("always", lambda: True, (), "bool"),
            Function("success", lambda: not failed, (), "bool"),
            Function("failure", lambda: failed, (), "bool"),
            Function("status", status, ("string",), "string"),
        )
    }
