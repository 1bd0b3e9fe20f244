"""What the cluster follows: the default branches of the sandbox's repositories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.sandbox.git import reading
from bot.sandbox.git.process import GitRepo
from bot.sandbox.world import World

_FAR_ENOUGH = 50  # commits back; more can't be waiting to be rolled out


@dataclass(frozen=True, slots=True)
class Change:
    """A commit of a default branch that changed a file, and when it was made (aware)."""

    sha: str
    made_at: datetime


class Source(Protocol):
    """Git, as far as the cluster needs it. Repositories are named `owner/name`."""

    async def repositories(self) -> Sequence[str]:
        """All there are."""
        ...

    async def changes(self, repository: str, path: str) -> Sequence[Change]:
        """The last commits of the default branch that changed a file, newest first; none for what is not there."""
        ...

    async def read(self, repository: str, sha: str, path: str) -> bytes | None:
        """A file at a commit."""
        ...


@dataclass(frozen=True, slots=True)
class WorldSource:
    """The repositories of a sandbox."""

    world: World

    async def repositories(self) -> Sequence[str]:
        return [self.world.full_name(repo) for repo in self.world.repos]

    async def changes(self, repository: str, path: str) -> Sequence[Change]:
        found = self._git(repository)
        if found is None:
            return ()
        git, branch = found
        head = await reading.branch(git, branch)
        if head is None:
            return ()
        commits = await reading.log(git, "--first-parent", head, limit=_FAR_ENOUGH, path=path)
        return [Change(commit.sha, commit.committer.date) for commit in commits]

    async def read(self, repository: str, sha: str, path: str) -> bytes | None:
        found = self._git(repository)
        entry = await reading.entry(found[0], sha, path) if found else None
        return await reading.blob(found[0], entry.sha) if found and entry and entry.kind == "blob" else None

    def _git(self, repository: str) -> tuple[GitRepo, str] | None:
        owner, _, name = repository.partition("/")
        repo = self.world.repo(owner, name)
        return (self.world.git(repo), repo.default_branch) if repo else None
