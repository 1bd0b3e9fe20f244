"""What steps have a stage's lock say besides what is promoted: metadata of the stage and of freight, and aliases.

https://docs.kargo.io/user-guide/reference-docs/promotion-steps/set-metadata
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.model import Freight, FreightId, StageName
from bot.errors import UserError

Metadata = Mapping[str, Any]  # values as JSON has them, by key

LARGEST = 16_384  # bytes as JSON, of one stage or one freight: every look reads the locks
_DEEPEST = 20
_WHOLE = 2**63  # numbers beyond are no whole numbers to expressions either
# What Kubernetes takes as a label's value, for that is where Kargo keeps aliases:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_ALIAS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_SHORTEST_ID = 7  # digits that are enough to name freight by its id


@dataclass(frozen=True, slots=True)
class Notes:
    """Values by stage, values by freight, new aliases by freight; freight is named by its id, as in Kargo."""

    stages: Mapping[str, Metadata] = field(default_factory=dict)
    freight: Mapping[str, Metadata] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.stages or self.freight or self.aliases)


def _no_status(name: str) -> Metadata | None:
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What the locks that have landed say, as expressions see it, by the names of stages and the ids of freight.

    `aliases` has every freight that is known, `status` what Kargo calls the status of one, None of any other.
    """

    stages: Mapping[str, Metadata] = field(default_factory=dict)
    freight: Mapping[str, Metadata] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    status: Callable[[str], Metadata | None] = _no_status


def is_alias(text: str) -> bool:
    return _ALIAS.fullmatch(text) is not None


def renamed(freight: Freight, alias: str) -> Freight:
    return freight if freight.alias == alias else replace(freight, alias=alias)


def added(known: Known, notes: Notes, stage: StageName, collection: Iterable[Freight]) -> Known:
    """What is known once the lock of the stage, with this collection, says this as well: by key, the new value counts.

    Raises UserError for what that lock can't say.
    """
    held = {one.id: one for one in collection}
    for name in notes.stages:
        if name != stage:
            raise UserError(
                f"a promotion writes the lock of its own stage, `{stage}`, so it can't set metadata of `{name[:60]}`; "
                "set that in a step of that stage"
            )
    for name in (*notes.freight, *notes.aliases):
        if name not in held:
            raise UserError(_not_held(name, stage, held))
    for name, alias in notes.aliases.items():
        _check_alias(alias, name, known.aliases)
    return Known(
        stages=_merged(known.stages, notes.stages, lambda name: f"stage `{name}`"),
        freight=_merged(known.freight, notes.freight, lambda name: f"freight {name[:_SHORTEST_ID]}"),
        aliases={**known.aliases, **notes.aliases},
        status=known.status,
    )


def together(first: Notes, second: Notes) -> Notes:
    """What is noted once both are: by key, the second value counts."""
    return Notes(
        _by_key(first.stages, second.stages),
        _by_key(first.freight, second.freight),
        {**first.aliases, **second.aliases},
    )


def _by_key(first: Mapping[str, Metadata], second: Mapping[str, Metadata]) -> dict[str, Metadata]:
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in {**first, **second}}


def _not_held(name: str, stage: StageName, held: Mapping[FreightId, Freight]) -> str:
    listed = ", ".join(f"{one.id[:_SHORTEST_ID]} ({one.alias})" for one in held.values())
    return (
        f"`{name[:60]}` is not the id of freight that this promotion brings or leaves in `{stage}`, which is {listed}; "
        "for what is promoted write ${{ ctx.targetFreight.name }}"
    )


def _check_alias(alias: str, name: str, aliases: Mapping[str, str]) -> None:
    if not is_alias(alias):
        raise UserError(
            f"{alias[:80]!r} can't be an alias: at most 63 letters, digits, '-', '_' and '.', with a letter or digit "
            "at both ends"
        )
    lowered = alias.lower()
    other = next((one for one, taken in aliases.items() if taken.lower() == lowered and one != name), None)
    if other is not None:
        raise UserError(f"`{alias}` is the alias of freight {other[:_SHORTEST_ID]} already; choose another")
    if len(lowered) >= _SHORTEST_ID and any(one.startswith(lowered) for one in aliases if one != name):
        raise UserError(f"`{alias}` is how the id of other freight begins; choose another alias")


def _merged(
    before: Mapping[str, Metadata], new: Mapping[str, Metadata], about: Callable[[str], str]
) -> dict[str, Metadata]:
    merged = _by_key(before, new)
    for name in new:
        try:
            size = checked(merged[name])
        except ValueError as error:
            raise UserError(f"the metadata of {about(name)} can't be kept: {error}") from error
        if size > LARGEST:
            raise UserError(
                f"the metadata of {about(name)} would take {size:,} bytes, and {LARGEST:,} are kept; keep less, or "
                "the address of where the rest is"
            )
    return merged


def checked(values: Metadata) -> int:
    """The size of these values as JSON, in bytes. Raises ValueError, which says why, for what JSON does not have."""
    _check(values, "", 0)
    return len(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())


def _check(value: Any, where: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"{where[:60]}… is nested more than {_DEEPEST} levels deep")
    match value:
        case str():
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                raise ValueError(f"{where} is half a character")
        case None | bool():
            return
        case int() if abs(value) < _WHOLE:
            return
        case float() if math.isfinite(value):
            return
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise ValueError(f"{where or 'it'} has a key {key!r} that is not a text")
                _check(key, f"{where}.{key}".lstrip("."), depth)
                _check(item, f"{where}.{key}".lstrip("."), depth + 1)
        case list() | tuple():
            for index, item in enumerate(value):
                _check(item, f"{where}[{index}]", depth + 1)
        case int() | float():
            raise ValueError(f"{where} is the number {str(value)[:20]}, which is too large")
        case _:
            raise ValueError(f"{where} is no text, number, boolean, list or map")
