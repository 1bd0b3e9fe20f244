"""The promotion record: a hidden, signed block in the pull request's body.

It carries what the steps after the merge need. Anybody with write access may edit a body, so the block is believed
only if its signature holds and it names this very repository and stage (DESIGN §2); else it is derived anew.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core import freight as freight_data
from bot.core.lock import Way
from bot.core.model import CommitSha, Freight, FreightId, RepositoryName, StageName
from bot.expressions.values import Function
from bot.expressions.values import Record as ExpressionRecord

_BLOCK = re.compile(r"<!-- towpath:record ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+) -->")
_PURPOSE = b"towpath promotion record v1"


@dataclass(frozen=True, slots=True)
class Record:
    """One promotion as its pull request remembers it.

    `base` is the commit of the default branch that was rendered, "" where the steps took no sources from there;
    `outputs` are those of the steps before the pull request, by alias; `opened_by` is the alias of the step that
    opens it; `steps` and `vars` are what comes after. `head` is the commit that was proposed, "" where none is known.
    """

    repository: RepositoryName
    stage: StageName
    promotion: str
    promoted: FreightId
    collection: tuple[Freight, ...]
    actor: str
    way: Way
    request: str
    base: CommitSha
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    opened_by: str = ""
    head: str = ""
    steps: tuple[Mapping[str, Any], ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)

    @property
    def freight(self) -> Freight:
        return next(f for f in self.collection if f.id == self.promoted)


def signing_key(private_key: bytes) -> bytes:
    """The key records are signed with, derived from the App's private key, which therefore needs no twin."""
    return hmac.digest(hashlib.sha256(private_key.strip()).digest(), _PURPOSE, "sha256")


def seal(record: Record, key: bytes) -> str:
    """The block as it stands in the body."""
    document = {
        "repository": record.repository,
        "stage": record.stage,
        "promotion": record.promotion,
        "promoted": record.promoted,
        "collection": [freight_data.to_json(f) for f in record.collection],
        "actor": record.actor,
        "way": record.way.value,
        "request": record.request,
        "base": record.base,
        "outputs": record.outputs,
        "openedBy": record.opened_by,
        "head": record.head,
        "steps": record.steps,
        "vars": record.vars,
    }
    payload = json.dumps(_plain(document), separators=(",", ":"), sort_keys=True).encode()
    return f"<!-- towpath:record {_encode(payload)}.{_encode(_sign(payload, key))} -->"


def unseal(body: str, key: bytes, repository: RepositoryName, stage: StageName) -> Record | None:
    """The record of a body, None unless exactly one block is there, whole, ours, and of this repository and stage."""
    blocks = _BLOCK.findall(body)
    if len(blocks) != 1:
        return None
    try:
        payload, signature = (_decode(part) for part in blocks[0])
    except ValueError:
        return None
    if not hmac.compare_digest(signature, _sign(payload, key)):
        return None
    document = json.loads(payload)
    if (document["repository"], document["stage"]) != (repository, stage):
        return None
    return Record(
        repository=repository,
        stage=stage,
        promotion=document["promotion"],
        promoted=FreightId(document["promoted"]),
        collection=tuple(freight_data.from_json(f) for f in document["collection"]),
        actor=document["actor"],
        way=Way(document["way"]),
        request=document["request"],
        base=CommitSha(document["base"]),
        outputs=document["outputs"],
        opened_by=document["openedBy"],
        head=document["head"],
        steps=tuple(document["steps"]),
        vars=document["vars"],
    )


def without(body: str) -> str:
    """The body as people see it."""
    return _BLOCK.sub("", body).rstrip()


def _plain(value: Any) -> Any:
    """What steps and variables hold, as JSON has it: artifacts by their fields, all else that JSON lacks as text."""
    if isinstance(value, ExpressionRecord):
        value = {name: each for name, each in value.fields.items() if not isinstance(each, Function)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _sign(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
