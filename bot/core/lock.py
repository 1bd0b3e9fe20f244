"""The lock of a stage, `.promotion/<stage>.lock`: what is in it, written in the commit that brought it there.

It has no `.yaml` ending, so that no GitOps agent applies it (DESIGN §2). Reading is strict: a freight id that does not
follow from the artifacts beside it makes the lock worthless, for it was not Towpath that wrote it so.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha1
from json import dumps, loads
from typing import Any

import yaml

from bot.core import freight as freight_data
from bot.core.model import CommitSha, Freight, FreightId, RepositoryName, StageName, WarehouseName
from bot.core.notes import Metadata, checked
from bot.core.yaml_depth import too_deep

FOLDER = ".promotion"
LARGEST = 1_000_000  # characters
_SIGNATURE = "# Signed: "
_NOTES = ("renamed", "metadata", "inherited")
_HEADER = "# What is in stage {stage}. Towpath writes this together with the manifests it belongs to; do not edit it.\n"


class Way(StrEnum):
    """How a promotion came to be: it decides which gates apply, and what automation may do with it."""

    AUTOMATION = "automation"
    COMMAND = "command"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Lock:
    """`collection` holds one freight for each warehouse the stage takes from; `promoted` is the one that came last.

    `metadata` is the stage's. Of that of freight, by id, `freight_metadata` was set by this promotion, and `inherited`
    is a copy of what others had set by then; `renamed` is the freight that this promotion gave its alias.
    """

    stage: StageName
    promotion: str
    promoted: FreightId
    collection: tuple[Freight, ...]
    actor: str
    way: Way
    paths: tuple[str, ...] = ()
    request: str = ""  # the command that asked for it, so that one carried out twice is known again
    metadata: Metadata = field(default_factory=dict)
    freight_metadata: Mapping[FreightId, Metadata] = field(default_factory=dict)
    inherited: Mapping[FreightId, Metadata] = field(default_factory=dict)
    renamed: frozenset[FreightId] = frozenset()

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
        **({"metadata": lock.metadata} if lock.metadata else {}),
        "freight": [{**freight_data.to_json(f), **_notes_on(lock, f.id)} for f in lock.collection],
    }
    # By way of JSON nothing in it is the same object twice, which YAML would write as an alias.
    document = loads(dumps(document))
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000)
    return _HEADER.format(stage=lock.stage) + text


def _notes_on(lock: Lock, freight: FreightId) -> dict[str, Any]:
    notes = {
        "renamed": freight in lock.renamed,
        "metadata": lock.freight_metadata.get(freight),
        "inherited": lock.inherited.get(freight),
    }
    return {key: value for key, value in notes.items() if value}


def seal(text: str, key: bytes, repository: RepositoryName, parent: CommitSha) -> str:
    """A lock that Towpath keeps on a branch of its own, where nobody's merge stands for it: with our signature, for the
    one commit that comes after `parent`, so that none can be put back later.

    `key` is the one that records are signed with. Raises ValueError, for it is too large.
    """
    sealed = f"{text}{_SIGNATURE}{_signature(text, key, repository, parent)}\n"
    if len(sealed) > LARGEST:
        raise ValueError("it is too large")
    return sealed


def is_sealed(content: bytes, key: bytes, repository: RepositoryName, parent: CommitSha) -> bool:
    """Whether it is as Towpath wrote it, for this very repository and place in its history."""
    try:
        text, mark, signature = content.decode().rpartition(_SIGNATURE)
    except UnicodeDecodeError:
        return False
    wanted = _signature(text, key, repository, parent)
    return bool(mark) and hmac.compare_digest(signature.strip().encode(), wanted.encode())


def _signature(text: str, key: bytes, repository: RepositoryName, parent: CommitSha) -> str:
    return hmac.digest(key, f"lock of {repository.lower()} after {parent}\n{text}".encode(), "sha256").hex()


def is_lock(path: str) -> bool:
    """Whether a path is that of some stage's lock."""
    return path.startswith(f"{FOLDER}/") and path.endswith(".lock")


def read(content: bytes | str) -> Lock:
    """Raises ValueError with a reason fit for people when it is no lock of ours."""
    if len(content) > LARGEST:
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
    noted = [_freight(entry) for entry in document["freight"]]
    return Lock(
        stage=StageName(str(document["stage"])),
        promotion=str(document["promotion"]),
        promoted=FreightId(str(document["promoted"])),
        collection=tuple(one for one, _ in noted),
        actor=str(document["actor"]),
        way=Way(document["way"]),
        paths=tuple(str(p) for p in document.get("paths") or ()),
        request=str(document.get("request") or ""),
        metadata=_metadata(document.get("metadata")),
        freight_metadata={one.id: found for one, notes in noted if (found := _metadata(notes.get("metadata")))},
        inherited={one.id: found for one, notes in noted if (found := _metadata(notes.get("inherited")))},
        renamed=frozenset(one.id for one, notes in noted if notes.get("renamed") is True),
    )


def _freight(entry: Any) -> tuple[Freight, dict[str, Any]]:
    """The freight, and what is noted on it."""
    if not isinstance(entry, dict):
        raise ValueError("its freight is not a mapping")
    notes = {key: value for key, value in entry.items() if key in _NOTES}
    return freight_data.from_json({key: value for key, value in entry.items() if key not in _NOTES}), notes


def _metadata(values: Any) -> Metadata:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError("metadata in it is not a mapping")
    checked(values)
    return values
