"""What differs between two commits, file by file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.sandbox.git.process import GitRepo

_NAMES = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
_START = re.compile(r"^diff --git ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file's difference; `sha` is the blob after it (before it, if removed); `patch` is None for binaries."""

    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """How much differs."""

    files: int
    additions: int
    deletions: int


async def totals(git: GitRepo, before: str, after: str) -> Totals:
    """Files, added and deleted lines between two trees."""
    out = await git.run("diff-tree", "-r", "-z", "-M", "--numstat", before, after)
    rows = _numstat(out)
    return Totals(len(rows), sum(row[0] for row in rows.values()), sum(row[1] for row in rows.values()))


async def files(git: GitRepo, before: str, after: str) -> tuple[FileChange, ...]:
    """The changed files between two trees, by path, with their patches."""
    raw = await git.run("diff-tree", "-r", "-z", "-M", "--raw", "--no-abbrev", before, after)
    numbers = _numstat(await git.run("diff-tree", "-r", "-z", "-M", "--numstat", before, after))
    patches = _patches(await text(git, before, after))
    changes: list[FileChange] = []
    tokens = iter(filter(None, raw.split("\0")))
    for token in tokens:
        _, _, old_sha, new_sha, letter = token.removeprefix(":").split()
        first = next(tokens)
        renamed = letter[0] in "RC"
        path = next(tokens) if renamed else first
        added, deleted = numbers.get(path, (0, 0))
        sha = old_sha if letter[0] == "D" else new_sha
        patch = patches[len(changes)] if len(changes) < len(patches) else None
        changes.append(FileChange(path, first if renamed else None, _NAMES[letter[0]], sha, added, deleted, patch))
    return tuple(changes)


async def text(git: GitRepo, before: str, after: str) -> str:
    """The unified diff between two trees, as `git diff` prints it."""
    return await git.run("diff-tree", "-r", "-M", "-p", "--full-index", before, after)


def _numstat(out: str) -> dict[str, tuple[int, int]]:
    rows: dict[str, tuple[int, int]] = {}
    tokens = iter(out.split("\0"))
    for token in tokens:
        if not token:
            continue
        added, deleted, path = token.split("\t", 2)
        if not path:  # a rename: the two names follow on their own
            next(tokens)
            path = next(tokens)
        rows[path] = (0, 0) if added == "-" else (int(added), int(deleted))
    return rows


def _patches(diff: str) -> list[str | None]:
    """The hunks of each file of a unified diff, in its order, which is that of the raw listing."""
    found: list[str | None] = []
    for part in _START.split(diff)[1:]:
        at = part.find("\n@@ ")
        found.append(part[at + 1 :].removesuffix("\n") if at >= 0 else None)
    return found
