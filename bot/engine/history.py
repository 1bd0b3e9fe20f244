"""What Git says of a stage: its lock's history on the branch it lives on, and what is on its promotion branch.

Commits never change, so what one of them says is remembered for ever (within a bound).
"""

from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from bot.contracts import Git, Identity
from bot.core import lock
from bot.core.facts import CommitInfo
from bot.core.lock import Lock
from bot.core.model import CommitSha, StageName
from bot.core.snapshot import Landing

DEPTH = 30  # landings looked back over: more promotions than anybody rolls back over
_NOT_OURS = (
    "is not signed with the App's private key of now; where that was exchanged, delete the file and promote into the "
    "stage what it holds"
)


@dataclass(frozen=True, slots=True)
class History:
    """Landings newest first. `problem` says why the newest lock can't be read, for people."""

    landings: tuple[Landing, ...]
    problem: str = ""


class Histories:
    def __init__(self) -> None:
        self._histories: LRUCache[tuple[str, CommitSha, str], History] = LRUCache(maxsize=4096)
        self._locks: LRUCache[tuple[str, CommitSha, StageName], Lock | str | None] = LRUCache(maxsize=65536)
        self._foreign: LRUCache[tuple[str, CommitSha, CommitSha, str], tuple[str, ...]] = LRUCache(maxsize=4096)

    async def of(self, git: Git, url: str, head: CommitSha, stage: StageName) -> History:
        """The stage's landings, as seen from the head of the branch its lock is on."""
        key = (url, head, stage)
        if key not in self._histories:
            self._histories[key] = await self._read(git, url, head, stage)
        return self._histories[key]

    async def kept(
        self, git: Git, url: str, head: CommitSha, stage: StageName, genuine: Callable[[bytes, CommitSha], bool]
    ) -> History:
        """The landings that Towpath keeps itself, as seen from the head of its branch.

        What is not `genuine` is passed over, for anybody who may write to the repository may have put it there. Only
        where nothing is, that is a problem: the key may be another than it was, and then nobody knows.
        """
        key = (url, head, f"{stage} kept")
        if key not in self._histories:
            commits = await git.log(url, head, paths=[lock.path(stage)], limit=DEPTH)
            found = [(one, await git.read(url, one.sha, lock.path(stage))) for one in commits]
            own = [
                (one, _parse(text, stage)) for one, text in found if text is not None and _follows(one, text, genuine)
            ]
            landings = tuple(Landing(one.sha, one.commit_date, held) for one, held in own if isinstance(held, Lock))
            lost = not landings and any(text is not None for _, text in found)
            self._histories[key] = History(landings, f"`{lock.path(stage)}` {_NOT_OURS}" if lost else "")
        return self._histories[key]

    async def _read(self, git: Git, url: str, head: CommitSha, stage: StageName) -> History:
        problem = ""
        landings: list[Landing] = []
        for commit in await git.log(url, head, paths=[lock.path(stage)], limit=DEPTH):
            found = await self.lock_at(git, url, commit.sha, stage)
            if isinstance(found, Lock):
                landings.append(Landing(commit.sha, commit.commit_date, found))
            elif not landings:
                problem = problem or found or "the lock was deleted"
        return History(tuple(landings) if not problem else (), problem)

    async def lock_at(self, git: Git, url: str, sha: CommitSha, stage: StageName) -> Lock | str | None:
        """The lock at a commit; a sentence when it can't be read; None when there is none."""
        key = (url, sha, stage)
        if key not in self._locks:
            content = await git.read(url, sha, lock.path(stage))
            self._locks[key] = None if content is None else _parse(content, stage)
        return self._locks[key]

    async def authors_of_foreign_commits(
        self, git: Git, url: str, head: CommitSha, target: CommitSha, identity: Identity
    ) -> tuple[str, ...]:
        """Who, other than us, has commits on a promotion branch."""
        key = (url, head, target, identity.email)
        if key not in self._foreign:
            commits = await git.log(url, head, not_in=target, limit=50)
            foreign = [c.author_name for c in commits if not c.is_by(identity.email)]
            self._foreign[key] = tuple(dict.fromkeys(foreign))
        return self._foreign[key]


def _follows(commit: CommitInfo, text: bytes, genuine: Callable[[bytes, CommitSha], bool]) -> bool:
    return len(commit.parents) == 1 and genuine(text, commit.parents[0])


def _parse(content: bytes, stage: StageName) -> Lock | str:
    try:
        found = lock.read(content)
    except ValueError as error:
        return f"`{lock.path(stage)}` is no lock of ours: {error}"
    if found.stage != stage:
        return f"`{lock.path(stage)}` is the lock of another stage, {found.stage}"
    return found
