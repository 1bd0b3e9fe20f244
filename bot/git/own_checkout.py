"""A person's own checkout as a remote: what is in it now, the uncommitted included, and nothing in it is touched.

What is there is written into a repository of our own beside it, which borrows its objects, and from there everything
is as with any remote. https://git-scm.com/docs/gitrepository-layout (objects/info/alternates)
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.contracts.clock import Clock
from bot.contracts.git import Checkout, Credential, Identity, PushRejected, PushResult
from bot.core.model import CommitSha
from bot.core.urls import same_repository
from bot.errors import UserError
from bot.git.client import MirroredGit
from bot.git.mirror import Mirror
from bot.git.mirrors import Mirrors
from bot.git.process import GitFailed, Runner

_SSH = re.compile(r"ssh://(?:[^@/]*@)?([^/:]+)(?::\d+)?/(.+)")
_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!/)(.+)")
_SIGNATURE = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "towpath"), ("EMAIL", "towpath"), ("DATE", "@0 +0000"))
}


@dataclass(frozen=True, slots=True)
class OwnCheckout:
    """`url` is what the pipeline's repository is called, `copy` where it is read from; `default_branch` is as the
    folder is now."""

    folder: Path
    url: str
    copy: Path
    default_branch: str


def copy_of(folder: Path, scratch: Path) -> OwnCheckout:
    """Write what is in a person's checkout into `scratch`. Blocks. Raises UserError for a folder that is none."""
    own = replace(Runner.create(scratch / "home", allow_file=True, environment={}), folder=folder)
    try:
        top = Path(_line(own, "rev-parse", "--show-toplevel"))
        common, directory = (
            Path(_line(own, "rev-parse", "--path-format=absolute", each)) for each in ("--git-common-dir", "--git-dir")
        )
    except GitFailed as error:
        raise UserError(f"{folder} is no checkout of a Git repository: {error.stderr.strip()}") from error
    copy = scratch / "copy.git"
    own.inside(scratch).run("init", "--quiet", "--bare", str(copy))
    (copy / "objects/info/alternates").write_text(f"{common / 'objects'}\n")
    for name in ("shallow", "info/exclude"):
        if (common / name).is_file():
            shutil.copyfile(common / name, copy / name)
    if (directory / "index").is_file():
        # With its time: by that git knows which files may have changed in the very moment they were listed.
        # https://git-scm.com/docs/racy-git
        shutil.copy2(directory / "index", copy / "index")
    ours = own.inside(top, GIT_DIR=str(copy), GIT_WORK_TREE=str(top), GIT_INDEX_FILE=str(copy / "index"))
    ours.run("add", "--all", "--", ".")
    tree = _line(ours, "write-tree")
    head = _line(own, "rev-parse", "--verify", "--quiet", "HEAD")
    current = _line(own, "symbolic-ref", "--short", "--quiet", "HEAD")
    default = _line(own, "symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD").removeprefix("origin/")
    branch = default or current or "main"
    shallow = (copy / "shallow").is_file()
    now = head if head and not shallow and _line(own, "rev-parse", f"{head}^{{tree}}") == tree else ""
    now = now or _commit(ours, tree, "" if shallow else head)
    heads = _heads(own) | {name: now for name in (branch, current) if name}
    if shallow:  # its history can't be fetched
        heads = {name: at if at == now else _commit(ours, f"{at}^{{tree}}", "") for name, at in heads.items()}
    refs = [f"create refs/heads/{name} {at}\n" for name, at in heads.items()]
    if not shallow:
        refs += [f"create refs/tags/{name} {at}\n" for name, at in _refs(own, "refs/tags/").items()]
    ours.run("update-ref", "--stdin", stdin="".join(refs).encode())
    ours.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return OwnCheckout(top, _address(_line(own, "remote", "get-url", "origin"), top), copy, branch)


def _line(git: Runner, *arguments: str) -> str:
    """What it prints; "" where it has nothing to say (status 1, or 2 for a remote that is not there)."""
    quiet = (1, 2) if arguments[0] in {"symbolic-ref", "remote"} or "--quiet" in arguments else ()
    trusted = ("-c", "safe.directory=*")  # whoever runs us has chosen the folder, whoever owns it
    return git.run(*trusted, *arguments, accept=quiet).decode("utf-8", "surrogateescape").strip()


def _commit(git: Runner, tree: str, parent: str) -> str:
    arguments = ("commit-tree", tree, "-m", "The checkout as it is", *(("-p", parent) if parent else ()))
    return git.run(*arguments, environment=_SIGNATURE).decode().strip()


def _heads(git: Runner) -> dict[str, str]:
    """What the remote's branches were when they were fetched last; branches of the person's own beside them."""
    remote = {name: at for name, at in _refs(git, "refs/remotes/origin/").items() if name != "HEAD"}
    return _refs(git, "refs/heads/") | remote


def _refs(git: Runner, prefix: str) -> dict[str, str]:
    lines = git.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).decode("utf-8", "surrogateescape")
    found = (line.partition(" ")[::2] for line in lines.splitlines())
    return {name.removeprefix(prefix): at for at, name in found}


def _address(origin: str, top: Path) -> str:
    """The repository as the App would address it, however the person does."""
    if found := _SSH.fullmatch(origin) or (None if "://" in origin else _SCP.fullmatch(origin)):
        return f"https://{found[1]}/{found[2].removesuffix('/').removesuffix('.git')}.git"
    return re.sub(r"(?<=://)[^@/]*@", "", origin) or f"file://{top}"


@dataclass(frozen=True, slots=True)
class Written:
    """What a commit was asked for: paths of a work tree ("" or none: all that changed), and what it was based on."""

    worktree: Path
    base: CommitSha
    paths: tuple[str, ...]


class _OneMirror(Mirrors):
    """The mirror of the copy, whatever the checkout's remote is called."""

    def __init__(self, own: OwnCheckout, folder: Path, clock: Clock) -> None:
        runner = Runner.create(folder.parent / "home", allow_file=True, environment={})
        super().__init__(folder, _nobody, runner, clock, allow_file=True)
        self._own = own

    def of(self, url: str) -> Mirror:
        copy = f"file://{self._own.copy}"
        if url != copy and not same_repository(url, self._own.url):
            raise UserError(f"{url} is another repository than {self._own.url}, and nothing is fetched here")
        return super().of(copy)


class CheckoutGit(MirroredGit):
    """The `Git` port for a person's checkout. Other repositories are not asked for, and nothing is pushed."""

    def __init__(self, own: OwnCheckout, folder: Path, identity: Identity, clock: Clock) -> None:
        super().__init__(folder, _nobody, identity, clock, allow_file=True)
        self._mirrors = _OneMirror(own, folder / "mirrors", clock)
        self._own = own
        self.written: list[Written] = []

    async def checkouts(self, folder: Path) -> tuple[Checkout, ...]:
        return tuple(replace(one, url=self._own.url) for one in await super().checkouts(folder))

    async def commit(
        self, worktree: Path, message: str, *, author: Identity, paths: Sequence[str] = ()
    ) -> CommitSha | None:
        checkout = next(one for one in await self.checkouts(worktree) if one.path == worktree)
        self.written.append(Written(worktree, checkout.base, tuple(paths)))
        return await super().commit(worktree, message, author=author, paths=paths)

    async def push(
        self,
        worktree: Path,
        branch: str,
        *,
        expect: CommitSha | None = None,
        force: bool = False,
        attempts: int = 10,
    ) -> PushResult:
        raise PushRejected(f"nothing is pushed from here, so {branch} stays as it is")


async def _nobody(_url: str) -> Credential | None:
    return None
