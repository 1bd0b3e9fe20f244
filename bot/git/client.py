"""The `Git` port: mirrors and work trees under one folder, every call in a thread, one writer per mirror."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Self

from bot.contracts.clock import Clock
from bot.contracts.git import (
    Checkout,
    Identity,
    LocalCommit,
    Logins,
    Peek,
    PushResult,
    Submodule,
)
from bot.core.facts import CommitInfo, Refs, TagInfo
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.git import history, publishing, submodules
from bot.git.checkouts import Checkouts
from bot.git.mirror import Mirror
from bot.git.mirrors import Mirrors
from bot.git.process import Runner, signature
from bot.git.reach import Reach
from bot.git.remotes import check_ref
from bot.git.variants import Variant
from bot.git.worktree import WorkTree


class MirroredGit:
    """Git for everybody who shares the same credentials.

    `folder` holds the mirrors (`mirrors/<hash of the URL>.git`) and what the work trees need (`checkouts/`). A mirror
    is read without asking its remote, so two parties of different rights must not be given the same folder; what one
    of those who share it reaches with its own keys has a mirror of its own, see `of_repository`.
    `identity` commits. `environment` may add what the network needs (proxies, certificates). `allow_file` is for tests.
    Without `contents` mirrors hold commits and names alone, but for those that `whole` has whole.
    `peek` asks a server where a branch or the tags are by a cheaper way than Git.
    """

    def __init__(
        self,
        folder: Path,
        credentials: Logins,
        identity: Identity,
        clock: Clock,
        *,
        environment: Mapping[str, str] | None = None,
        allow_file: bool = False,
        contents: bool = True,
        verified: bool = True,
        whole: "MirroredGit | None" = None,
        peek: Peek | None = None,
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._clock = clock
        self._allow_file = allow_file
        self._environment = environment or {}
        self._peek = peek
        self._others: dict[Variant, MirroredGit] = {}
        self._changes = history.Changes()
        self._mirrors: Mirrors = Mirrors(
            folder / "mirrors",
            credentials,
            Runner.create(folder / "home", allow_file=allow_file, environment=environment or {}),
            clock,
            allow_file=allow_file,
            contents=contents,
            verified=verified,
            whole=whole._mirrors if whole else None,
            peek=peek,
        )
        self._reach: Reach | None = None
        self._checkouts = Checkouts(folder / "checkouts")
        self._asked: dict[Path, float] | None = None

    def configured(self, *, verify_tls: bool = True, contents: bool = True) -> "MirroredGit":
        variant = Variant(verify_tls, contents)
        if variant == Variant():
            return self
        if variant not in self._others:
            self._others[variant] = MirroredGit(
                self._folder / variant.folder,
                self._mirrors.given,
                self._identity,
                self._clock,
                environment=variant.environment(self._environment),
                allow_file=self._allow_file,
                contents=contents,
                verified=verify_tls,
                whole=self if verify_tls else None,
                peek=self._peek if verify_tls else None,  # it shows credentials
            )
        return self._others[variant].of_repository(self._reach)._for(self._asked)

    def of_repository(self, reach: Reach | None) -> "MirroredGit":
        """The same Git for the pipeline of one repository, with what that one alone can reach (None: the same)."""
        if reach is None or reach is self._reach:
            return self
        view = copy(self)
        view._reach, view._mirrors = reach, self._mirrors.of_repository(reach)
        return view

    def for_one_look(self) -> Self:
        """The same Git, that remembers until it is dropped which remotes it has asked: see `Git.seen`."""
        return self._for({})

    def _for(self, asked: dict[Path, float] | None) -> Self:
        """The same Git with this memory: by mirror, when its remote began to be asked (`time.monotonic`)."""
        if asked is self._asked:
            return self
        view = copy(self)
        view._asked = asked
        return view

    # --- the mirror ---------------------------------------------------------------------------------

    async def refs(self, url: str) -> Refs:
        began, mirror = time.monotonic(), self._mirrors.of(url)
        refs = await self._mirrors.ask(mirror)
        if self._asked is not None:
            self._asked[mirror.path] = began
        return refs

    async def seen(self, url: str, *, since: float = 0.0) -> Refs:
        mirror = self._mirrors.of(url)
        return mirror.refs() if self._has_asked(mirror, since) else await self.refs(url)

    async def watched(self, url: str, *, branch: str = "", tags: bool = False, since: float = 0.0) -> Refs:
        mirror = self._mirrors.of(url)
        known = self._has_asked(mirror, since) or await self._mirrors.unmoved(mirror, branch=branch, tags=tags)
        return mirror.refs() if known else await self.refs(url)

    async def read(self, url: str, rev: str, path: str) -> bytes | None:
        mirror, sha = await self._mirrors.find(url, rev)
        return await self._mirrors.reading(mirror, sha, lambda: mirror.objects.read_file(sha, path))

    async def read_files(self, url: str, rev: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        mirror, sha = await self._mirrors.find(url, rev)
        return await self._mirrors.reading(mirror, sha, lambda: mirror.objects.read_files(sha, paths))

    async def list_files(self, url: str, rev: str, folder: str) -> tuple[str, ...]:
        mirror, sha = await self._mirrors.find(url, rev)
        return await self._mirrors.reading(mirror, sha, lambda: history.list_files(mirror.git, sha, folder.strip("/")))

    async def log(
        self, url: str, rev: str, *, paths: Sequence[str] = (), limit: int = 50, not_in: str = ""
    ) -> tuple[CommitInfo, ...]:
        mirror, sha = await self._mirrors.find(url, rev)
        without = (await self._mirrors.find(url, not_in))[1] if not_in else None
        return await self._mirrors.reading(
            mirror, sha, lambda: history.log(mirror.git, sha, paths=paths, limit=limit, not_in=without)
        )

    async def tags(self, url: str) -> tuple[TagInfo, ...]:
        mirror = await self._mirrors.known(url)
        return await asyncio.to_thread(history.tags, mirror.git)

    async def changed_paths(self, url: str, old: str, new: str) -> tuple[str, ...]:
        if (known := self._changes.get(self._mirrors.of(url).path.name, old, new)) is not None:
            return known
        mirror, before = await self._mirrors.find(url, old)
        _, after = await self._mirrors.find(url, new)
        changed = await self._mirrors.reading(mirror, after, lambda: history.changed_paths(mirror.git, before, after))
        self._changes.keep(mirror.path.name, old, new, changed)
        return changed

    def _has_asked(self, mirror: Mirror, since: float) -> bool:
        asked = self._asked.get(mirror.path) if self._asked is not None else None
        return asked is not None and asked >= since and mirror.known()

    def _ask_again(self, mirror: Mirror) -> None:
        """What is known of it is no longer good enough for this look."""
        if self._asked is not None:
            self._asked.pop(mirror.path, None)

    # --- work trees ---------------------------------------------------------------------------------

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
        mirror = await self._mirrors.known(url)
        sha: CommitSha | None
        if commit:
            branch, (_, sha) = "", await self._mirrors.find(url, commit)
        elif tag:
            branch, sha = "", await self._mirrors.look_up(mirror, lambda refs: refs.tags.get(check_ref("tag", tag)))
        else:
            branch = check_ref("branch", branch or mirror.refs().default_branch)
            sha = await self._mirrors.look_up(mirror, lambda refs: refs.heads.get(branch))
            if sha is None and create:
                signed = signature(self._identity, self._identity, self._clock.now())
                known = await self._mirrors.writing(
                    mirror, lambda credential: mirror.begin_branch(branch, signed, credential)
                )
                sha = (mirror.refs() if known else await self.refs(url)).heads.get(branch)
        if sha is None:
            kind, name = ("tag", tag) if tag else ("branch", branch)
            raise UserError(f"{url} has no {kind} {name!r}; correct the name, or create it first")
        found = sha
        tree = WorkTree(mirror, path, await self._checkouts.new_folder(), self._identity, self._clock)
        await self._mirrors.reading(mirror, found, lambda: tree.check_out(found, branch, sparse))
        self._checkouts.add(tree, Checkout(path, mirror.url, branch, found, author))
        return found

    async def checkouts(self, folder: Path) -> tuple[Checkout, ...]:
        return self._checkouts.under(folder)

    async def submodules(self, worktree: Path) -> tuple[Submodule, ...]:
        return await asyncio.to_thread(submodules.find, self._checkouts.at(worktree), self._mirrors.keyed)

    async def clear(self, path: Path) -> None:
        await asyncio.to_thread(self._checkouts.around(path).clear, path)

    async def changes(self, worktree: Path, paths: Sequence[str] = ()) -> tuple[str, ...]:
        return await asyncio.to_thread(self._checkouts.at(worktree).changes, paths)

    async def commit(
        self, worktree: Path, message: str, *, author: Identity, paths: Sequence[str] = ()
    ) -> CommitSha | None:
        return await asyncio.to_thread(self._checkouts.at(worktree).commit, message, author, paths)

    async def head(self, worktree: Path) -> CommitSha:
        return await asyncio.to_thread(self._checkouts.at(worktree).head)

    async def tag(self, worktree: Path, name: str, message: str, *, tagger: Identity, force: bool = False) -> CommitSha:
        tree = self._checkouts.at(worktree)
        there = (await self.refs(tree.mirror.url)).tags.get(check_ref("tag", name))
        return await asyncio.to_thread(publishing.tag, tree, name, message, tagger, there, force=force)

    async def push_tag(self, worktree: Path, name: str, *, force: bool = False) -> PushResult:
        tree = self._checkouts.at(worktree)
        there = (await self.refs(tree.mirror.url)).tags.get(check_ref("tag", name))
        credential = await self._mirrors.credentials(tree.mirror.url)
        self._ask_again(tree.mirror)
        async with self._mirrors.writers[f"{tree.mirror.path.name} tag {name}"]:
            return await asyncio.to_thread(publishing.push_tag, tree, name, there, credential, force=force)

    async def local_commits(self, worktree: Path, onto: CommitSha) -> tuple[LocalCommit, ...]:
        return await asyncio.to_thread(publishing.local_commits, self._checkouts.at(worktree), onto)

    async def stage(self, worktree: Path, name: str) -> None:
        tree = self._checkouts.at(worktree)
        credential = await self._mirrors.credentials(tree.mirror.url)
        await asyncio.to_thread(publishing.stage, tree, check_ref("staging", name), credential)

    async def unstage(self, worktree: Path, name: str) -> None:
        tree = self._checkouts.at(worktree)
        credential = await self._mirrors.credentials(tree.mirror.url)
        await asyncio.to_thread(publishing.unstage, tree, check_ref("staging", name), credential)

    async def adopt(self, worktree: Path, commit: CommitSha) -> None:
        tree = self._checkouts.at(worktree)
        await self._mirrors.writing(tree.mirror, lambda credential: tree.mirror.fetch_commit(commit, credential))
        await asyncio.to_thread(publishing.adopt, tree, commit)

    async def put_on_top(self, worktree: Path, branch: str) -> CommitSha:
        tree = self._checkouts.at(worktree)
        credential = await self._mirrors.credentials(tree.mirror.url)
        return await asyncio.to_thread(tree.put_on_top, check_ref("branch", branch), credential)

    async def push(
        self,
        worktree: Path,
        branch: str,
        *,
        expect: CommitSha | None = None,
        force: bool = False,
        attempts: int = 10,
    ) -> PushResult:
        tree = self._checkouts.at(worktree)
        check_ref("branch", branch)
        mirror = tree.mirror
        credential = await self._mirrors.credentials(mirror.url)
        async with self._mirrors.writers[f"{mirror.path.name} {branch}"]:
            asked, known = mirror.asked, False
            try:
                if force:
                    result = await asyncio.to_thread(tree.replace_branch, branch, expect, credential)
                else:
                    result = await asyncio.to_thread(tree.advance_branch, branch, attempts, credential)
                known = result.moved and await self._mirrors.note(mirror, branch, result.commit, asked)
            finally:
                if not known:  # where it is now, refused or not: git may have been ended between push and answer
                    self._ask_again(mirror)
        return result

    async def close(self) -> None:
        """Take away what the work trees needed. Mirrors stay."""
        for other in self._others.values():
            await other.close()
        await self._mirrors.close()
        await self._checkouts.close()
