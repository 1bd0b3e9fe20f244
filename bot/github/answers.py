"""Answers of GitHub's by address, to be asked for again by their ETags."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from cachetools import LRUCache

_REMEMBERED = 256
_REFS = 8192  # short, one for each branch that is polled
_REF = ("/git/ref/", "/git/matching-refs/")


class Answers(MutableMapping[str, Any]):
    """The latest, within a bound. What says where a branch is has a place of its own: there are many of those, and
    they shall not drive out the others, nor be driven out."""

    def __init__(self) -> None:
        self._refs: LRUCache[str, Any] = LRUCache(_REFS)
        self._others: LRUCache[str, Any] = LRUCache(_REMEMBERED)

    def __getitem__(self, url: str) -> Any:
        return self._place(url)[url]

    def __setitem__(self, url: str, answer: Any) -> None:
        self._place(url)[url] = answer

    def __delitem__(self, url: str) -> None:
        del self._place(url)[url]

    def __iter__(self) -> Iterator[str]:
        yield from self._refs
        yield from self._others

    def __len__(self) -> int:
        return len(self._refs) + len(self._others)

    def _place(self, url: str) -> "LRUCache[str, Any]":
        return self._refs if any(one in url for one in _REF) else self._others
