"""What a work tree gives to its remote besides branches: tags, and commits that the server is to make anew.

Everything here blocks; `bot/git/client.py` calls it in a thread.
"""

from bot.contracts.git import Identity, LocalCommit, Login, PushRejected, PushResult
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.git.process import GitFailed, signature
from bot.git.worktree import WorkTree

STAGING = "refs/towpath/staging/"
_FORMAT = "%H%x00%T%x00%an%x00%ae%x00%B%x00"


def tag(
    tree: WorkTree, name: str, message: str, tagger: Identity, there: CommitSha | None, *, force: bool
) -> CommitSha:
    """Put an annotated tag on HEAD; `there` is where the remote has it. Raises UserError."""
    head = tree.head()
    found = _local(tree, name) or there
    if found == head:
        return head
    if found is not None and not force:
        raise UserError(
            f"{tree.mirror.url} has the tag {name!r} at {found[:7]} already, not at {head[:7]}; "
            "name another one, or set `force` to move it"
        )
    tree.git.run(
        "tag", "--annotate", "--force", "--cleanup=whitespace", "--file=-", name, head,
        stdin=message.encode(), environment=signature(tagger, tagger, tree.clock.now()),
    )  # fmt: skip
    return head


def push_tag(
    tree: WorkTree, name: str, there: CommitSha | None, credential: Login | None, *, force: bool
) -> PushResult:
    """Raises PushRejected, and UserError where there is no such tag."""
    ours = _local(tree, name)
    if there is not None and there == (ours or tree.head()):
        return PushResult(name, there, moved=False)
    if ours is None:
        raise UserError(f"there is no tag {name!r} to push; put a git-tag step before")
    if there is not None and not force:
        raise PushRejected(f"{tree.mirror.url} has the tag {name!r} at {there[:7]} already; set `force` to move it")
    options = ("--force",) if force else ()
    refs = f"refs/tags/{name}:refs/tags/{name}"
    tree.remote("pushing to", credential, "push", "--porcelain", "--no-verify", *options, "--", tree.mirror.url, refs)
    return PushResult(name, ours, moved=True)


def local_commits(tree: WorkTree, onto: CommitSha) -> tuple[LocalCommit, ...]:
    out = tree.git.run("log", "-z", "--reverse", "--topo-order", f"--format={_FORMAT}", f"{onto}..HEAD", "--")
    fields = out.decode("utf-8", "replace").split("\0")
    rows = [fields[at : at + 5] for at in range(0, len(fields) - 5, 6)]
    return tuple(
        LocalCommit(CommitSha(sha), content, Identity(name, email), message.rstrip("\n"))
        for sha, content, name, email, message in rows
    )


def stage(tree: WorkTree, name: str, credential: Login | None) -> None:
    _push_staging(tree, f"+HEAD:{STAGING}{name}", credential)


def unstage(tree: WorkTree, name: str, credential: Login | None) -> None:
    _push_staging(tree, f":{STAGING}{name}", credential)


def adopt(tree: WorkTree, commit: CommitSha) -> None:
    """Move HEAD, and leave files and index as they are: both commits hold the same."""
    tree.git.run("update-ref", "HEAD", commit, tree.head())


def _push_staging(tree: WorkTree, refs: str, credential: Login | None) -> None:
    tree.remote("pushing to", credential, "push", "--quiet", "--no-verify", "--", tree.mirror.url, refs)


def _local(tree: WorkTree, name: str) -> CommitSha | None:
    """The commit a tag of the work tree leads to."""
    try:
        return CommitSha(tree.git.text("rev-parse", "--verify", "--quiet", f"refs/tags/{name}^{{commit}}"))
    except GitFailed:
        return None
