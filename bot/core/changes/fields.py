"""Which fields of a resource differ, by paths that people can read; items of lists are matched by what names them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What names an item of a list, the first that is there in each of them and different in all:
# https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
_NAMING = (
    "name", "mountPath", "devicePath", "containerPort", "port", "key", "topologyKey", "ip", "host", "path", "type",
)  # fmt: skip
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: its path, and its value before and after (None: it is not there): text as it is, all else as JSON."""

    path: str
    before: str | None
    after: str | None


def differences(before: Any, after: Any) -> list[FieldChange]:
    """Every field that differs, in the order of the newer text, then of the older."""
    return list(_compare(before, after, ""))


def _compare(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    before, after = _filled(before, after), _filled(after, before)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in (*after, *(one for one in before if one not in after)):
            below = _member(path, str(name))
            yield from _compare(before.get(name, _MISSING), after.get(name, _MISSING), below)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, path)
    elif not _same(before, after):
        yield FieldChange(path, _shown(before), _shown(after))


def _filled(value: Any, other: Any) -> Any:
    """Nothing, beside something that has parts, is the same without any: so every part is told of by itself."""
    if value is _MISSING and other:
        if isinstance(other, Mapping):
            return {}
        if isinstance(other, list) and isinstance(other[0], Mapping):
            return []
    return value


def _lists(before: list[Any], after: list[Any], path: str) -> Iterator[FieldChange]:
    if before == after:
        return
    naming = _naming(before, after)
    if naming:
        old, new = ({str(item[naming]): item for item in items} for items in (before, after))
        for name in (*new, *(one for one in old if one not in new)):
            yield from _compare(old.get(name, _MISSING), new.get(name, _MISSING), f"{path}[{name}]")
    elif any(isinstance(item, Mapping | list) for item in (*before, *after)):
        for place in range(max(len(before), len(after))):
            old_item, new_item = (items[place] if place < len(items) else _MISSING for items in (before, after))
            yield from _compare(old_item, new_item, f"{path}[{place}]")
    else:
        yield FieldChange(path, _shown(before), _shown(after))


def _naming(before: list[Any], after: list[Any]) -> str:
    items = [*before, *after]
    if not all(isinstance(item, Mapping) for item in items):
        return ""
    return next((name for name in _NAMING if _names(before, name) and _names(after, name)), "")


def _names(items: list[Mapping[str, Any]], by: str) -> bool:
    values = [str(item[by]) for item in items if isinstance(item.get(by), str | int)]
    return len(values) == len(items) == len(set(values))


def _same(before: Any, after: Any) -> bool:
    """Equal as Kubernetes sees it: 1 is not true, and 80 is not "80"."""
    return type(before) is type(after) and bool(before == after)


def _member(path: str, name: str) -> str:
    plain = name.replace("-", "").replace("_", "").isalnum()
    if not plain:
        return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str | None:
    if value is _MISSING:
        return None
    if isinstance(value, str) and value.strip() and value.replace("\n", "").isprintable():
        return value
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
