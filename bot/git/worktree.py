"""One work tree of a mirror: put there, changed, committed, pushed. Everything here blocks.

Its git directory lies apart from its files, under Towpath's own folder, so that nothing a promotion step writes can
become configuration or a hook of git. It holds an index and a HEAD; the objects are the mirror's.
https://git-scm.com/docs/gitrepository-layout
"""

import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from random import uniform

from bot.contracts.clock import Clock
from bot.contracts.git import BranchMoved, Identity, Login, PushRejected, PushResult
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.git.mirror import Mirror
from bot.git.process import NETWORK_SECONDS, GitFailed, Runner, signature
from bot.git.remotes import explain, last_line

# https://git-scm.com/docs/git-push#_output
_REJECTED = re.compile(
    r"^!\t[^\t:]*:refs/(?:heads|tags|towpath/staging)/(?P<ref>[^\t]+)\t\[[^\]]+\] \((?P<why>.*)\)$", re.M
)
_QUICKER = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref.*|failed to update ref|incorrect old value.*"
)


class WorkTree:
    """`path` is where the files are, `directory` where git keeps what it needs besides."""

    def __init__(self, mirror: Mirror, path: Path, directory: Path, identity: Identity, clock: Clock) -> None:
        self.mirror = mirror
        self.path = path
        self.directory = directory
        self.identity = identity
        self.clock = clock

    @property
    def git(self) -> Runner:
        return self.mirror.git.inside(
            self.path,
            GIT_DIR=str(self.directory),
            GIT_WORK_TREE=str(self.path),
            GIT_OBJECT_DIRECTORY=str(self.mirror.objects_folder),
        )

    def check_out(self, sha: CommitSha, branch: str, sparse: Sequence[str]) -> None:
        """Fill an empty folder with a commit, on `branch` ("": on none)."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UserError(f"checking out {self.mirror.url}: there is something at {self.path.name} already")
        self.path.mkdir(parents=True, exist_ok=True)
        (self.directory / "refs").mkdir(parents=True)
        (self.directory / "HEAD").write_text("ref: refs/heads/not-yet\n")
        (self.directory / "config").write_text("[core]\n\trepositoryformatversion = 1\n")
        try:
            if sparse:
                folders = "".join(f"{folder}\n" for folder in sparse)
                self.git.run("sparse-checkout", "set", "--cone", "--stdin", stdin=folders.encode())
            self.git.run("checkout", "--quiet", *(("-B", branch) if branch else ("--detach",)), sha, "--")
        except GitFailed:  # so that it can be tried again
            shutil.rmtree(self.path)
            shutil.rmtree(self.directory)
            raise

    def head(self) -> CommitSha:
        """The commit HEAD is at, read without a process."""
        text = (self.directory / "HEAD").read_text().strip()
        while text.startswith("ref: "):
            text = (self.directory / text.removeprefix("ref: ")).read_text().strip()
        return CommitSha(text)

    def clear(self, path: Path) -> None:
        """Remove the files at and below a path that Git doesn't ignore, and the folders that leaves empty."""
        inside = path.relative_to(self.path)
        out = self.git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(inside))
        folders = set()
        for name in filter(None, out.decode("utf-8", "surrogateescape").split("\0")):
            file = self.path / name
            if file.is_symlink() or file.is_file():
                file.unlink()
                folders.add(file.parent)
        for folder in sorted(folders, key=lambda f: len(f.parts), reverse=True):
            here = folder
            while here != self.path and here.is_dir() and not any(here.iterdir()):
                here.rmdir()
                here = here.parent

    def changes(self, paths: Sequence[str]) -> tuple[str, ...]:
        """What a commit of these paths would change, sorted."""
        out = self.git.run("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *paths)
        return tuple(sorted(entry[3:] for entry in out.decode("utf-8", "surrogateescape").split("\0") if entry))

    def commit(self, message: str, author: Identity, paths: Sequence[str]) -> CommitSha | None:
        """Commit what differs at and below these paths (none: everywhere); None when nothing does."""
        present = self._present(paths)
        if paths and not present:
            return None
        try:
            self.git.run("add", "--all", "--", *(present or (".",)))
        except GitFailed as failure:
            if "ignored by one of your .gitignore files" in failure.stderr:
                raise UserError(
                    f"committing {', '.join(paths)}: a .gitignore of the repository leaves it out; change that file"
                ) from failure
            raise
        before = self.head()
        self.git.run(
            "commit", "--quiet", "--no-verify", "--cleanup=whitespace", "--file=-",
            stdin=message.encode(), accept=(1,), environment=signature(author, self.identity, self.clock.now()),
        )  # fmt: skip
        after = self.head()
        return after if after != before else None

    def _present(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of the paths that are there, or were: git refuses to add what it has never seen."""
        gone = [path for path in paths if not os.path.lexists(self.path / path)]
        tracked = [path for path in gone if self.git.run("ls-files", "-z", "--", path)]
        return tuple(path for path in paths if path not in gone or path in tracked)

    # --- the remote ---------------------------------------------------------------------------------

    def replace_branch(self, branch: str, expect: CommitSha | None, credential: Login | None) -> PushResult:
        """Put HEAD where `branch` is, if that still is at `expect`; leave it there where it holds the same already."""
        ours = self.head()
        objects = self.mirror.objects
        if expect is not None and objects.has_commit(expect) and objects.same_content(ours, expect):
            return PushResult(branch, expect, moved=False)
        moved = self._push(branch, credential, f"--force-with-lease=refs/heads/{branch}:{expect or ''}")
        return PushResult(branch, ours, moved)

    def advance_branch(self, branch: str, attempts: int, credential: Login | None) -> PushResult:
        """Put HEAD on top of `branch`. Where others were quicker, our commits are put on top of theirs and tried again.

        The waits follow Kargo's: 1 s, half as long again each time, at most 30 s, give or take half.
        """
        pause = 1.0
        for attempt in range(1, attempts + 1):
            try:
                return PushResult(branch, self.head(), self._push(branch, credential))
            except BranchMoved:
                if attempt == attempts:
                    raise
                self.put_on_top(branch, credential)
                if attempt > 1:
                    time.sleep(pause * uniform(0.5, 1.5))  # noqa: S311  # spreads writers, guards nothing
                    pause = min(pause * 1.5, 30.0)
        raise BranchMoved(f"{branch} could not be pushed in {attempts} attempts")

    def put_on_top(self, branch: str, credential: Login | None) -> CommitSha:
        """Put our commits on top of the remote's; where those are. Raises PushRejected where both change the same."""
        fetch = ("fetch", "--quiet", "--no-tags", "--", self.mirror.url, f"+refs/heads/{branch}:refs/towpath/theirs")
        self.remote("fetching from", credential, *fetch)
        try:
            self.git.run(
                "rebase", "--quiet", "--autostash", "refs/towpath/theirs",
                environment=signature(self.identity, self.identity, self.clock.now()),
            )  # fmt: skip
        except GitFailed as failure:
            self.git.run("rebase", "--abort")
            raise PushRejected(
                f"{branch} of {self.mirror.url} has moved meanwhile, and its new commits change what this promotion "
                f"changes: {last_line(failure.stderr)}"
            ) from failure
        return CommitSha(self.git.text("rev-parse", "refs/towpath/theirs"))

    def _push(self, branch: str, credential: Login | None, *options: str) -> bool:
        """Whether the branch moved; git says `=` before a branch that was there already."""
        out = self.remote(
            "pushing to", credential,
            "push", "--porcelain", "--no-verify", *options, "--", self.mirror.url, f"HEAD:refs/heads/{branch}",
        )  # fmt: skip
        return re.search(r"^=\t", out, re.M) is None

    def remote(self, doing: str, credential: Login | None, *arguments: str) -> str:
        """Raises BranchMoved, PushRejected, and what the remote's complaint means."""
        try:
            out = self.git.with_credential(self.mirror.url, credential).run(*arguments, timeout=NETWORK_SECONDS)
        except GitFailed as failure:
            if refusal := _REJECTED.search(failure.stdout):
                raise _rejection(self.mirror.url, refusal["ref"], refusal["why"]) from failure
            meaning = explain(failure, self.mirror.url, self.clock, doing)
            if meaning is failure:
                raise
            raise meaning from failure
        return out.decode("utf-8", "replace")


def _rejection(url: str, branch: str, why: str) -> PushRejected:
    if _QUICKER.fullmatch(why):
        return BranchMoved(f"{branch} of {url} has been moved by somebody else meanwhile ({why})")
    return PushRejected(f"{url} refused the push to {branch}: {why}; allow the App to push there")
