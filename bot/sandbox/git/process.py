"""Running `git` in one bare repository, without the user's configuration."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cachetools import LRUCache

ZERO = "0" * 40
_SHA = re.compile(r"[0-9a-f]{40}")
_KNOWN = 4096
"""Answers of Git's about objects that are kept, for each repository."""

# Pull requests' refs are, as on GitHub, to be fetched and never pushed. Objects made by the API are unreachable until
# a ref is set. https://git-scm.com/docs/git-config#_syntax
_CONFIG = """\
[core]
\thooksPath = HOOKS
[http]
\treceivepack = true
[receive]
\thideRefs = refs/pull
\tdenyDeleteCurrent = ignore
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[gc]
\tauto = 0
"""


class GitError(Exception):
    """A git command failed; the message names it and quotes what it said."""

    def __init__(self, command: Sequence[str], status: int, stderr: str) -> None:
        super().__init__(f"`git {' '.join(command[:6])}` ended with status {status}: {stderr.strip()[:500]}")
        self.status, self.stderr = status, stderr


@dataclass(frozen=True, slots=True)
class Finished:
    """How a git command ended."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")


@cache
def _path() -> str:
    git = shutil.which("git")
    return os.pathsep.join([str(Path(git).parent)] if git else []) + os.pathsep + os.defpath


def environment(home: Path) -> dict[str, str]:
    """The whole environment git runs in: only PATH, and no configuration but the repository's own."""
    return {
        "PATH": _path(),
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def is_sha(text: str) -> bool:
    """Whether `text` is a full object name."""
    return _SHA.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class GitRepo:
    """One bare repository on disk."""

    path: Path
    _known: LRUCache[tuple[str, ...], Finished] = field(
        default_factory=lambda: LRUCache(_KNOWN), init=False, repr=False, compare=False
    )

    async def learn(self, *arguments: str) -> Finished:
        """As `try_run`, for what follows from objects alone: these never change, so Git is asked once."""
        found = self._known.get(arguments)
        if found is None:
            found = await self.try_run(*arguments)
            if found.status in (0, 1):  # yes and no; other failures may be for objects that are yet to come
                self._known[arguments] = found
        return found

    async def try_run(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> Finished:
        """Run `git ARGUMENTS` here and tell how it ended, well or not."""
        process = await asyncio.create_subprocess_exec(
            "git",
            f"--git-dir={self.path}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(self.path) | dict(extra or {}),
        )
        out, err = await process.communicate(stdin)
        return Finished(process.returncode or 0, out, err)

    async def run(self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None) -> str:
        """What `git ARGUMENTS` prints, without the last newline; raises GitError if it fails."""
        done = await self.try_run(*arguments, stdin=stdin, extra=extra)
        if done.status:
            raise GitError(arguments, done.status, done.stderr.decode("utf-8", "replace"))
        return done.text.removesuffix("\n")

    async def create(self, default_branch: str, hooks: Path) -> None:
        """Make the empty repository; `hooks` is the folder of the hooks that guard pushes."""
        self.path.mkdir(parents=True, mode=0o700)
        await self.run("init", "--bare", "--quiet", f"--initial-branch={default_branch}")
        self._configure(hooks)

    def _configure(self, hooks: Path) -> None:
        place = str(hooks).replace("\\", "\\\\").replace('"', '\\"')
        with (self.path / "config").open("a", encoding="utf-8") as file:
            file.write(_CONFIG.replace("HOOKS", f'"{place}"'))
