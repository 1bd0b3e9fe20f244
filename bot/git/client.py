"""The `Git` port: mirrors and work trees under one folder, every call in a thread, one writer per mirror."""

import asyncio
import shutil
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from bot.contracts.clock import Clock
from bot.contracts.git import Checkout, Credential, Credentials, Identity, LocalCommit, PushResult, Submodule
from bot.core.facts import CommitInfo, Refs, TagInfo
from bot.core.model import CommitSha
from bot.errors import Broken, UserError
from bot.git import history, publishing, submodules
from bot.git.mirror import Mirror
from bot.git.objects import Unreadable
from bot.git.process import GitFailed, Runner, signature
from bot.git.questions import Questions
from bot.git.remotes import check_ref, check_url, is_sha, mirror_name
from bot.git.session import Session
from bot.git.variants import Variant
from bot.git.worktree import WorkTree

_READERS = 8  # so many mirrors keep git's object reader running

T = TypeVar("T")


class MirroredGit:
    """Git over HTTP for everybody who shares the same credentials.

    `folder` holds the mirrors (`mirrors/<hash of the URL>.git`) and what the work trees need (`checkouts/`). A mirror
    is read without asking its remote, so two parties of different rights must not be given the same folder.
    `identity` commits. `environment` may add what the network needs (proxies, certificates). `allow_file` is for tests.
    Without `contents` mirrors hold commits and names alone, but for those that `whole` has whole.
    """

    def __init__(
        self,
        folder: Path,
        credentials: Credentials,
        identity: Identity,
        clock: Clock,
        *,
        environment: Mapping[str, str] | None = None,
        allow_file: bool = False,
        contents: bool = True,
        whole: "MirroredGit | None" = None,
    ) -> None:
        self._folder = folder
        self._credentials = credentials
        self._identity = identity
        self._clock = clock
        self._allow_file = allow_file
        self._environment = environment or {}
        self._contents = contents
        self._whole = whole
        self._others: dict[Variant, MirroredGit] = {}
        self._changes = history.Changes()
        self._runner = Runner.create(folder / "home", allow_file=allow_file, environment=environment or {})
        self._mirrors: OrderedDict[str, Mirror] = OrderedDict()  # the one asked last is the last
        self._asking: Questions[Refs] = Questions()
        self._writers: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._trees: dict[Path, tuple[WorkTree, Checkout]] = {}
        self._starting = asyncio.Lock()
        self._session: Session | None = None

    def configured(self, *, verify_tls: bool = True, contents: bool = True) -> "MirroredGit":
        variant = Variant(verify_tls, contents)
        if variant == Variant():
            return self
        if variant not in self._others:
            self._others[variant] = MirroredGit(
                self._folder / variant.folder,
                variant.credentials(self._credentials),
                self._identity,
                self._clock,
                environment=variant.environment(self._environment),
                allow_file=self._allow_file,
                contents=contents,
                whole=self if verify_tls else None,
            )
        return self._others[variant]

    # --- the mirror ---------------------------------------------------------------------------------

    async def refs(self, url: str) -> Refs:
        mirror = self._mirror(url)
        return await self._asking.ask(mirror.path.name, lambda began: self._writing(mirror, mirror.refresh, began))

    async def read(self, url: str, rev: str, path: str) -> bytes | None:
        mirror, sha = await self._find(url, rev)
        return await self._reading(mirror, sha, lambda: mirror.objects.read_file(sha, path))

    async def list_files(self, url: str, rev: str, folder: str) -> tuple[str, ...]:
        mirror, sha = await self._find(url, rev)
        return await self._reading(mirror, sha, lambda: history.list_files(mirror.git, sha, folder.strip("/")))

    async def log(
        self, url: str, rev: str, *, paths: Sequence[str] = (), limit: int = 50, not_in: str = ""
    ) -> tuple[CommitInfo, ...]:
        mirror, sha = await self._find(url, rev)
        without = (await self._find(url, not_in))[1] if not_in else None
        return await self._reading(
            mirror, sha, lambda: history.log(mirror.git, sha, paths=paths, limit=limit, not_in=without)
        )

    async def tags(self, url: str) -> tuple[TagInfo, ...]:
        mirror = await self._known(url)
        return await asyncio.to_thread(history.tags, mirror.git)

    async def changed_paths(self, url: str, old: str, new: str) -> tuple[str, ...]:
        if (known := self._changes.get(url, old, new)) is not None:
            return known
        mirror, before = await self._find(url, old)
        _, after = await self._find(url, new)
        changed = await self._reading(mirror, after, lambda: history.changed_paths(mirror.git, before, after))
        self._changes.keep(url, old, new, changed)
        return changed

    def _mirror(self, url: str) -> Mirror:
        address = check_url(url, allow_file=self._allow_file)
        name = mirror_name(address)
        if self._whole is not None and (whole := self._whole._mirror(url)).known():
            return whole
        if name not in self._mirrors:
            path = self._folder / "mirrors" / f"{name}.git"
            self._mirrors[name] = Mirror(address, path, self._runner, self._clock, contents=self._contents)
        self._mirrors.move_to_end(name)
        for old in islice(reversed(self._mirrors.values()), _READERS, _READERS + 1):  # the one that is now too many
            old.objects.close()
        return self._mirrors[name]

    async def _known(self, url: str) -> Mirror:
        """The mirror, made now if there is none yet."""
        mirror = self._mirror(url)
        if not mirror.known():
            await self.refs(url)
        return mirror

    async def _find(self, url: str, rev: str) -> tuple[Mirror, CommitSha]:
        """The commit a revision means, asking the remote when it is not known here."""
        mirror = await self._known(url)
        for ask in (False, True):
            if ask:
                await self.refs(url)
            if found := await asyncio.to_thread(mirror.resolve, rev):
                return mirror, found
        if not is_sha(rev):
            raise UserError(f"{url} has no branch, tag or commit {rev!r}; correct the name")
        await self._writing(mirror, lambda credential: mirror.fetch_commit(rev, credential))
        return mirror, CommitSha(rev)

    async def _look_up(self, mirror: Mirror, look: Callable[[Refs], CommitSha | None]) -> CommitSha | None:
        return look(mirror.refs()) or look(await self.refs(mirror.url))

    async def _writing(
        self, mirror: Mirror, write: Callable[[Credential | None], T], begins: Callable[[], None] = lambda: None
    ) -> T:
        credential = await self._credentials(mirror.url)
        async with self._writers[mirror.path.name]:
            begins()
            return await asyncio.to_thread(write, credential)

    async def _reading(self, mirror: Mirror, sha: CommitSha, read: Callable[[], T]) -> T:
        """Read; where an object that should be there can't be read, make the mirror again and read once more."""
        try:
            return await asyncio.to_thread(read)
        except (Unreadable, GitFailed) as error:
            if "No space left on device" in str(error):
                raise
            await self._writing(mirror, mirror.mend)
            if not await asyncio.to_thread(mirror.objects.has_commit, sha):
                await self._writing(mirror, lambda credential: mirror.fetch_commit(sha, credential))
            return await asyncio.to_thread(read)

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
        mirror = await self._known(url)
        sha: CommitSha | None
        if commit:
            branch, (_, sha) = "", await self._find(url, commit)
        elif tag:
            branch, sha = "", await self._look_up(mirror, lambda refs: refs.tags.get(check_ref("tag", tag)))
        else:
            branch = check_ref("branch", branch or mirror.refs().default_branch)
            sha = await self._look_up(mirror, lambda refs: refs.heads.get(branch))
            if sha is None and create:
                signed = signature(self._identity, self._identity, self._clock.now())
                await self._writing(mirror, lambda credential: mirror.begin_branch(branch, signed, credential))
                sha = (await self.refs(url)).heads.get(branch)
        if sha is None:
            kind, name = ("tag", tag) if tag else ("branch", branch)
            raise UserError(f"{url} has no {kind} {name!r}; correct the name, or create it first")
        found = sha
        tree = WorkTree(mirror, path, await self._new_folder(), self._identity, self._clock)
        await self._reading(mirror, found, lambda: tree.check_out(found, branch, sparse))
        self._trees[path] = (tree, Checkout(path, mirror.url, branch, found, author))
        return found

    async def checkouts(self, folder: Path) -> tuple[Checkout, ...]:
        return tuple(checkout for path, (_, checkout) in self._trees.items() if path.is_relative_to(folder))

    async def submodules(self, worktree: Path) -> tuple[Submodule, ...]:
        return await asyncio.to_thread(submodules.find, self._tree(worktree))

    async def clear(self, path: Path) -> None:
        tree = next((tree for tree, _ in self._trees.values() if path.is_relative_to(tree.path)), None)
        await asyncio.to_thread((tree or self._tree(path)).clear, path)

    async def changes(self, worktree: Path, paths: Sequence[str] = ()) -> tuple[str, ...]:
        return await asyncio.to_thread(self._tree(worktree).changes, paths)

    async def commit(
        self, worktree: Path, message: str, *, author: Identity, paths: Sequence[str] = ()
    ) -> CommitSha | None:
        return await asyncio.to_thread(self._tree(worktree).commit, message, author, paths)

    async def head(self, worktree: Path) -> CommitSha:
        return await asyncio.to_thread(self._tree(worktree).head)

    async def tag(self, worktree: Path, name: str, message: str, *, tagger: Identity, force: bool = False) -> CommitSha:
        tree = self._tree(worktree)
        there = (await self.refs(tree.mirror.url)).tags.get(check_ref("tag", name))
        return await asyncio.to_thread(publishing.tag, tree, name, message, tagger, there, force=force)

    async def push_tag(self, worktree: Path, name: str, *, force: bool = False) -> PushResult:
        tree = self._tree(worktree)
        there = (await self.refs(tree.mirror.url)).tags.get(check_ref("tag", name))
        credential = await self._credentials(tree.mirror.url)
        async with self._writers[f"{tree.mirror.path.name} tag {name}"]:
            return await asyncio.to_thread(publishing.push_tag, tree, name, there, credential, force=force)

    async def local_commits(self, worktree: Path, onto: CommitSha) -> tuple[LocalCommit, ...]:
        return await asyncio.to_thread(publishing.local_commits, self._tree(worktree), onto)

    async def stage(self, worktree: Path, name: str) -> None:
        tree = self._tree(worktree)
        credential = await self._credentials(tree.mirror.url)
        await asyncio.to_thread(publishing.stage, tree, check_ref("staging", name), credential)

    async def unstage(self, worktree: Path, name: str) -> None:
        tree = self._tree(worktree)
        credential = await self._credentials(tree.mirror.url)
        await asyncio.to_thread(publishing.unstage, tree, check_ref("staging", name), credential)

    async def adopt(self, worktree: Path, commit: CommitSha) -> None:
        tree = self._tree(worktree)
        await self._writing(tree.mirror, lambda credential: tree.mirror.fetch_commit(commit, credential))
        await asyncio.to_thread(publishing.adopt, tree, commit)

    async def put_on_top(self, worktree: Path, branch: str) -> CommitSha:
        tree = self._tree(worktree)
        credential = await self._credentials(tree.mirror.url)
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
        tree = self._tree(worktree)
        check_ref("branch", branch)
        credential = await self._credentials(tree.mirror.url)
        async with self._writers[f"{tree.mirror.path.name} {branch}"]:
            if force:
                return await asyncio.to_thread(tree.replace_branch, branch, expect, credential)
            return await asyncio.to_thread(tree.advance_branch, branch, attempts, credential)

    async def close(self) -> None:
        """Take away what the work trees needed. Mirrors stay."""
        self._trees.clear()
        for other in self._others.values():
            await other.close()
        for mirror in self._mirrors.values():
            await asyncio.to_thread(mirror.objects.close)
        if self._session:
            await asyncio.to_thread(self._session.close)
            self._session = None

    def _tree(self, path: Path) -> WorkTree:
        try:
            return self._trees[path][0]
        except KeyError:
            raise Broken(f"no work tree was checked out at {path}") from None

    async def _new_folder(self) -> Path:
        """A folder for a new work tree's git directory. Those of work trees that are gone are removed."""
        for path, (tree, _) in tuple(self._trees.items()):
            if not path.exists():
                del self._trees[path]
                await asyncio.to_thread(shutil.rmtree, tree.directory, ignore_errors=True)
        async with self._starting:
            if self._session is None:
                self._session = await asyncio.to_thread(Session, self._folder / "checkouts")
        return await asyncio.to_thread(self._session.new_folder)
