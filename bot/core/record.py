"""The promotion record: a hidden, signed block in the pull request's body.

It carries what the steps after the merge need. Anybody with write access may edit a body, so the block is believed
only if its signature holds and it names this very repository and stage (DESIGN §2); else it is derived anew.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.core import freight as freight_data
from bot.core import step_runs
from bot.core.json_values import plain
from bot.core.lock import Way
from bot.core.model import CommitSha, Freight, FreightId, RepositoryName, StageName, Variable
from bot.core.step_runs import StepRun

_BLOCK = re.compile(r"<!-- towpath:record ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+) -->")
_PURPOSE = b"towpath promotion record v2"


class Kind(StrEnum):
    """Where a record stands: one is never taken for the other, for they mean different things."""

    PROPOSED = "proposed"  # in a pull request's body
    UNDER_WAY = "under way"  # on the branch of promotions that have no pull request (yet)


@dataclass(frozen=True, slots=True)
class Record:
    """One promotion as its pull request remembers it.

    `base` is the commit of the default branch that was rendered, "" where the steps took no sources from there;
    `outputs` are those of the steps before the pull request, by alias; `opened_by` is the alias of the step that
    opens it; `steps` and `vars` are what comes after, as configured: a value may be made from a secret. `head` is the
    commit that was proposed, "" where none is known. `ran` is what is known of the steps so far, as of `noted`.

    Of a promotion that is under way, `steps` are all of its template, none where that is to be read anew; `opened_by`
    is the step that pushes it to where it lands, "" before; `head` the commit that carries its check run.
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
    vars: tuple[Variable, ...] = ()
    ran: tuple[StepRun, ...] = ()
    noted: datetime | None = None

    @property
    def freight(self) -> Freight:
        return next(f for f in self.collection if f.id == self.promoted)


def signing_key(private_key: bytes) -> bytes:
    """The key records are signed with, derived from the App's private key, which therefore needs no twin."""
    return hmac.digest(hashlib.sha256(private_key.strip()).digest(), _PURPOSE, "sha256")


Mask = Callable[[Any], Any]  # of what JSON knows, all texts without the secrets that were read


def _as_it_is(data: Any) -> Any:
    return data


def seal(record: Record, key: bytes, kind: Kind = Kind.PROPOSED, mask: Mask = _as_it_is) -> str:
    """The block as it stands in the body: anybody can read it, so what steps put out is masked."""
    document = {
        "kind": kind.value,
        "repository": record.repository,
        "stage": record.stage,
        "promotion": record.promotion,
        "promoted": record.promoted,
        "collection": [freight_data.to_json(f) for f in record.collection],
        "actor": record.actor,
        "way": record.way.value,
        "request": record.request,
        "base": record.base,
        "outputs": mask(plain(record.outputs)),
        "openedBy": record.opened_by,
        "head": record.head,
        "steps": record.steps,
        "vars": [[one.name, one.value] for one in record.vars],
        "ran": mask(step_runs.to_json(record.ran, outputs=False)),
        "noted": record.noted.timestamp() if record.noted else None,
    }
    payload = json.dumps(plain(document), separators=(",", ":"), sort_keys=True).encode()
    return f"<!-- towpath:record {_encode(payload)}.{_encode(_sign(payload, key))} -->"


def unseal(
    body: str, key: bytes, repository: RepositoryName, stage: StageName, kind: Kind = Kind.PROPOSED
) -> Record | None:
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
    if (document["repository"], document["stage"], document["kind"]) != (repository, stage, kind):
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
        vars=tuple(Variable(name, value) for name, value in document["vars"]),
        ran=step_runs.from_json(document["ran"]),
        noted=datetime.fromtimestamp(noted, UTC) if (noted := document["noted"]) else None,
    )


def exchanged(body: str, record: Record, key: bytes, mask: Mask = _as_it_is) -> str:
    """The body with this record in place of the one that is there, or at its end."""
    sealed = seal(record, key, mask=mask)
    before = _BLOCK.findall(body)
    return _BLOCK.sub(sealed, body) if len(before) == 1 else f"{without(body)}\n\n{sealed}"


def newest(*records: Record | None) -> Record | None:
    """Of what is known of one promotion, what was noted last."""
    known = [one for one in records if one is not None]
    return max(known, key=lambda one: one.noted.timestamp() if one.noted else 0.0, default=None)


def without(body: str) -> str:
    """The body as people see it."""
    return _BLOCK.sub("", body).rstrip()


def _sign(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
