"""One bare mirror of one remote repository: brought up to date, asked, and made again when it is broken.

Everything here blocks; `bot/git/client.py` calls it in a thread.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from bot.contracts.clock import Clock
from bot.contracts.git import Login, PushRejected
from bot.core.facts import Refs
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.git.objects import Objects
from bot.git.process import NETWORK_SECONDS, GitFailed, Runner
from bot.git.remotes import explain, is_sha, parse_listing
from bot.git.state import HEADS, TAGS, MirrorState, from_json

_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_STATE = "towpath.json"
# Where a repository has more refs than this (GitHub lists two for every pull request ever opened), the default
# branch, which only the unfiltered listing tells, is asked for once an hour instead of every time.
_MANY_REFS = 2000
HEAD_AGE = timedelta(hours=1)
_MANY_PACKS = 50

T = TypeVar("T")


class Mirror:
    """`path` is the bare repository; beside it lies the file that whoever writes to it holds a lock on.

    Without `contents` it holds commits and the names of files, not what is in them
    (https://git-scm.com/docs/partial-clone).
    """

    def __init__(self, url: str, path: Path, runner: Runner, clock: Clock, *, contents: bool = True) -> None:
        self.url = url
        self.path = path
        self._home = runner
        self._filter: tuple[str, ...] = () if contents else ("--filter=blob:none",)
        self._clock = clock
        self._state: MirrorState | None = None
        self.asked = 0  # how often the remote has told what it has
        self.objects = Objects(self.git)

    @property
    def objects_folder(self) -> Path:
        return self.path / "objects"

    @property
    def git(self) -> Runner:
        return self._home.inside(self.path, GIT_DIR=str(self.path), GIT_NO_LAZY_FETCH="1")

    # --- the remote ---------------------------------------------------------------------------------

    def refresh(self, credential: Login | None) -> Refs:
        """Ask the remote what it has, and fetch if that is not what is here. Raises Retry and UserError."""
        with self._exclusive() as lock:
            state = self._load()
            if state is None:
                return self._make(credential, lock).refs()
            asked = self._ask(state, credential, lock)
            if asked.listing != state.listing:
                asked = self._mended(lambda: self._fetch(asked, credential, lock), credential, lock)
            elif (asked.default_branch, asked.many) != (state.default_branch, state.many):
                self._save(asked)
            self._state = asked
            self.asked += 1
            return asked.refs()

    def note(self, branch: str, sha: CommitSha, asked: int) -> bool:
        """Take it that the remote's branch is where we have just pushed it, without asking. The commit is here.

        `asked` is what it was before the push. False where that can't be told: if the remote has answered since,
        somebody may have moved the branch after us, or before.
        """
        with self._exclusive():
            return self.asked == asked and self._take(branch, sha)

    def fetch_commit(self, sha: str, credential: Login | None) -> CommitSha:
        """Bring one commit no branch leads to any more. Raises UserError where the remote does not give it."""

        def fetch() -> CommitSha:
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", *self._filter)
            self._remote("fetching from", credential, "fetch", *options, "--", self.url, sha, lock=lock)
            if not self.objects.has_commit(sha):
                raise GitFailed(("fetch", self.url, sha), 0, "it did not arrive")
            return CommitSha(sha)

        with self._exclusive() as lock:
            return self._mended(fetch, credential, lock)

    def begin_branch(self, branch: str, signed: Mapping[str, str], credential: Login | None) -> bool:
        """Make a branch of one empty commit on the remote; fine if somebody made it meanwhile. Whether it is here."""
        with self._exclusive() as lock:
            tree = self.git.text("mktree")
            sha = self.git.text("commit-tree", tree, stdin=b"Initial commit\n", environment=signed)
            only_if_missing = f"--force-with-lease=refs/heads/{branch}:"
            try:
                self._remote(
                    "pushing to", credential,
                    "push", "--porcelain", only_if_missing, "--", self.url, f"{sha}:refs/heads/{branch}", lock=lock,
                )  # fmt: skip
            except GitFailed as failure:
                if "(stale info)" not in failure.stdout:
                    raise PushRejected(f"{self.url} refused to have {branch} created: {failure.stdout}") from failure
                return False
            return self._take(branch, CommitSha(sha))

    def _take(self, branch: str, sha: CommitSha) -> bool:
        state = self._load()
        if state is None or not state.listing:  # a repository's first branch may become its default branch
            return False
        try:
            self.git.run("update-ref", f"{HEADS}{branch}", sha)
        except GitFailed:  # such as `a/b` beside an `a` that is gone from the remote: a fetch will tell
            return False
        self._save(replace(state, listing={**state.listing, f"{HEADS}{branch}": sha}))
        return True

    def _ask(self, state: MirrorState, credential: Login | None, lock: int) -> MirrorState:
        """The state with the listing, and where that is due the default branch, of the remote."""
        now = self._clock.now()
        if state.many and now - state.head_asked < HEAD_AGE:
            text = self._remote("asking", credential, "ls-remote", "--heads", "--tags", "--", self.url, lock=lock)
            listing, _ = parse_listing(text)
            if f"refs/heads/{state.default_branch}" in listing:
                return replace(state, listing=listing)
        text = self._remote("asking", credential, "ls-remote", "--symref", "--", self.url, lock=lock)
        listing, head = parse_listing(text)
        many = text.count("\n") > _MANY_REFS
        return replace(state, default_branch=head, listing=listing, many=many, head_asked=now)

    def _remote(self, doing: str, credential: Login | None, *arguments: str, lock: int) -> str:
        inside = arguments[0] not in {"clone", "ls-remote"}
        git = self.git if inside else self._home.inside(self.path.parent)
        try:
            out = git.with_credential(self.url, credential).run(*arguments, timeout=NETWORK_SECONDS, keep_open=(lock,))
        except GitFailed as failure:
            meaning = explain(failure, self.url, self._clock, doing)
            if meaning is failure:
                raise
            raise meaning from failure
        return out.decode("utf-8", "replace")

    def _make(self, credential: Login | None, lock: int) -> MirrorState:
        """Clone beside, and move into place when whole: a mirror that is there is a whole one."""
        self.objects.close()
        growing = self.path.with_suffix(".new")
        for old in (growing, self.path):
            if old.exists():
                shutil.rmtree(old)
        self._remote(
            "cloning", credential,
            "clone", "--quiet", "--bare", "--template=", *self._filter, "--", self.url, str(growing), lock=lock,
        )  # fmt: skip
        growing.rename(self.path)
        head = self.git.run("symbolic-ref", "--quiet", "HEAD", accept=(1,)).decode().strip()
        state = self._read_refs(head.removeprefix("refs/heads/"), many=False)
        self._save(state)
        self.asked += 1
        return state

    def _fetch(self, state: MirrorState, credential: Login | None, lock: int) -> MirrorState:
        self._remote(
            "fetching from", credential,
            "fetch", "--quiet", "--prune", "--no-write-fetch-head", "--no-tags", *self._filter, "--", self.url,
            *_REFSPECS, lock=lock,
        )  # fmt: skip
        fetched = replace(self._read_refs(state.default_branch, many=state.many), head_asked=state.head_asked)
        self._save(fetched)
        if sum(1 for _ in (self.objects_folder / "pack").glob("*.pack")) > _MANY_PACKS:
            tidy = ("-c", "gc.auto=1", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
            self.git.run(*tidy, timeout=NETWORK_SECONDS, keep_open=(lock,))
        return fetched

    def _mended(self, work: Callable[[], T], credential: Login | None, lock: int) -> T:
        """Do the work; where git stumbles over the mirror itself, take away what a killed git left, then start anew."""
        try:
            return work()
        except GitFailed:
            for stale in self.path.rglob("*.lock"):  # we hold the lock on the mirror: nobody else is writing
                stale.unlink(missing_ok=True)
        try:
            return work()
        except GitFailed:
            self._make(credential, lock)
        return work()

    # --- what is here -------------------------------------------------------------------------------

    def known(self) -> bool:
        return self._load() is not None

    def refs(self) -> Refs:
        """As of the last `refresh`. Raises UserError when there was none."""
        state = self._load()
        if state is None:
            raise UserError(f"{self.url} has not been fetched yet")
        return state.refs()

    @property
    def state(self) -> MirrorState | None:
        """None where there was no `refresh` yet."""
        return self._load()

    def resolve(self, rev: str) -> CommitSha | None:
        """The commit that a full or short SHA, a branch or a tag means here; None when it is unknown."""
        if is_sha(rev):
            return CommitSha(rev) if self.objects.has_commit(rev) else None
        refs = self.refs()
        if found := refs.heads.get(rev) or refs.tags.get(rev):
            return found
        try:
            return CommitSha(self.git.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}"))
        except GitFailed:
            return None

    def mend(self, credential: Login | None) -> None:
        """Make the mirror again: what should be in it can't be read."""
        with self._exclusive() as lock:
            self._make(credential, lock)

    def _read_refs(self, default_branch: str, *, many: bool) -> MirrorState:
        layout = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)"
        listing: dict[str, str] = {}
        peeled: dict[str, str] = {}
        for line in self.git.text("for-each-ref", f"--format={layout}", "refs/heads", "refs/tags").splitlines():
            name, sha, kind, target, target_kind = line.split("\0")
            listing[name] = sha
            if name.startswith(TAGS):
                tag = name.removeprefix(TAGS)
                if kind == "commit":
                    peeled[tag] = sha
                elif target_kind == "commit":
                    peeled[tag] = target
                elif target_kind == "tag":  # a tag of a tag
                    peeled[tag] = self.git.text("rev-parse", f"{sha}^{{commit}}")
        return MirrorState(default_branch, listing, peeled, many, self._clock.now())

    def _load(self) -> MirrorState | None:
        if not self.path.is_dir():
            self._state = None
        elif self._state is None:
            try:
                self._state = from_json((self.path / _STATE).read_bytes())
            except (OSError, ValueError, KeyError, TypeError):
                self._state = None
        return self._state

    def _save(self, state: MirrorState) -> None:
        self._state = state
        growing = self.path / f"{_STATE}.new"
        growing.write_text(state.to_json())
        growing.rename(self.path / _STATE)

    @contextmanager
    def _exclusive(self) -> Iterator[int]:
        """Hold the mirror against every other process. Its git commands hold the file too, so that a git that
        outlives a killed Towpath is waited for, and any `.lock` file found afterwards is nobody's."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path.with_suffix(".writer"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)
