"""Git, as a port: mirrors and work trees."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.core.facts import CommitInfo, Refs, TagInfo
from bot.core.model import CommitSha


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit is by."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What a repository's server is shown; for an installation token the user is `x-access-token`."""

    username: str
    password: str = field(repr=False)


Credentials = Callable[[str], Awaitable[Credential | None]]  # for a repository URL; None: ask without


@dataclass(frozen=True, slots=True)
class Checkout:
    """A work tree: where it is and what was put there.

    `branch` is "" when a tag or a commit was checked out. `author` is who its commits are by unless one says otherwise.
    """

    path: Path
    url: str
    branch: str
    base: CommitSha
    author: Identity | None = None


@dataclass(frozen=True, slots=True)
class PushResult:
    branch: str
    commit: CommitSha
    moved: bool  # False when the branch already held this very commit or content


class PushRejected(Exception):
    """The remote refused the push; the text says why, for people."""


class BranchMoved(PushRejected):
    """The remote branch is not where we expected it: somebody else was quicker."""


class Git(Protocol):
    """Git over HTTP, one shared bare mirror per repository URL, credentials known to the port alone.

    Every call runs off the event loop. Unreachable remotes raise `Retry`, refused credentials, unknown repositories
    and unknown revisions `UserError`. A `rev` is a branch, a tag or a commit of the mirror; the mirror is as the last
    `refs` left it, and is asked for by itself where there is none or a revision is not in it.
    """

    async def refs(self, url: str) -> Refs:
        """Ask the remote for its refs (one `ls-remote`), and bring the mirror up to date when anything moved."""
        ...

    async def read(self, url: str, rev: str, path: str) -> bytes | None:
        """A file's content at a commit of the mirror; None when there is none."""
        ...

    async def list_files(self, url: str, rev: str, folder: str) -> tuple[str, ...]:
        """Paths of the files at and below a folder ("" = all) at a commit of the mirror."""
        ...

    async def log(
        self, url: str, rev: str, *, paths: Sequence[str] = (), limit: int = 50, not_in: str = ""
    ) -> tuple[CommitInfo, ...]:
        """First-parent history, newest first: only commits that change `paths`, and none reachable from `not_in`."""
        ...

    async def tags(self, url: str) -> tuple[TagInfo, ...]:
        """All tags of the mirror, newest creation first."""
        ...

    async def changed_paths(self, url: str, old: str, new: str) -> tuple[str, ...]:
        """Paths that differ between two commits of the mirror (renames as two paths)."""
        ...

    async def checkout(
        self,
        url: str,
        path: Path,
        *,
        branch: str = "",
        commit: str = "",
        tag: str = "",
        create: bool = False,
        sparse: Sequence[str] = (),
        author: Identity | None = None,
    ) -> CommitSha:
        """Put a work tree at `path` (of the default branch when nothing is named).

        `create` makes a missing branch on the remote, of one empty commit without history. `sparse` names the only
        folders wanted. Work trees live until their folder is removed.
        """
        ...

    async def checkouts(self, folder: Path) -> tuple[Checkout, ...]:
        """The work trees at and below a folder, in the order they were checked out."""
        ...

    async def clear(self, path: Path) -> None:
        """Remove every tracked file at and below `path` of a work tree."""
        ...

    async def changes(self, worktree: Path, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """The paths `commit` would change."""
        ...

    async def commit(
        self, worktree: Path, message: str, *, author: Identity, paths: Sequence[str] = ()
    ) -> CommitSha | None:
        """Commit everything that changed at and below `paths` (default: all). None when nothing differs."""
        ...

    async def head(self, worktree: Path) -> CommitSha: ...

    async def push(
        self,
        worktree: Path,
        branch: str,
        *,
        expect: CommitSha | None = None,
        force: bool = False,
        attempts: int = 10,
    ) -> PushResult:
        """Push HEAD of a work tree to a branch. With `force`, only if the remote branch still is at `expect`
        (None: must not exist). Without, a fast-forward, with rebase and retry when others were quicker.
        Raises PushRejected, in the first case BranchMoved."""
        ...
