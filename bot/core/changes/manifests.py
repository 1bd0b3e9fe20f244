"""Rendered files as Kubernetes resources. What can't be read as such is left to be told of as a file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bot.core.plain_yaml import PlainLoader
from bot.core.yaml_depth import too_deep

Data = Mapping[str, Any]

_LARGEST = 8 * 1024 * 1024  # bytes; a file beyond this is told of by its lines only
_ALIAS = re.compile(rb"(?:^|[\s\[{,])\*[^\s*]", re.MULTILINE)


class Unreadable(Exception):
    """Not YAML, or not YAML that is worth the risk; the file's lines still tell something."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What makes a resource the same one: the version of its API may change, these may not.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
    """

    group: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Resource:
    identity: Identity
    path: str
    data: Data


def documents(content: bytes) -> list[Any]:
    """Every document of a YAML file. Raises Unreadable.

    A file with aliases counts as unreadable: rendered manifests have none, and aliases make a small file a large one.
    """
    if len(content) > _LARGEST or b"\0" in content or too_deep(content):
        raise Unreadable
    if _ALIAS.search(content) and _has_aliases(content):
        raise Unreadable
    try:
        return [one for one in yaml.load_all(content, Loader=PlainLoader) if one is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable from error


def _has_aliases(content: bytes) -> bool:
    try:
        return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable from error


def resources(documents: list[Any], path: str) -> list[Resource] | None:
    """The documents as resources, lists taken apart; None where any of them is something else."""
    found = []
    for document in documents:
        for data in _flattened(document):
            identity = _identity(data)
            if identity is None:
                return None
            found.append(Resource(identity, path, data))
    return found


def _flattened(document: Any) -> Iterator[Any]:
    """The items of a `List`, or of any other list kind; anything else as it is.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#collections
    """
    is_list = isinstance(document, dict) and str(document.get("kind", "")).endswith("List")
    items = document.get("items") if is_list else None
    if not isinstance(items, list):
        yield document
        return
    kind = str(document["kind"]).removesuffix("List")
    for item in items:
        typed = {"apiVersion": document.get("apiVersion"), "kind": kind} if kind else {}
        yield from _flattened({**typed, **item} if isinstance(item, dict) else item)


def _identity(data: Any) -> Identity | None:
    if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict):
        return None
    version, kind, about = data.get("apiVersion"), data.get("kind"), data["metadata"]
    name = about.get("name", about.get("generateName"))
    if not isinstance(version, str) or not isinstance(kind, str) or name is None:
        return None
    group = version.rpartition("/")[0]
    return Identity(group, kind, str(about.get("namespace") or ""), str(name))
