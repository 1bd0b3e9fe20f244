"""All mirrors under one folder: found by URL, one writer each, asked once for all who ask at the same time."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from copy import copy
from itertools import islice
from pathlib import Path
from typing import TypeVar

from bot.contracts.clock import Clock
from bot.contracts.git import Login, Logins, Peek, SshLogin
from bot.core.facts import Refs
from bot.core.model import CommitSha
from bot.core.urls import ssh_address
from bot.errors import UserError
from bot.git.mirror import HEAD_AGE, Mirror
from bot.git.objects import Unreadable
from bot.git.process import GitFailed, Runner
from bot.git.questions import Questions
from bot.git.reach import Reach
from bot.git.remotes import check_url, is_sha, mirror_name
from bot.git.state import MirrorState

_READERS = 8  # so many mirrors keep git's object reader running
_FEW_TAGS = 30  # one page of GitHub's; with more of them a listing by Git is the shorter answer

T = TypeVar("T")


class Mirrors:
    """`folder` holds them. Without `contents` they are of commits and names alone, but for those `whole` has whole.
    Without `verified` certificates, servers are shown no credentials over HTTP. `peek` asks a server by a cheaper way
    than Git."""

    def __init__(
        self,
        folder: Path,
        credentials: Logins,
        runner: Runner,
        clock: Clock,
        *,
        allow_file: bool = False,
        contents: bool = True,
        verified: bool = True,
        whole: "Mirrors | None" = None,
        peek: Peek | None = None,
    ) -> None:
        self.given = credentials
        self.shared = self  # what those are views of that `of_repository` makes
        self.writers: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._folder = folder
        self._runner = runner
        self._clock = clock
        self._allow_file = allow_file
        self._contents = contents
        self._verified = verified
        self._whole = whole.shared if whole else None
        self._peek = peek
        self._reach: Reach | None = None
        self._mirrors: OrderedDict[str, Mirror] = OrderedDict()  # the one asked last is the last
        self._asking: Questions[Refs] = Questions()
        self._peeking: Questions[bool] = Questions()

    def of(self, url: str) -> Mirror:
        """The mirror of a URL, which need not be there yet. Raises UserError for an address we don't take."""
        reach = self._reach
        address = check_url(reach.address(url) if reach else url, allow_file=self._allow_file)
        name = mirror_name(address, reach.realm(address) if reach else "")
        if self._whole is not None and (whole := self._whole.of(url)).known():
            return whole
        if name not in self._mirrors:
            path = self._folder / f"{name}.git"
            self._mirrors[name] = Mirror(address, path, self._runner, self._clock, contents=self._contents)
        self._mirrors.move_to_end(name)
        for old in islice(reversed(self._mirrors.values()), _READERS, _READERS + 1):  # the one that is now too many
            old.objects.close()
        return self._mirrors[name]

    def of_repository(self, reach: Reach) -> "Mirrors":
        """The same mirrors for one of those who share them, and those beside them that are its own."""
        view = copy(self)
        view._reach = reach
        view._whole = self._whole.of_repository(reach) if self._whole else None
        return view

    async def credentials(self, url: str) -> Login | None:
        """What the server of a mirror is shown. Whoever gives it is asked in any case: the address may be refused."""
        own = self._reach if self._reach and self._reach.realm(url) else None
        found = await (own.login(url) if own else self.given(url))
        if ssh_address(url) and not isinstance(found, SshLogin):
            raise UserError(f"{url}: there is no SSH key for it here; write the address as https://host/owner/name.git")
        return found if self._verified or isinstance(found, SshLogin) else None

    def keyed(self, url: str) -> bool:
        """Whether an address is one for SSH with a key for it."""
        return self._reach is not None and self._reach.has_key(url)

    async def ask(self, mirror: Mirror) -> Refs:
        """What its remote has now; the mirror has it too then."""
        return await self._asking.ask(mirror.path.name, lambda began: self.writing(mirror, mirror.refresh, began))

    async def unmoved(self, mirror: Mirror, *, branch: str = "", tags: bool = False) -> bool:
        """Whether one branch ("": the default branch) or all tags are known to be where the mirror has them, as can
        be told without Git."""
        state = mirror.state
        if self._peek is None or state is None:
            return False
        expected = state.tags() if tags else self._branch(state, branch)
        if expected is None or len(expected) > _FEW_TAGS:
            return False
        peek, known = self._peek, expected
        what = "tags" if tags else next(iter(known)).removeprefix("refs/")

        async def work(began: Callable[[], None]) -> bool:
            began()
            return await peek(mirror.url, what) == known

        return await self._peeking.ask(f"{mirror.path.name} {what}", work)

    def _branch(self, state: MirrorState, name: str) -> dict[str, str] | None:
        """A branch that is known. Which one is the default branch is believed for an hour."""
        if not name and self._clock.now() - state.head_asked > HEAD_AGE:
            return None
        return state.branch(name or state.default_branch) or None

    async def known(self, url: str) -> Mirror:
        """The mirror, made now if there is none yet."""
        mirror = self.of(url)
        if not mirror.known():
            await self.ask(mirror)
            mirror = self.of(url)
        return mirror

    async def find(self, url: str, rev: str) -> tuple[Mirror, CommitSha]:
        """The commit a revision means, asking the remote when it is not known here."""
        mirror = await self.known(url)
        for ask in (False, True):
            if ask:
                await self.ask(mirror)
            if found := await asyncio.to_thread(mirror.resolve, rev):
                return mirror, found
        if not is_sha(rev):
            raise UserError(f"{url} has no branch, tag or commit {rev!r}; correct the name")
        await self.writing(mirror, lambda credential: mirror.fetch_commit(rev, credential))
        return mirror, CommitSha(rev)

    async def look_up(self, mirror: Mirror, look: Callable[[Refs], CommitSha | None]) -> CommitSha | None:
        """What is found in the refs as they are known, or else as they are now."""
        return look(mirror.refs()) or look(await self.ask(mirror))

    async def note(self, mirror: Mirror, branch: str, sha: CommitSha, asked: int) -> bool:
        """See `Mirror.note`."""
        async with self.writers[mirror.path.name]:
            return await asyncio.to_thread(mirror.note, branch, sha, asked)

    async def writing(
        self, mirror: Mirror, write: Callable[[Login | None], T], begins: Callable[[], None] = lambda: None
    ) -> T:
        credential = await self.credentials(mirror.url)
        async with self.writers[mirror.path.name]:
            begins()
            return await asyncio.to_thread(write, credential)

    async def reading(self, mirror: Mirror, sha: CommitSha, read: Callable[[], T]) -> T:
        """Read; where an object that should be there can't be read, make the mirror again and read once more."""
        try:
            return await asyncio.to_thread(read)
        except (Unreadable, GitFailed) as error:
            if "No space left on device" in str(error):
                raise
            await self.writing(mirror, mirror.mend)
            if not await asyncio.to_thread(mirror.objects.has_commit, sha):
                await self.writing(mirror, lambda credential: mirror.fetch_commit(sha, credential))
            return await asyncio.to_thread(read)

    async def close(self) -> None:
        for mirror in self._mirrors.values():
            await asyncio.to_thread(mirror.objects.close)
