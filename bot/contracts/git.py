"""Git, as a port: mirrors and work trees."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class SshLogin:
    """What a server is shown by SSH, and known by. `key` is a private key as OpenSSH writes it; `known_hosts` are lines
    of its list of host keys; `address` is the IP address to connect to, the one that was judged, whatever the name."""

    key: str = field(repr=False)
    known_hosts: str = field(repr=False)
    address: str


Login = Credential | SshLogin
Logins = Callable[[str], Awaitable[Login | None]]  # for a repository URL; None: ask without
Credentials = Callable[[str], Awaitable[Credential | None]]  # the same, for those who speak HTTP
# What a server says by another way than Git, which costs less: for a repository URL and either one branch, as
# `heads/main`, or `tags`, the full names of those refs and their objects. None where Git has to be asked.
Peek = Callable[[str, str], Awaitable[Mapping[str, str] | None]]


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


@dataclass(frozen=True, slots=True)
class Submodule:
    """Another repository at a path of a work tree, and which commit of it belongs there."""

    path: str
    url: str
    commit: CommitSha


@dataclass(frozen=True, slots=True)
class LocalCommit:
    """A commit of a work tree that is on top of what was checked out. `tree` is its content's name."""

    sha: CommitSha
    tree: str
    author: Identity
    message: str


class PushRejected(Exception):
    """The remote refused the push; the text says why, for people."""


class BranchMoved(PushRejected):
    """The remote branch is not where we expected it: somebody else was quicker."""


class Git(Protocol):
    """Git over HTTP and SSH, one shared bare mirror per repository URL, credentials known to the port alone.

    Every call runs off the event loop. Unreachable remotes raise `Retry`, refused credentials, unknown repositories
    and unknown revisions `UserError`. A `rev` is a branch, a tag or a commit of the mirror; the mirror is as the last
    `refs` left it, and is asked for by itself where there is none or a revision is not in it.
    """

    def configured(self, *, verify_tls: bool = True, contents: bool = True) -> "Git":
        """The same Git under one subscription's rules: without verifying certificates, and then without credentials,
        or for who asks no `read` and no `checkout`, so that what files hold need not be fetched."""
        ...

    async def refs(self, url: str) -> Refs:
        """Ask the remote for its refs (one `ls-remote`), and bring the mirror up to date when anything moved."""
        ...

    async def seen(self, url: str, *, since: float = 0.0) -> Refs:
        """As this look has seen them, with what it pushed itself; the remote is asked where that was not done in this
        look, or not after `since` (by `time.monotonic`). Others' pushes since then are found by the next look."""
        ...

    async def watched(self, url: str, *, branch: str = "", tags: bool = False, since: float = 0.0) -> Refs:
        """As `seen`, for who only wants to know where one branch (default: the default branch) or all tags are: they
        are as the remote has them, the others may be older. The server may be asked by a cheaper way."""
        ...

    async def read(self, url: str, rev: str, path: str) -> bytes | None:
        """A file's content at a commit of the mirror; None when there is none."""
        ...

    async def read_files(self, url: str, rev: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of those that are there."""
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

    async def submodules(self, worktree: Path) -> tuple[Submodule, ...]:
        """The submodules of a work tree's HEAD. They are not checked out with it."""
        ...

    async def clear(self, path: Path) -> None:
        """Remove every file at and below `path` of a work tree, but those that Git is told to ignore."""
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

    async def tag(self, worktree: Path, name: str, message: str, *, tagger: Identity, force: bool = False) -> CommitSha:
        """Put an annotated tag on HEAD. One that is there already, here or on the remote, is moved with `force`;
        without, it is fine at HEAD and a UserError elsewhere."""
        ...

    async def push_tag(self, worktree: Path, name: str, *, force: bool = False) -> PushResult:
        """Push a tag of a work tree. Repeatable: where the remote's is at the same commit, it stays. `force` moves one
        that is elsewhere; else that is PushRejected."""
        ...

    async def local_commits(self, worktree: Path, onto: CommitSha) -> tuple[LocalCommit, ...]:
        """The commits that HEAD has and `onto` has not, oldest first."""
        ...

    async def stage(self, worktree: Path, name: str) -> None:
        """Send HEAD with all that belongs to it to the remote's `refs/towpath/staging/<name>`, which no branch is."""
        ...

    async def unstage(self, worktree: Path, name: str) -> None:
        """Repeatable."""
        ...

    async def adopt(self, worktree: Path, commit: CommitSha) -> None:
        """Make a commit of the remote, of the same content as HEAD, the work tree's HEAD."""
        ...

    async def put_on_top(self, worktree: Path, branch: str) -> CommitSha:
        """Put our commits on top of a branch of the remote; where that branch is. Raises PushRejected where both
        change the same."""
        ...

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
