"""The `images:` of a kustomization, changed in its text: what is not changed stays as it is written, comments too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bot.core.plain_yaml import PlainLoader
from bot.errors import UserError
from bot.steps.editing.texts import refuse_deep
from bot.steps.editing.yaml_nodes import refuse_bombs
from bot.steps.editing.yaml_scalars import write_scalar

KEEP = "*"
_FIELDS = ("newName", "newTag", "digest")

Node = Any  # PyYAML's ScalarNode, SequenceNode or MappingNode
Edit = tuple[int, int, str]  # exchange text[start:end] for this


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What the entry called `name` is to say. "" takes a field away, `*` keeps it as it is.

    https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
    """

    name: str
    new_name: str = ""
    new_tag: str = ""
    digest: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        return dict(zip(_FIELDS, (self.new_name, self.new_tag, self.digest), strict=True))

    def entry(self) -> list[str]:
        """The lines of a new entry."""
        wanted = {field: value for field, value in self.fields.items() if value not in {"", KEEP}}
        return [f"{key}: {write_scalar(value)}" for key, value in {"name": self.name, **wanted}.items()]


def set_images(text: str, changes: Mapping[str, ImageChange], path: str) -> str:
    """The kustomization with these entries changed, and those it does not have added. Raises UserError."""
    root = _compose(text, path)
    node = next((value for key, value in root.value if key.value == "images"), None)
    end = "\r\n" if "\r\n" in text else "\n"
    if node is None or not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        result = _written_anew(text, root, node, changes, end, path)
    else:
        edits: list[Edit] = []
        missing = dict(changes)
        for item in node.value:
            change = missing.pop(_name_of(item, path), None)
            if change is not None:
                edits += _entry_edits(text, item, change, end, path)
        indent = node.value[0].start_mark.column
        dash = text.rindex("-", 0, node.value[0].start_mark.index)
        before = " " * (dash - text.rfind("\n", 0, dash) - 1)
        last = _line_end(text, _content_end(text, node.value[-1]))
        added = "".join(_item(missing[name], before, indent, end) for name in sorted(missing))
        edits.append((last, last, added if text[:last].endswith("\n") or not added else end + added))
        result = text
        for start, stop, new in sorted(edits, reverse=True):
            result = result[:start] + new + result[stop:]
    _verify(text, result, changes, path)
    return result


def _item(change: ImageChange, before: str, indent: int, end: str) -> str:
    first, *others = change.entry()
    gap = " " * max(indent - len(before) - 1, 1)
    return end.join([f"{before}-{gap}{first}", *(f"{' ' * indent}{line}" for line in others), ""])


def _entry_edits(text: str, item: Node, change: ImageChange, end: str, path: str) -> list[Edit]:
    if item.flow_style:
        raise UserError(f"{path}: the image {change.name} is written in {{ }}; write its fields on lines of their own")
    edits: list[Edit] = []
    pairs = {key.value: (position, key, value) for position, (key, value) in enumerate(item.value)}
    added = ""
    for field, wanted in change.fields.items():
        if wanted == KEEP:
            continue
        if field not in pairs:
            added += f"{' ' * item.start_mark.column}{field}: {write_scalar(wanted)}{end}" if wanted else ""
            continue
        position, key, value = pairs[field]
        if wanted:
            if not isinstance(value, yaml.ScalarNode) or value.value != wanted:
                new = write_scalar(wanted)
                glued = value.start_mark.index == value.end_mark.index and text[value.start_mark.index - 1] == ":"
                edits.append((value.start_mark.index, value.end_mark.index, f" {new}" if glued else new))
        elif position == 0 and len(item.value) > 1:
            edits.append((key.start_mark.index, item.value[1][0].start_mark.index, ""))
        else:
            start = text.rfind("\n", 0, key.start_mark.index) + 1
            edits.append((start, _line_end(text, value.end_mark.index), ""))
    if added:
        last = _line_end(text, _content_end(text, item))
        edits.append((last, last, added if text[:last].endswith("\n") else end + added))
    return edits


def _written_anew(text: str, root: Node, node: Node, changes: Mapping[str, ImageChange], end: str, path: str) -> str:
    """The list written as a whole, where there was none or one in [ ]."""
    existing = {}
    if isinstance(node, yaml.SequenceNode):
        existing = {_name_of(item, path): _change_of(item) for item in node.value}
    merged = {name: _merged(changes.get(name), old) for name, old in existing.items()}
    merged |= {name: change for name, change in changes.items() if name not in merged}
    block = end + "".join(_item(merged[name], "", 2, end) for name in sorted(merged))
    if node is None:
        close = "" if not text or text.endswith("\n") else end
        return f"{text}{close}images:{block}" if merged else text
    if not isinstance(node, yaml.SequenceNode) and node.value not in {"", "null", "~"}:
        raise UserError(f"{path}: `images` is not a list")
    start, stop = node.start_mark.index, _line_end(text, node.end_mark.index)
    comment = re.sub(r"\s+\Z", "", text[node.end_mark.index : stop])
    return text[:start].rstrip(" ") + comment + block + text[stop:]


def _merged(change: ImageChange | None, old: ImageChange) -> ImageChange:
    if change is None:
        return old
    fields = {field: old.fields[field] if value == KEEP else value for field, value in change.fields.items()}
    return ImageChange(change.name, *fields.values())


def _change_of(item: Node) -> ImageChange:
    fields = {key.value: value.value for key, value in item.value}
    return ImageChange(fields["name"], *(fields.get(field, "") for field in _FIELDS))


def _name_of(item: Node, path: str) -> str:
    if isinstance(item, yaml.MappingNode):
        for key, value in item.value:
            if key.value == "name" and isinstance(value, yaml.ScalarNode):
                return str(value.value)
    raise UserError(f"{path}: an entry of `images` has no `name` (line {item.start_mark.line + 1})")


def _content_end(text: str, node: Node) -> int:
    """Where the last scalar of a node ends: a block's own end mark lies beyond the comments that follow it."""
    while not isinstance(node, yaml.ScalarNode):
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return int(node.end_mark.index)


def _line_end(text: str, position: int) -> int:
    """The start of the next line, or the end of the text."""
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def _compose(text: str, path: str) -> Node:
    refuse_deep(text, path)
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{path} is not a kustomization: it holds no mapping")
    refuse_bombs(root, path)
    return root


def _verify(before: str, after: str, changes: Mapping[str, ImageChange], path: str) -> None:
    """Raises UserError unless only these entries of `images` have changed, to what was asked."""
    try:
        old, new = (yaml.load(text, Loader=PlainLoader) for text in (before, after))  # noqa: S506  # it is a safe one
    except yaml.YAMLError as error:
        raise UserError(f"{path} can't be read: {' '.join(str(error).split())}") from error
    entries = {each["name"]: dict(each) for each in old.pop("images", None) or ()}
    for name, change in changes.items():
        entry = entries.setdefault(name, {"name": name})
        for field, value in change.fields.items():
            if value == KEEP:
                continue
            entry.pop(field, None)
            if value:
                entry[field] = value
    if {each["name"]: each for each in new.pop("images", None) or ()} != entries or old != new:
        raise UserError(f"the images of {path} can't be changed without changing more; write them one field to a line")
