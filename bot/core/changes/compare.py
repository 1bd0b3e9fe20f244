"""From two sets of files to what differs between them."""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bot.core.changes.fields import FieldChange, differences
from bot.core.changes.manifests import Identity, Resource, Unreadable, documents, resources
from bot.core.changes.noise import generated_name, is_noise
from bot.core.changes.secrets import masked

_LINES_COMPARED = 20_000  # of a file; of a longer one the lines that are new and gone are counted, wherever they are


class How(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource. `fields` are those that changed, or all of one that is new; `noise` how many are not shown."""

    identity: Identity
    how: How
    path: str
    fields: tuple[FieldChange, ...] = ()
    noise: int = 0


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that holds no manifests. `fields` where it is YAML, else nothing but how many lines come and go."""

    path: str
    how: How
    fields: tuple[FieldChange, ...] = ()
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs, in a stable order. `quiet` counts resources in which nothing but noise does."""

    resources: tuple[ResourceChange, ...] = ()
    files: tuple[FileChange, ...] = ()
    quiet: int = 0

    def __bool__(self) -> bool:
        return bool(self.resources or self.files or self.quiet)


def compare(before: Mapping[str, bytes], after: Mapping[str, bytes], key: bytes) -> Changes:
    """Compare files by path; those that are the same on both sides may be left out. `key` hides secret values.

    A resource is the same one wherever it is written; a file is told of as such where it can't be read as manifests.
    """
    old: list[Resource] = []
    new: list[Resource] = []
    files: list[FileChange] = []
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        read = [_read(content, path) for content in (was, now)]
        first, second = (_resources(one, path) for one in read)
        if first is not None and second is not None:
            old += first
            new += second
        else:
            files.append(_file(path, was, now, read, key))
    changed, quiet = _resource_changes(_shown(old, key), _shown(new, key))
    return Changes(tuple(changed), tuple(files), quiet)


def _read(content: bytes | None, path: str) -> list[Any] | None:
    """The documents of a side; none where there is no file, None where it can't be read."""
    if content is None:
        return []
    if not path.endswith((".yaml", ".yml", ".json")):
        return None
    try:
        return documents(content)
    except Unreadable:
        return None


def _resources(read: list[Any] | None, path: str) -> list[Resource] | None:
    return None if read is None else resources(read, path)


def _shown(found: Iterable[Resource], key: bytes) -> list[Resource]:
    return [replace(one, data=masked(one.data, key)) for one in found]


def _resource_changes(old: Sequence[Resource], new: Sequence[Resource]) -> tuple[list[ResourceChange], int]:
    before, after = _by_identity(old), _by_identity(new)
    renamed = _renamed(before, after)
    changed: list[ResourceChange] = []
    quiet = 0
    names = {one.name: after[place][0].name for place, one in renamed.items()}
    for place, (identity, resource) in sorted(after.items()):
        was = renamed.get(place) or (identity if place in before else None)
        earlier = before.get((was, place[1])) if was else None
        if earlier is None:
            changed.append(ResourceChange(identity, How.ADDED, resource.path, tuple(_all(resource))))
            continue
        found = differences(earlier[1].data, resource.data)
        telling = tuple(one for one in found if not is_noise(one, names))
        if telling:
            noise = len(found) - len(telling)
            changed.append(ResourceChange(identity, How.CHANGED, resource.path, telling, noise))
        elif found:
            quiet += 1
    taken = {(one, place[1]) for place, one in renamed.items()}
    for place, (identity, resource) in sorted(before.items()):
        if place not in after and place not in taken:
            changed.append(ResourceChange(identity, How.REMOVED, resource.path))
    return sorted(changed, key=lambda one: (one.identity, one.path, one.how)), quiet


_Place = tuple[Identity, int]  # the same resource may be written twice


def _by_identity(found: Iterable[Resource]) -> dict[_Place, tuple[Identity, Resource]]:
    seen: Counter[Identity] = Counter()
    places: dict[_Place, tuple[Identity, Resource]] = {}
    for one in found:
        places[one.identity, seen[one.identity]] = (one.identity, one)
        seen[one.identity] += 1
    return places


def _renamed(
    before: Mapping[_Place, tuple[Identity, Resource]], after: Mapping[_Place, tuple[Identity, Resource]]
) -> dict[_Place, Identity]:
    """New generated resources, with the old one each takes the place of, where there is exactly one."""
    gone = _generated(identity for place, (identity, _) in before.items() if place not in after)
    come = _generated(identity for place, (identity, _) in after.items() if place not in before)
    return {(come[what][0], 0): gone[what][0] for what in come if len(come[what]) == 1 == len(gone.get(what, ()))}


def _generated(identities: Iterable[Identity]) -> dict[Identity, list[Identity]]:
    found: dict[Identity, list[Identity]] = {}
    for identity in identities:
        if name := generated_name(identity.kind, identity.name):
            found.setdefault(replace(identity, name=name), []).append(identity)
    return found


def _all(resource: Resource) -> list[FieldChange]:
    """Every field of a new resource but those that name it."""
    named = {"apiVersion", "kind", "metadata.name", "metadata.namespace"}
    return [one for one in differences({"metadata": {}}, resource.data) if one.path not in named]


def _file(path: str, was: bytes | None, now: bytes | None, read: Sequence[list[Any] | None], key: bytes) -> FileChange:
    how = How.ADDED if was is None else How.REMOVED if now is None else How.CHANGED
    if how is How.CHANGED and all(one is not None and len(one) == 1 and isinstance(one[0], dict) for one in read):
        old, new = (masked(one[0], key) for one in read if one is not None)
        if fields := differences(old, new):
            return FileChange(path, how, tuple(fields))
    added, removed = _lines(was or b"", now or b"")
    return FileChange(path, how, (), added, removed)


def _lines(was: bytes, now: bytes) -> tuple[int, int]:
    """How many lines come and how many go."""
    old, new = was.splitlines(), now.splitlines()
    if len(old) + len(new) > _LINES_COMPARED:
        gone, come = Counter(old), Counter(new)
        return (come - gone).total(), (gone - come).total()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    kept = sum(block.size for block in matcher.get_matching_blocks())
    return len(new) - kept, len(old) - kept
