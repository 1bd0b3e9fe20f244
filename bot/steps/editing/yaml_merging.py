"""Laying YAML texts over one another: mappings are merged, everything else of the later one stands.

Nodes are merged, not data, so that numbers, quotes and comments stay as they are written; the result is read again and
compared with what merging the data gives. https://pkg.go.dev/sigs.k8s.io/kustomize/kyaml/yaml/merge2
"""

import copy
import io
import re
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import CommentMark
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.serializer import Serializer
from ruamel.yaml.tokens import CommentToken

from bot.errors import UserError
from bot.steps.editing.yaml_nodes import has_more
from bot.steps.editing.yaml_reading import load_yaml

Node = Any  # ruamel's ScalarNode, SequenceNode or MappingNode
_NULL = "tag:yaml.org,2002:null"
_LIST = re.compile(r"^(?P<key> *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*(?P<dash> *)- ", re.M)
_MAPPING = re.compile(r"^(?P<key> *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?P<below>(?P=key) +)[^\s#-]", re.M)
_STRING = "tag:yaml.org,2002:str"
_HARMLESS = re.compile(r"[A-Za-z0-9_./+-]+(?:[ :][A-Za-z0-9_./+-]+)*")
_MARK = re.compile(r"\n(?:---|\.\.\.)")
_WIDE = 1 << 30  # lines are not broken


class _Anchors(Serializer):
    """Anchors keep their names, which composed nodes hold as plain texts."""

    def generate_anchor(self, node: Any) -> Any:
        name = getattr(node, "anchor", None)
        return name if isinstance(name, str) and name else super().generate_anchor(node)


def merge_yaml(texts: Sequence[tuple[str, str]]) -> str:
    """Texts, each with its path, merged in order: the first document of each, and each must have one at most.

    A null in a later text takes away what an earlier one has. Raises UserError for what can't be merged.
    """
    merged: Node = None
    expected: Any = None
    kept = [(text, path, data) for text, path in texts if (data := load_yaml(text, path)) is not None]
    for text, path, data in kept:
        node = _nodes(text, path)
        if merged is None:
            merged, expected = node, data
            continue
        _refuse_unlike(expected, data, "", path)
        merged = _merged(merged, node)
        expected = _merged_data(expected, data)
    if len(kept) < 2:
        return kept[0][0] if kept else ""
    first = kept[0][0]
    result = _written(merged, first)
    names = ", ".join(path for _, path in texts)
    try:
        is_right = load_yaml(result, names) == expected
    except UserError:  # the writer has limits: the result is nobody's, so they are told of in our words
        is_right = False
    if not is_right:
        raise UserError(
            f"{names} can't be merged as they are; write out what anchors and aliases stand for, and put texts of "
            "several lines in block style"
        )
    return result


def _nodes(text: str, path: str) -> Node:
    if has_more(text.removeprefix("\ufeff"), path):
        raise UserError(f"{path} has several documents; only files with one can be merged")
    return YAML().compose(text.removeprefix("\ufeff"))


def _merged(below: Node, above: Node) -> Node:
    if not (isinstance(below, MappingNode) and isinstance(above, MappingNode)):
        if isinstance(above, ScalarNode) and isinstance(below, ScalarNode) and not _comment(above)[0].strip():
            _set_comment(above, _comment(below)[0], _comment(above)[1])
        _hand_over(below, above)
        return _without_nulls(above)
    result = below
    if below.anchor:  # what an alias elsewhere leads to stays as it is
        result = copy.deepcopy(below)
        result.anchor = None
    if not result.value:
        result.flow_style = above.flow_style
    for key, value in above.value:
        if result.flow_style:
            _put_on_a_line(key)
            _put_on_a_line(value)
        place = next((at for at, (known, _) in enumerate(result.value) if _same(known, key)), None)
        if isinstance(value, ScalarNode) and value.tag == _NULL:
            if place is not None:
                _take_away(result, place)
        elif place is not None:
            known, old = result.value[place]
            result.value[place] = (known, _merged(old, value))
        else:
            _set_comment(_last(value), _comment(_last(value))[0], "")
            if result.value:
                _hand_over(result, value)
            result.value.append((key, _without_nulls(value)))
    return result


