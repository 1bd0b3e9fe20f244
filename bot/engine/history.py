"""What Git says of a stage: its lock's history on the branch it lives on, and what is on its promotion branch.

Commits never change, so what one of them says is remembered for ever (within a bound).
"""

from dataclasses import dataclass

from cachetools import LRUCache

from bot.contracts import Git, Identity
from bot.core import lock
from bot.core.lock import Lock
from bot.core.model import CommitSha, StageName
from bot.core.snapshot import Landing

DEPTH = 30  # landings looked back over: more promotions than anybody rolls back over


@dataclass(frozen=True, slots=True)
class History:
    """Landings newest first. `problem` says why the newest lock can't be read, for people."""

    landings: tuple[Landing, ...]
    problem: str = ""


class Histories:
    def __init__(self) -> None:
        self._histories: LRUCache[tuple[str, CommitSha, StageName], History] = LRUCache(maxsize=4096)
        self._locks: LRUCache[tuple[str, CommitSha, StageName], Lock | str | None] = LRUCache(maxsize=65536)
        self._foreign: LRUCache[tuple[str, CommitSha, CommitSha, str], tuple[str, ...]] = LRUCache(maxsize=4096)

    async def of(self, git: Git, url: str, head: CommitSha, stage: StageName) -> History:
        """The stage's landings, as seen from the head of the branch its lock is on."""
        key = (url, head, stage)
        if key not in self._histories:
            self._histories[key] = await self._read(git, url, head, stage)
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


def _parse(content: bytes, stage: StageName) -> Lock | str:
    try:
        found = lock.read(content)
    except ValueError as error:
        return f"`{lock.path(stage)}` is no lock of ours: {error}"
    if found.stage != stage:
        return f"`{lock.path(stage)}` is the lock of another stage, {found.stage}"
    return found
