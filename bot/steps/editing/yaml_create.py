"""Adding keys to a YAML text: new lines in the layout that is there, or new members between flow brackets."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from bot.errors import UserError
from bot.steps.editing.yaml_keys import Part, key_parts
from bot.steps.editing.yaml_nodes import Node, child, content_end
from bot.steps.editing.yaml_scalars import Scalar, double_quoted, write_scalar

_NULL = "tag:yaml.org,2002:null"
_WIDTH = 2
_COMMENTS = re.compile(r"#[^\n]*")


def is_missing(root: Node | None, key: str, path: str) -> bool:
    node = root
    for part in key_parts(key):
        node = None if node is None else child(node, part.text, key, path)
    return node is None


def add_key(text: str, root: Node | None, key: str, value: Scalar, path: str) -> tuple[str, Node | None]:
    """The text with a key that is not there yet, and the node of `root` that has grown (None: there was none).

    Raises UserError where it can't be added: below a single value, or beyond the end of a list.
    """
    parts = key_parts(key)
    node, in_flow, indent = root, False, 0
    while node is not None and isinstance(node, (yaml.MappingNode, yaml.SequenceNode)):
        below = child(node, parts[0].text, key, path)
        if below is None:
            break
        in_flow = in_flow or bool(node.flow_style)
        indent = _column(text, node)
        node, parts = below, parts[1:]
    add = _Addition(text, parts, value, f"{key!r} of {path}", _unit(root))
    if node is None:
        return add.to_nothing(), None
    if isinstance(node, yaml.ScalarNode):
        return add.to_scalar(node, in_flow, indent, is_root=node is root), node
    return (add.to_flow(node) if node.flow_style else add.to_block(node)), node


class _Addition:
    def __init__(self, text: str, parts: Sequence[Part], value: Scalar, what: str, unit: int) -> None:
        self._text = text
        self._parts = tuple(parts)
        self._value = value
        self._what = what
        self._unit = " " * unit
        self._end_of_line = "\r\n" if "\r\n" in text else "\n"

    def to_nothing(self) -> str:
        """A text without anything but comments."""
        return self._after(len(self._text), self._lines(self._parts), 0)

    def to_scalar(self, node: yaml.ScalarNode, in_flow: bool, indent: int, *, is_root: bool) -> str:
        """Null gives way to what has the key."""
        if node.tag != _NULL:
            raise UserError(f"{self._what} can't be added: {node.value[:60]!r} is in its way, a single value")
        start, end = node.start_mark.index, node.end_mark.index
        if start == end and not in_flow:
            lines = self._lines(self._parts)
            return self._after(end, lines, 0 if is_root else indent + len(self._unit))
        return f"{self._text[:start]}{self._flow(self._parts)}{self._text[end:]}"

    def to_flow(self, node: Node) -> str:
        member = self._member(node)
        close = node.end_mark.index - 1
        if not node.value:
            return f"{self._text[: node.start_mark.index + self._opening(node)]}{member}{self._text[close:]}"
        end = self._end_in_flow(node)
        first = node.value[0][0] if isinstance(node, yaml.MappingNode) else node.value[0]
        gap = self._text[node.start_mark.index + self._opening(node) : first.start_mark.index]
        gap = gap if "\n" in gap and not gap.strip() else " "
        tail = _COMMENTS.sub("", self._text[end:close])
        if "," in tail:  # a comma behind the last one is there already
            end = self._text.index(",", end) + 1
            return f"{self._text[:end]}{gap}{member}{self._text[end:]}"
        return f"{self._text[:end]},{gap}{member}{self._text[end:]}"

    def _opening(self, node: Node) -> int:
        """How far behind a node's beginning its bracket ends, past its anchor and tag."""
        bracket = "{" if isinstance(node, yaml.MappingNode) else "["
        return int(self._text.index(bracket, node.start_mark.index)) + 1 - int(node.start_mark.index)

    def _end_in_flow(self, node: Node) -> int:
        if isinstance(node, yaml.MappingNode):
            key, value = node.value[-1]
            return content_end(self._text, value, content_end(self._text, key))
        at = int(node.start_mark.index) + self._opening(node)
        for item in node.value:
            at = content_end(self._text, item, at)
        return at

    def to_block(self, node: Node) -> str:
        lines = self._lines(self._as_member(node))
        return self._after(content_end(self._text, node), lines, _column(self._text, node))

    def _member(self, node: Node) -> str:
        whole = self._flow(self._as_member(node))
        return whole[1:-1]

    def _as_member(self, node: Node) -> tuple[Part, ...]:
        """The parts, the first as what a mapping or a sequence takes."""
        first, *rest = self._parts
        if isinstance(node, yaml.MappingNode):
            return (Part(first.text, is_name=True), *rest)
        if not first.is_place or (first.text != "-1" and int(first.text) != len(node.value)):
            raise UserError(
                f"{self._what} can't be added: {first.text!r} is no place in a list of {len(node.value)}; -1 adds one"
            )
        return (Part("-1"), *rest)

    def _lines(self, parts: Sequence[Part]) -> list[str]:
        """The key in block style, its lines without the indentation of the first."""
        first, rest = parts[0], parts[1:]
        if self._is_item(first):
            below = self._lines(rest) if rest else [write_scalar(self._value)]
            return [f"- {below[0]}", *(f"  {line}" for line in below[1:])]
        key = write_scalar(first.text)
        if rest:
            return [f"{key}:", *(self._unit + line for line in self._lines(rest))]
        return [f"{key}: {write_scalar(self._value)}"]

    def _flow(self, parts: Sequence[Part]) -> str:
        first, rest = parts[0], parts[1:]
        write = self._json if self._is_json else write_scalar
        value = self._flow(rest) if rest else write(self._value, in_flow=True)
        return f"[{value}]" if self._is_item(first) else f"{{{write(first.text, in_flow=True)}: {value}}}"

    @staticmethod
    def _json(value: Scalar, *, in_flow: bool) -> str:
        return double_quoted(value) if isinstance(value, str) else write_scalar(value, in_flow=in_flow)

    @property
    def _is_json(self) -> bool:
        return self._text.lstrip().startswith("{")

    def _is_item(self, part: Part) -> bool:
        if not part.is_place:
            return False
        if part.text not in {"0", "-1"}:
            raise UserError(f"{self._what} can't be added: there is no list that could have an item {part.text}")
        return True

    def _after(self, at: int, lines: Sequence[str], indent: int) -> str:
        """The text with these lines after the one that holds `at`, or ends there."""
        text = self._text
        added = "".join(f"{' ' * indent}{line}{self._end_of_line}" for line in lines)
        if at > 0 and text[at - 1] == "\n":
            return f"{text[:at]}{added}{text[at:]}"
        end = text.find("\n", at)
        if end < 0:
            return f"{text}{self._end_of_line if text else ''}{added}"
        return f"{text[: end + 1]}{added}{text[end + 1 :]}"


def _column(text: str, node: Node) -> int:
    """Of a block mapping's keys, of a block sequence's dashes."""
    if not node.value or node.flow_style:
        return int(node.start_mark.column)
    if isinstance(node, yaml.MappingNode):
        return int(node.value[0][0].start_mark.column)
    dash = text.rindex("-", 0, node.value[0].start_mark.index)
    return dash - text.rfind("\n", 0, dash) - 1


def _unit(root: Node | None) -> int:
    """By how much the text indents mappings."""
    pairs: Sequence[tuple[Any, Any]] = root.value if isinstance(root, yaml.MappingNode) else ()
    for key, value in pairs:
        if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
            wider = value.value[0][0].start_mark.column - key.start_mark.column
            if wider > 0:
                return int(wider)
    return _WIDTH
