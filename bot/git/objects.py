"""Reading a mirror's commits and files, by GitPython, which keeps git's object reader running between questions."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import git
from git.exc import GitError, ODBError

from bot.git.process import Runner

_REGULAR = 0o100000
_KIND = 0o170000


class Unreadable(Exception):
    """An object is missing from the mirror, or broken in it."""


class Objects:
    """The objects of one mirror. Everything here blocks, and may be called from any thread."""

    def __init__(self, mirror: Runner) -> None:
        self._mirror = mirror
        self._lock = threading.Lock()  # the reader takes one question at a time
        self._repo: git.Repo | None = None

    def has_commit(self, sha: str) -> bool:
        try:
            with self._commit(sha) as commit:
                return bool(commit.tree.hexsha)  # read, for a commit's own name needs no reading
        except Unreadable:
            return False

    def read_file(self, sha: str, path: str) -> bytes | None:
        """A regular file's content at a commit, None when there is none. Raises Unreadable."""
        with self._commit(sha) as commit:
            try:
                found = commit.tree.join(path)
            except KeyError:
                return None
            if not isinstance(found, git.Blob) or found.mode & _KIND != _REGULAR:
                return None
            content: bytes = found.data_stream.read()
            return content

    def read_files(self, sha: str, paths: Iterable[str]) -> dict[str, bytes]:
        """As `read_file`, for those that are there; each folder on the way is read once."""
        found: dict[str, bytes] = {}
        with self._commit(sha) as commit:
            folders = {"": commit.tree}
            for path in paths:
                folder, _, name = path.rpartition("/")
                try:
                    blob = _folder(folders, folder)[name]
                except KeyError:
                    continue
                if isinstance(blob, git.Blob) and blob.mode & _KIND == _REGULAR:
                    found[path] = blob.data_stream.read()
        return found

    def same_content(self, ours: str, theirs: str) -> bool:
        """Whether two heads hold the same trees on the same ground: commits that differ only in dates and words."""
        with self._commit(ours) as our_head:
            mine, yours = our_head, our_head.repo.commit(theirs)
            for _ in range(100):
                if mine == yours:
                    return True
                if mine.tree != yours.tree or len(mine.parents) != 1 or len(yours.parents) != 1:
                    return False
                mine, yours = mine.parents[0], yours.parents[0]
        return False

    def close(self) -> None:
        """End the reader; the next question starts one again. One that is being asked goes on."""
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        if self._repo is not None:
            self._repo.close()
            self._repo = None

    @contextmanager
    def _commit(self, sha: str) -> Iterator[git.Commit]:
        with self._lock:
            try:
                yield self._open(sha)
            except (GitError, ODBError, ValueError, OSError) as error:
                self._end()  # it may have stopped in the middle of an answer
                raise Unreadable(f"reading {sha} from the mirror: {error}") from error

    def _open(self, sha: str) -> git.Commit:
        if self._repo is None:
            self._repo = git.Repo(self._mirror.folder, expand_vars=False)
            self._repo.git.update_environment(**self._mirror.environment)
        found = git.Object.new_from_sha(self._repo, bytes.fromhex(sha))
        while isinstance(found, git.TagObject):
            found = found.object
        if not isinstance(found, git.Commit):
            raise Unreadable(f"{sha} is a {found.type}, not a commit")
        return found


def _folder(known: dict[str, git.Tree], path: str) -> git.Tree:
    """Raises KeyError."""
    if path not in known:
        above, _, name = path.rpartition("/")
        found = _folder(known, above)[name]
        if not isinstance(found, git.Tree):
            raise KeyError(path)
        known[path] = found
    return known[path]
