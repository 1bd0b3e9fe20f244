"""The nodes of a YAML text and where each is in it, as PyYAML's parser tells."""

import re
from typing import Any

import yaml

from bot.errors import UserError
from bot.steps.editing.texts import refuse_deep

Node = Any  # PyYAML's ScalarNode, SequenceNode or MappingNode
_ALIAS = re.compile(r"(?:[\s:,-]|#[^\n]*)*\*[^\s,\[\]{}]+")
_MOST_NODES = 1_000_000
_BLOCK_SCALARS = frozenset("|>")


def compose(text: str, path: str, document: int = 0) -> Node | None:
    """One document of a text, counted from 0; None for one that is empty. What follows it is not looked at.

    Raises UserError, naming `path`, for what is no YAML up to there, or has no such document.
    """
    refuse_deep(text, path)
    loader = yaml.CSafeLoader(text)
    try:
        for _ in range(document):
            if not loader.check_node():
                raise UserError(f"{path} has no document {document}; the first is 0")
            loader.get_node()
        if loader.check_node():
            return loader.get_node()
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()
    if document:
        raise UserError(f"{path} has no document {document}; the first is 0")
    return None


def has_more(text: str, path: str) -> bool:
    """Whether there is a second document. Raises UserError for what is no YAML up to there."""
    loader = yaml.CSafeLoader(text)
    try:
        return bool(loader.check_node() and loader.get_node() and loader.check_node())
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()


def child(node: Node, part: str, key: str, path: str) -> Node | None:
    """The value under a name or number. Raises UserError for one that is written elsewhere, or twice."""
    if isinstance(node, yaml.MappingNode):
        found = [(k, v) for k, v in node.value if isinstance(k, yaml.ScalarNode) and k.value == part]
        if len(found) > 1:
            raise UserError(f"{path} has {part!r} (in {key!r}) twice, in line {found[1][0].start_mark.line + 1} again")
        if not found:
            return None
        after, value = found[0][0].end_mark.index, found[0][1]
    elif isinstance(node, yaml.SequenceNode):
        if not part.isdecimal() or int(part) >= len(node.value):
            return None
        value = node.value[int(part)]
        before = [item.end_mark.index for item in node.value[: int(part)]]
        after = max(before, default=node.start_mark.index)
    else:
        return None
    if value.start_mark.index < after:
        line = value.start_mark.line + 1
        raise UserError(f"{key!r} of {path} is an alias; its value is written in line {line}, change it there")
    return value


def content_end(text: str, node: Node, after: int = 0) -> int:
    """Where what is written of a node ends, without the comments and empty lines behind it.

    `after` is where what comes before it ends: a node that begins earlier is written there as an alias.
    """
    if node.start_mark.index < after:
        found = _ALIAS.match(text, after)
        return found.end() if found else after
    if isinstance(node, yaml.ScalarNode):
        end: int = node.end_mark.index
        if node.style in _BLOCK_SCALARS and "+" not in text[node.start_mark.index : end].split("\n", 1)[0]:
            end = node.start_mark.index + len(text[node.start_mark.index : end].rstrip())
        return end
    if node.flow_style or not node.value:
        return int(node.end_mark.index)
    at = after
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value[-1:]:
            at = content_end(text, value, max(content_end(text, key), at))
        return at
    for item in node.value:  # an item may be an alias, so the one before it must be known
        at = content_end(text, item, at)
    return at


def refuse_bombs(root: Node, path: str) -> None:
    """Raises UserError for a document that is immense once its aliases are followed, or contains itself."""
    sizes: dict[int, int] = {}
    waiting = [(root, False)]
    while waiting:
        node, is_known = waiting.pop()
        if isinstance(node, yaml.ScalarNode) or sizes.get(id(node), 0) > 0:
            continue
        below = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
        if is_known:
            sizes[id(node)] = 1 + sum(sizes.get(id(each), 1) for each in below)
            if sizes[id(node)] > _MOST_NODES:
                raise UserError(f"{path} has more than {_MOST_NODES:,} values once its aliases are followed")
        elif id(node) in sizes:
            raise UserError(f"{path} contains itself, by an alias in line {node.start_mark.line + 1} or below")
        else:
            sizes[id(node)] = 0
            waiting.append((node, True))
            waiting += [(each, False) for each in below]
