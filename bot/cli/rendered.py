"""The files that a promotion would write: gathered from its commits, shown as a diff, put into a folder."""

import difflib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from bot.contracts import Git
from bot.core.model import CommitSha


class Written(Protocol):
    """What a commit was asked for: paths of a work tree (none: all that changed), and what it was based on."""

    @property
    def worktree(self) -> Path: ...
    @property
    def base(self) -> CommitSha: ...
    @property
    def paths(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class File:
    """One file that the pull request would hold; `before` None where it is new, `after` None where it goes."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0o644

    @property
    def change(self) -> str:
        if self.before == self.after:
            return "unchanged"
        if self.before is None:
            return "added"
        return "deleted" if self.after is None else "changed"


async def written_files(git: Git, url: str, written: Sequence[Written], lock_path: str) -> list[File]:
    """The files at and below every path that was committed, the lock apart, as they were and as they are now."""
    found: dict[str, File] = {}
    for worktree in dict.fromkeys(one.worktree for one in written):
        commits = [one for one in written if one.worktree == worktree]
        base, head = commits[0].base, await git.head(worktree)
        changed = set(await git.changed_paths(url, base, head)) if base != head else set()
        paths = set(changed)
        for folder in {path for one in commits for path in one.paths}:
            paths |= set(await git.list_files(url, head, folder))
        for path in sorted(paths - {lock_path}):
            after = _link(worktree / path) or await git.read(url, head, path)
            before = await git.read(url, base, path) if path in changed else after
            found[path] = File(path, before, after, _mode(worktree / path))
    return [found[path] for path in sorted(found)]


def _link(path: Path) -> bytes | None:
    """Where a symbolic link leads, which is its content to git."""
    return os.fsencode(path.readlink()) if path.is_symlink() else None


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return stat.S_IFREG


def write_files(folder: Path, files: Iterable[File]) -> None:
    """Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        if file.after is None:
            continue
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(file.mode):
            path.symlink_to(os.fsdecode(file.after))
        else:
            path.write_bytes(file.after)
            path.chmod(0o755 if file.mode & 0o100 else 0o644)


def diff_of(file: File) -> list[str]:
    """A unified diff with git's names, line by line. https://git-scm.com/docs/diff-format"""
    try:
        before, after = ((side or b"").decode().splitlines(keepends=True) for side in (file.before, file.after))
    except UnicodeDecodeError:
        return [f"Binary file {file.path} {file.change}\n"]
    old = "/dev/null" if file.before is None else f"a/{file.path}"
    new = "/dev/null" if file.after is None else f"b/{file.path}"
    lines = difflib.unified_diff(before, after, old, new)
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


def coloured(line: str) -> str:
    if line.startswith(("---", "+++")):
        return click.style(line, bold=True)
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])
    return click.style(line, fg=colour) if colour else line
