"""Changing scalars of a YAML text in place: every other byte of it stays as it is.

The parser tells where each scalar begins and ends; only that span is exchanged. The result is parsed again and compared
with what was wanted before anybody sees it. Only the first document of a text is looked at, as in Kargo.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.errors import UserError
from bot.steps.workspace import existing
from bot.steps.yaml_keys import split_key
from bot.steps.yaml_scalars import Scalar, double_quoted, is_printable, write_scalar

Node = Any  # PyYAML's ScalarNode, SequenceNode or MappingNode
_PROPERTY = re.compile(r"[&!]\S*(?:\s+|#[^\r\n]*)*")
_BLOCK_HEADER = re.compile(r"[|>][0-9+-]*(?P<comment>[ \t]+#[^\r\n]*)?")
_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Update:
    key: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class _Span:
    """A scalar in the text: [start, end), without anchor and tag."""

    node: yaml.ScalarNode
    start: int
    end: int
    in_flow: bool


def update_yaml(text: str, updates: Sequence[Update], path: str) -> str:
    """The text with these scalars changed; a text that does not end with a line end is given one, as Kargo does.

    Raises UserError, naming `path`, for what is no YAML, a key that is not there or does not lead to a scalar.
    """
    root = _compose(text, path)
    spans = {}
    for update in updates:
        span = _find(text, root, update.key, path)
        spans[span.start, span.end] = (span, update)
    result = text
    for (start, end), (span, update) in sorted(spans.items(), key=lambda item: item[0], reverse=True):
        result = result[:start] + _written(text, span, update.value) + result[end:]
    if updates:
        _verify(root, _compose(result, path), {id(span.node): update for span, update in spans.values()}, path)
        if not result.endswith("\n"):
            result += "\r\n" if "\r\n" in result else "\n"
    return result


def written_value(value: Scalar) -> str:
    """A value as commit messages show it."""
    return write_scalar(value)


def _compose(text: str, path: str) -> Node:
    start = 1 if text.startswith("\ufeff") else 0
    loader = yaml.CSafeLoader(text[start:] if start else text)
    try:
        node = loader.get_node() if loader.check_node() else None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()
    if node is None:
        raise UserError(f"{path} is empty")
    return node


def _find(text: str, root: Node, key: str, path: str) -> _Span:
    node, shift = root, 1 if text.startswith("\ufeff") else 0
    in_flow = False
    for part in split_key(key):
        in_flow = in_flow or bool(getattr(node, "flow_style", False))
        child = _child(node, part, key, path)
        if child is None:
            raise UserError(f"{path} has no key {key!r}: there is no {part!r}; correct the key, or add it to the file")
        node = child
    if not isinstance(node, yaml.ScalarNode):
        raise UserError(f"{key!r} of {path} is a {node.id}, not a single value; name a key inside it")
    start, end = node.start_mark.index + shift, node.end_mark.index + shift
    while found := _PROPERTY.match(text, start, end):  # neither letter can begin a plain scalar
        start = found.end()
    return _Span(node, start, end, in_flow)


def _child(node: Node, part: str, key: str, path: str) -> Node:
    """The value under a name or number. Raises UserError for one that is written elsewhere, or twice."""
    if isinstance(node, yaml.MappingNode):
        found = [(k, v) for k, v in node.value if isinstance(k, yaml.ScalarNode) and k.value == part]
        if len(found) > 1:
            raise UserError(f"{path} has {part!r} (in {key!r}) twice, in line {found[1][0].start_mark.line + 1} again")
        if not found:
            return None
        after, child = found[0][0].end_mark.index, found[0][1]
    elif isinstance(node, yaml.SequenceNode):
        if not part.isdecimal() or int(part) >= len(node.value):
            return None
        child = node.value[int(part)]
        before = [item.end_mark.index for item in node.value[: int(part)]]
        after = max(before, default=node.start_mark.index)
    else:
        return None
    if child.start_mark.index < after:
        line = child.start_mark.line + 1
        raise UserError(f"{key!r} of {path} is an alias; its value is written in line {line}, change it there")
    return child


def _written(text: str, span: _Span, value: Scalar) -> str:
    old = text[span.start : span.end]
    if header := _BLOCK_HEADER.match(old):
        tail = re.search(r"\s*\Z", old)
        comment, rest = header["comment"] or "", tail[0] if tail else ""
        if isinstance(value, str) and (block := _literal(value, old, header[0])) is not None:
            return block
        return write_scalar(value) + comment + rest
    if isinstance(value, str) and span.in_flow and old.startswith('"'):
        return double_quoted(value)  # `{"a":"b"}` may have no space before the value
    new = write_scalar(value, in_flow=span.in_flow)
    return new if old or text[span.start - 1].isspace() else f" {new}"


def _literal(value: str, old: str, header: str) -> str | None:
    """Several lines in the place of a literal block, indented as it was; None where that can't be written so."""
    lines = value.split("\n")
    if not old.startswith("|") or len(lines) < 2 or lines[0].strip() == "" or lines[0][0] in " \t":
        return None
    if not is_printable(value):
        return None
    first = re.search(r"\n([ \t]*)\S", old)
    if first is None or not first[1]:
        return None
    end = "\r\n" if "\r\n" in old else "\n"
    body = value.rstrip("\n")
    ending = len(value) - len(body)
    chomping = {0: "-", 1: ""}.get(ending, "+")
    comment = header.lstrip("|>0123456789+-")
    indented = end.join(first[1] + line if line else "" for line in body.split("\n"))
    return f"|{chomping}{comment}{end}{indented}{end * max(ending, 1)}"


def _verify(before: Node, after: Node, updates: Mapping[int, Update], path: str) -> None:
    """Raises UserError unless `after` is `before` with these updates and nothing else."""
    pending: list[tuple[Node, Node]] = [(before, after)]
    seen: set[int] = set()
    while pending:
        old, new = pending.pop()
        if id(old) in seen:
            continue
        seen.add(id(old))
        update = updates.get(id(old))
        if update is not None:
            same = isinstance(new, yaml.ScalarNode) and _means(new, update.value)
        elif isinstance(old, yaml.ScalarNode) or type(old) is not type(new):
            same = type(old) is type(new) and (old.tag, old.value) == (new.tag, new.value)
        elif isinstance(old, yaml.MappingNode):
            same = len(old.value) == len(new.value)
            for (old_key, old_value), (new_key, new_value) in zip(old.value, new.value, strict=False):
                pending += [(old_key, new_key), (old_value, new_value)]
        else:
            same = len(old.value) == len(new.value)
            pending += zip(old.value, new.value, strict=False)
        if not same:
            keys = ", ".join(update.key for update in updates.values())
            line = old.start_mark.line + 1
            raise UserError(f"{path} can't be changed at {keys} without changing more (line {line}); edit it by hand")


def _means(node: yaml.ScalarNode, value: Scalar) -> bool:
    """Whether a node is read as this value."""
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if isinstance(value, str):
        return kind == "str" and node.value == value
    if value is None:
        return kind == "null"
    if isinstance(value, bool):
        return kind == "bool" and node.value == ("true" if value else "false")
    return kind in {"int", "float"} and node.value == write_scalar(value)


def update_file(folder: Path, path: str, updates: Sequence[Update]) -> None:
    """Change a file of the promotion's folder. Raises UserError."""
    file = existing(folder, path, "file")
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: {error}") from error
    file.write_bytes(update_yaml(text, updates, path).encode("utf-8"))
