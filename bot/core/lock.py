"""The lock of a stage, `.promotion/<stage>.lock`: what is in it, written in the commit that brought it there.

It has no `.yaml` ending, so that no GitOps agent applies it (DESIGN §2). Reading is strict: a freight id that does not
follow from the artifacts beside it makes the lock worthless, for it was not Towpath that wrote it so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1
from typing import Any

import yaml

from bot.core import freight as freight_data
from bot.core.model import Freight, FreightId, StageName, WarehouseName
from bot.core.yaml_depth import too_deep

FOLDER = ".promotion"
_LARGEST = 1_000_000
_HEADER = "# What is in stage {stage}. Towpath writes this together with the manifests it belongs to; do not edit it.\n"


class Way(StrEnum):
    """How a promotion came to be: it decides which gates apply, and what automation may do with it."""

    AUTOMATION = "automation"
    COMMAND = "command"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Lock:
    """`collection` holds one freight for each warehouse the stage takes from; `promoted` is the one that came last."""

    stage: StageName
    promotion: str
    promoted: FreightId
    collection: tuple[Freight, ...]
    actor: str
    way: Way
    paths: tuple[str, ...] = ()
    request: str = ""  # the command that asked for it, so that one carried out twice is known again

    @property
    def freight(self) -> Freight:
        return next(f for f in self.collection if f.id == self.promoted)

    def freight_of(self, origin: WarehouseName) -> Freight | None:
        return next((f for f in self.collection if f.origin == origin), None)

    @property
    def content_id(self) -> str:
        return collection_id(self.collection)


def path(stage: StageName) -> str:
    return f"{FOLDER}/{stage}.lock"


def collection_id(collection: Sequence[Freight]) -> str:
    """What a verification judged: the freight's id, or Kargo's collection id where a stage takes from several."""
    ids = sorted(f.id for f in collection)
    return ids[0] if len(ids) == 1 else sha1(",".join(ids).encode(), usedforsecurity=False).hexdigest()


def replace(collection: Sequence[Freight], freight: Freight) -> tuple[Freight, ...]:
    """The collection with the freight of one warehouse exchanged."""
    return (*(f for f in collection if f.origin != freight.origin), freight)


def write(lock: Lock) -> str:
    document = {
        "stage": str(lock.stage),
        "promotion": lock.promotion,
        "promoted": str(lock.promoted),
        "actor": lock.actor,
        "way": lock.way.value,
        "request": lock.request,
        "paths": list(lock.paths),
        "freight": [freight_data.to_json(f) for f in lock.collection],
    }
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000)
    return _HEADER.format(stage=lock.stage) + text


def is_lock(path: str) -> bool:
    """Whether a path is that of some stage's lock."""
    return path.startswith(f"{FOLDER}/") and path.endswith(".lock")


def read(content: bytes | str) -> Lock:
    """Raises ValueError with a reason fit for people when it is no lock of ours."""
    if len(content) > _LARGEST:
        raise ValueError("it is too large")
    if too_deep(content):
        raise ValueError("it is nested too deep")
    try:
        # Small texts can make enormous values of aliases; ours have none.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, Loader=yaml.CSafeLoader)):
            raise ValueError("it has a YAML alias")
        document = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is not YAML") from error
    if not isinstance(document, Mapping):
        raise ValueError("it is not a mapping")
    try:
        lock = _from_document(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error} is missing or malformed") from error
    if lock.promoted not in {f.id for f in lock.collection}:
        raise ValueError(f"freight {lock.promoted[:7]} is promoted but not listed")
    return lock


def _from_document(document: Mapping[str, Any]) -> Lock:
    return Lock(
        stage=StageName(str(document["stage"])),
        promotion=str(document["promotion"]),
        promoted=FreightId(str(document["promoted"])),
        collection=tuple(freight_data.from_json(f) for f in document["freight"]),
        actor=str(document["actor"]),
        way=Way(document["way"]),
        paths=tuple(str(p) for p in document.get("paths") or ()),
        request=str(document.get("request") or ""),
    )