def _put_on_a_line(node: Node) -> None:
    """Write it so that it can stand between brackets, where comments can't and less can do without quotes."""
    node.comment = None
    if isinstance(node, ScalarNode):
        if node.style in {"|", ">"} or (node.tag == _STRING and not node.style and not _HARMLESS.fullmatch(node.value)):
            node.style = '"'
        return
    node.flow_style = True
    for each in node.value:
        for below in each if isinstance(node, MappingNode) else (each,):
            _put_on_a_line(below)


def _take_away(mapping: Node, place: int) -> None:
    _, value = mapping.value.pop(place)
    if place > 0:
        _hand_over(value, mapping.value[place - 1][1])


def _same(one: Node, other: Node) -> bool:
    scalars = isinstance(one, ScalarNode) and isinstance(other, ScalarNode)
    return scalars and (one.tag, one.value) == (other.tag, other.value)


def _without_nulls(node: Node) -> Node:
    if isinstance(node, MappingNode):
        node.value = [(key, _without_nulls(value)) for key, value in node.value if value.tag != _NULL]
    return node


def _merged_data(below: Any, above: Any) -> Any:
    """The same for plain data: what the result has to be."""
    if not isinstance(above, dict):
        return above
    result = dict(below) if isinstance(below, dict) else {}
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged_data(result.get(key), value)
    return result


def _refuse_unlike(below: Any, above: Any, key: str, path: str) -> None:
    """As Kargo: a mapping does not give way to a value, nor a list to a mapping; null does to everything."""
    if below is None or above is None:
        return
    if _kind(below) != _kind(above):
        raise UserError(
            f"{path} can't be merged: {key or 'the whole'} is {_kind(above)} in it, and {_kind(below)} in what it "
            "is merged with; take it away with null first, in a file between"
        )
    if isinstance(above, dict):
        for name in above.keys() & below.keys():
            _refuse_unlike(below[name], above[name], f"{key}.{name}" if key else str(name), path)


def _kind(value: Any) -> str:
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a single value"


def _written(root: Node, like: str) -> str:
    """In block style as `like` has it: how far mappings are indented, and lists below their keys."""
    writer = YAML()
    writer.Serializer = _Anchors
    writer.width = _WIDE
    found = _LIST.search(like)
    offset = len(found["dash"]) - len(found["key"]) if found else 0
    nested = _MAPPING.search(like)
    unit = len(nested["below"]) - len(nested["key"]) if nested else 2
    writer.indent(mapping=unit, sequence=2 + offset, offset=offset)
    writer.explicit_start = like.startswith("---")
    _mind_document_marks(root, set())
    out = io.StringIO()
    writer.serialize(root, out)
    return out.getvalue()


def _mind_document_marks(node: Node, seen: set[int]) -> None:
    """A quoted text with a line that looks like the end of a document is written on one line."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, ScalarNode):
        if node.style == "'" and _MARK.search(node.value):
            node.style = '"'
        return
    for each in node.value:
        for below in each if isinstance(node, MappingNode) else (each,):
            _mind_document_marks(below, seen)


# ruamel keeps what follows a value, up to the next one, with the last leaf before it: first what is on its own line
# (a comment behind it), then the lines below, which belong to what comes next.


def _last(node: Node) -> Node:
    while not isinstance(node, ScalarNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    return node


def _comment(leaf: Node) -> tuple[str, str]:
    token = leaf.comment[0] if leaf.comment else None
    own, _, below = token.value.partition("\n") if token is not None else ("", "", "")
    return own, below


def _set_comment(leaf: Node, own: str, below: str) -> None:
    if not own and not below:
        if leaf.comment:
            leaf.comment = [None, *leaf.comment[1:]]
        return
    mark = CommentMark(0)
    token = leaf.comment[0] if leaf.comment and leaf.comment[0] else CommentToken("", mark, None)
    token.value = f"{own}\n{below}"
    leaf.comment = [token, *(leaf.comment[1:] if leaf.comment else [None])]


def _hand_over(before: Node, after: Node) -> None:
    """What stands below one node and belongs to what comes next stands below the other instead."""
    old, new = _last(before), _last(after)
    own, below = _comment(old)
    _set_comment(old, own, "")
    _set_comment(new, _comment(new)[0], below)
