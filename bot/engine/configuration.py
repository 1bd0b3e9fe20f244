"""Which configuration holds: that of the default branch's head, or, while that is broken, the last that was valid."""

from typing import Protocol

from cachetools import LRUCache

from bot.contracts import Git
from bot.core.config import Loaded, PlugIns, load
from bot.core.model import CommitSha, Pipeline, Problem, Severity

FILE = ".promotion.yaml"
FOLDER = ".promotion"
_SEARCHED = 20  # commits of the configuration looked back over for a valid one


class Source(Protocol):
    """Where the files of a commit are read: Git, or anything else that has them."""

    async def read(self, url: str, rev: str, path: str) -> bytes | None: ...
    async def list_files(self, url: str, rev: str, folder: str) -> tuple[str, ...]: ...


class Configurations:
    """Reads and remembers configurations. A commit's never changes, so what is remembered never goes stale."""

    def __init__(self, plugins: PlugIns) -> None:
        self._plugins = plugins
        self._loaded: LRUCache[tuple[str, str], Loaded | None] = LRUCache(maxsize=4096)
        self._files: LRUCache[tuple[tuple[str, bytes], ...], Loaded] = LRUCache(maxsize=512)

    async def at(self, git: Git, url: str, head: CommitSha) -> tuple[Pipeline | None, tuple[Problem, ...]] | None:
        """The pipeline that holds and the problems of the newest configuration; None where there is no file."""
        newest = await self.loaded(git, url, head)
        if newest is None:
            return None
        if not _broken(newest):
            return newest.pipeline, newest.problems
        for commit in await git.log(url, head, paths=[FILE, FOLDER], limit=_SEARCHED):
            earlier = await self.loaded(git, url, commit.sha)
            if earlier is not None and not _broken(earlier):
                return earlier.pipeline, newest.problems
        return None, newest.problems

    async def loaded(self, source: Source, url: str, sha: CommitSha) -> Loaded | None:
        """What one commit's configuration says; None where there is no file. The same content is the same object."""
        if (url, sha) not in self._loaded:
            self._loaded[url, sha] = await self._read(source, url, sha)
        return self._loaded[url, sha]

    async def _read(self, source: Source, url: str, sha: CommitSha) -> Loaded | None:
        """Most commits leave the configuration alone, so what it says is remembered by its content as well."""
        content = await source.read(url, sha, FILE)
        if content is None:
            return None
        files = {FILE: content}
        for path in await source.list_files(url, sha, FOLDER):
            if path.endswith((".yaml", ".yml")):
                files[path] = await source.read(url, sha, path) or b""
        key = tuple(sorted(files.items()))
        if key not in self._files:
            self._files[key] = load(files, self._plugins)
        return self._files[key]


def _broken(loaded: Loaded) -> bool:
    return loaded.pipeline is None or any(p.severity is Severity.ERROR for p in loaded.problems)
