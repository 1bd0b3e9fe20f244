"""Records in memory and in one SQLite file: read at once, written in one transaction per change of the world."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from bot.sandbox.records import decode, encode


class HasId(Protocol):
    """Anything with a number of its own."""

    @property
    def id(self) -> int:
        """The record's number, unique among all records of the world."""


R = TypeVar("R", bound=HasId)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (kind TEXT NOT NULL, id INTEGER NOT NULL, data TEXT NOT NULL,
                                    PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class Store:
    """The SQLite file behind all tables.

    Changes gather in memory until `commit` writes them in one transaction or `rollback` undoes them, so a
    process killed at any moment leaves either all of a change or nothing of it.
    Raises `sqlite3.OperationalError` if another process holds the file.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, timeout=1, isolation_level=None)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        row = self._db.execute("SELECT value FROM counters WHERE name = 'id'").fetchone()
        self._last_id: int = row[0] if row else 0
        self._dirty: dict[tuple[str, int], str | None] = {}
        self._undo: list[Callable[[], None]] = []

    def next_id(self) -> int:
        """A number never given before and never again; one lost to a rollback is not reused either."""
        self._last_id += 1
        return self._last_id

    def rows(self, kind: str) -> Iterator[Any]:
        """The stored records of a kind, oldest first, as JSON values."""
        for (data,) in self._db.execute("SELECT data FROM records WHERE kind = ? ORDER BY id", (kind,)):
            yield json.loads(data)

    def note(self, kind: str, number: int, data: str | None, undo: Callable[[], None]) -> None:
        """Remember one change (`data` None deletes) for the next commit, and how to take it back."""
        self._dirty[kind, number] = data
        self._undo.append(undo)

    def commit(self) -> None:
        """Write everything noted, or nothing."""
        if self._dirty:
            self._db.execute("BEGIN IMMEDIATE")
            for (kind, number), data in self._dirty.items():
                if data is None:
                    self._db.execute("DELETE FROM records WHERE kind = ? AND id = ?", (kind, number))
                else:
                    self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (kind, number, data))
            self._db.execute("INSERT OR REPLACE INTO counters VALUES ('id', ?)", (self._last_id,))
            self._db.execute("COMMIT")
        self._dirty.clear()
        self._undo.clear()

    def rollback(self) -> None:
        """Undo everything noted since the last commit."""
        for undo in reversed(self._undo):
            undo()
        self._dirty.clear()
        self._undo.clear()

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._db.close()


class Table(Generic[R]):
    """All records of one class, by id and, if `group` is given, by what it returns."""

    def __init__(self, store: Store, kind: str, record: type[R], group: Callable[[R], Hashable] | None = None) -> None:
        self._store, self._kind, self._group = store, kind, group
        self._rows: dict[int, R] = {}
        self._groups: dict[Hashable, dict[int, R]] = {}
        for data in store.rows(kind):
            row = decode(record, data)
            self._set(row.id, row)

    def get(self, number: int | None) -> R | None:
        """The record with this id, or None."""
        return None if number is None else self._rows.get(number)

    def __getitem__(self, number: int) -> R:
        return self._rows[number]

    def __iter__(self) -> Iterator[R]:
        """All records, oldest first."""
        return iter(sorted(self._rows.values(), key=lambda row: row.id))

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, group: Hashable) -> tuple[R, ...]:
        """The records of one group, oldest first."""
        return tuple(sorted(self._groups.get(group, {}).values(), key=lambda row: row.id))

    def find(self, wanted: Callable[[R], bool]) -> R | None:
        """The oldest record that is `wanted`, or None."""
        return next((row for row in self if wanted(row)), None)

    def put(self, row: R) -> R:
        """Add the record, or replace the one with its id; returns it."""
        before = self._rows.get(row.id)
        self._set(row.id, row)
        self._store.note(self._kind, row.id, json.dumps(encode(row)), lambda: self._set(row.id, before))
        return row

    def delete(self, number: int) -> None:
        """Forget the record with this id; raises KeyError if there is none."""
        before = self._rows[number]
        self._set(number, None)
        self._store.note(self._kind, number, None, lambda: self._set(number, before))

    def _set(self, number: int, row: R | None) -> None:
        before = self._rows.pop(number, None)
        if self._group and before is not None:
            self._groups[self._group(before)].pop(number, None)
        if row is not None:
            self._rows[number] = row
            if self._group:
                self._groups.setdefault(self._group(row), {})[number] = row
