"""Changing scalars of a YAML text in place: every other byte of it stays as it is.

The parser tells where each scalar begins and ends; only that span is exchanged. The result is parsed again and compared
with what was wanted before anybody sees it. One document of a text is looked at: the first, as in Kargo, or another
that is asked for.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.errors import UserError
from bot.steps.editing.texts import read_text, write_text
from bot.steps.editing.yaml_create import add_key, is_missing
from bot.steps.editing.yaml_keys import key_parts, split_key
from bot.steps.editing.yaml_nodes import Node, child, compose
from bot.steps.editing.yaml_scalars import Scalar, double_quoted, is_printable, write_scalar

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


def update_yaml(
    text: str, updates: Sequence[Update], path: str, *, create_missing: bool = False, document: int = 0
) -> str:
    """The text with these scalars changed; a text that does not end with a line end is given one, as Kargo does.

    Raises UserError, naming `path`, for what is no YAML and for a key that does not lead to a scalar, or is not there;
    with `create_missing`, it is added then.
    """
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    result = text[len(bom) :]
    root = compose(result, path, document)
    present = list(updates)
    if create_missing:
        present = []
        for update in updates:
            if is_missing(root, update.key, path):
                result, root = _with_key(result, root, update, path, document)
            else:
                present.append(update)
    if root is None:
        raise UserError(f"{path} is empty")
    spans = {}
    for update in present:
        span = _find(result, root, update.key, path)
        spans[span.start, span.end] = (span, update)
    result = _exchanged(result, spans.values())
    if spans:
        after = _again(result, path, document, ", ".join(update.key for update in present))
        _verify(root, after, {id(span.node): update for span, update in spans.values()}, path)
    if updates and not result.endswith("\n"):
        result += "\r\n" if "\r\n" in result else "\n"
    return bom + result


def _again(text: str, path: str, document: int, keys: str) -> Node | None:
    try:
        return compose(text, path, document)
    except UserError as error:
        raise UserError(f"{path} can't be changed at {keys} without changing more; edit it by hand") from error


def _exchanged(text: str, spans: Iterable[tuple[_Span, Update]]) -> str:
    pieces, at = [], 0
    for span, update in sorted(spans, key=lambda item: item[0].start):
        pieces += [text[at : span.start], _written(text, span, update.value)]
        at = span.end
    return "".join([*pieces, text[at:]])


def _with_key(text: str, root: Node | None, update: Update, path: str, document: int) -> tuple[str, Node]:
    result, grown = add_key(text, root, update.key, update.value, path)
    after = _again(result, path, document, update.key)
    node = after
    for part in key_parts(update.key):
        place = str(len(node.value) - 1) if part.text == "-1" and isinstance(node, yaml.SequenceNode) else part.text
        node = None if node is None else child(node, place, update.key, path)
    if not isinstance(node, yaml.ScalarNode) or not _means(node, update.value):
        raise UserError(f"{path} can't be given {update.key!r} without changing more; add it by hand")
    if root is not None:
        _verify(root, after, {}, path, grown=(grown, update.key))
    return result, after


def written_value(value: Scalar) -> str:
    """A value as commit messages show it."""
    return write_scalar(value)


def _find(text: str, root: Node, key: str, path: str) -> _Span:
    node, in_flow = root, False
    for part in split_key(key):
        in_flow = in_flow or bool(getattr(node, "flow_style", False))
        below = child(node, part, key, path)
        if below is None:
            raise UserError(f"{path} has no key {key!r}: there is no {part!r}; correct the key, or add it to the file")
        node = below
    if not isinstance(node, yaml.ScalarNode):
        raise UserError(f"{key!r} of {path} is a {node.id}, not a single value; name a key inside it")
    start, end = node.start_mark.index, node.end_mark.index
    while found := _PROPERTY.match(text, start, end):  # neither letter can begin a plain scalar
        start = found.end()
    return _Span(node, start, end, in_flow)


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


def _verify(
    before: Node, after: Node, updates: Mapping[int, Update], path: str, grown: tuple[Node, str] = (None, "")
) -> None:
    """Raises UserError unless `after` is `before` with these updates, one more member in `grown`, and nothing else."""
    pending: list[tuple[Node, Node]] = [(before, after)]
    seen: set[int] = set()
    while pending:
        old, new = pending.pop()
        if id(old) in seen:
            continue
        seen.add(id(old))
        update = updates.get(id(old))
        more = int(old is grown[0])
        if more and isinstance(old, yaml.ScalarNode):
            same = isinstance(new, (yaml.MappingNode, yaml.SequenceNode)) and len(new.value) == 1
        elif update is not None:
            same = isinstance(new, yaml.ScalarNode) and _means(new, update.value)
        elif isinstance(old, yaml.ScalarNode) or type(old) is not type(new):
            same = type(old) is type(new) and (old.tag, old.value) == (new.tag, new.value)
        elif isinstance(old, yaml.MappingNode):
            same = len(old.value) + more == len(new.value)
            for (old_key, old_value), (new_key, new_value) in zip(old.value, new.value, strict=False):
                pending += [(old_key, new_key), (old_value, new_value)]
        else:
            same = len(old.value) + more == len(new.value)
            pending += zip(old.value, new.value, strict=False)
        if not same:
            keys = grown[1] or ", ".join(update.key for update in updates.values())
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


def update_file(
    folder: Path, path: str, updates: Sequence[Update], *, create_missing: bool = False, document: int = 0
) -> None:
    """Change a file of the promotion's folder. Raises UserError."""
    text = read_text(folder, path)
    write_text(folder, path, update_yaml(text, updates, path, create_missing=create_missing, document=document))
