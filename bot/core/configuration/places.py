"""Where in a file a value stands. Found again only when there is something to say about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

Path = tuple[str | int, ...]

_MERGE = "tag:yaml.org,2002:merge"


class _Marks(yaml.CSafeLoader):
    """Makes a tree for its marks alone: of all tags only that of `<<` is looked at."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return _MERGE if value == "<<" and implicit[0] else ""


class SourceFile:
    """One file's text. Its tree with marks is made when first asked for: a file without problems never pays for it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def _trees(self) -> Iterator[Any]:
        # The text has passed `reading.read`, so that neither its depth nor its aliases can hurt here.
        return iter(yaml.compose_all(self.text, Loader=_Marks))

    @cached_property
    def _read(self) -> list[Any]:
        return []

    @cached_property
    def _entries(self) -> dict[int, dict[str, tuple[Any, Any]]]:
        return {}

    def tree(self, index: int) -> Any:
        """The tree of the n-th document."""
        while len(self._read) <= index:
            self._read.append(next(self._trees))
        return self._read[index]

    def entries(self, node: Any) -> dict[str, tuple[Any, Any]]:
        """Key and value nodes of a mapping by name, those of `<<` included; the first of a duplicate counts."""
        known = self._entries.get(id(node))
        if known is None:
            known = {}
            merged: list[Any] = []
            for key, value in node.value:
                if key.tag == _MERGE:
                    merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
                elif isinstance(key, yaml.ScalarNode):
                    known.setdefault(key.value, (key, value))
            for other in merged:
                if isinstance(other, yaml.MappingNode):
                    known = self.entries(other) | known
            self._entries[id(node)] = known
        return known


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a document: the path that leads to it from the document's root.

    A path that ends in something the file leaves out (a default, a desugared field) means the last part that is there.
    """

    source: SourceFile
    document: int
    path: Path = ()

    def __truediv__(self, step: str | int) -> "Place":
        return Place(self.source, self.document, (*self.path, step))

    def at(self, path: Path) -> "Place":
        return Place(self.source, self.document, self.path + path)

    @property
    def file(self) -> str:
        return self.source.name

    def position(self, *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value or of the key before it."""
        node = self.source.tree(self.document)
        mark = node.start_mark
        for step in self.path:
            if isinstance(node, yaml.MappingNode) and (entry := self.source.entries(node).get(str(step))):
                mark, node = entry[0].start_mark, entry[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                mark = node.start_mark
            else:
                break
        if not key:
            mark = node.start_mark
        return mark.line + 1, mark.column + 1
