"""Writing a repository: blobs, trees, commits, tags, and refs by compare-and-swap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.git.process import ZERO, GitError, GitRepo
from bot.sandbox.git.reading import Person, tree


class RefMoved(Exception):
    """A ref was not where it was expected to be."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry to put into a tree; `sha` of None removes the path."""

    path: str
    mode: str
    sha: str | None


class NoSuchPath(Exception):
    """An edit removes a path that is not there."""


async def write_blob(git: GitRepo, content: bytes) -> str:
    """Store a blob; returns its name."""
    return await git.run("hash-object", "-w", "--stdin", stdin=content)


async def write_tree(git: GitRepo, base: str | None, edits: Iterable[Edit]) -> str:
    """The tree that `base` (None: the empty tree) becomes by `edits`.

    Raises NoSuchPath for removing what is not there, GitError for an object that is missing or of another kind.
    """
    folder: dict[str, tuple[str, str]] = {}
    if base is not None:
        folder = {row.path: (row.mode, row.sha) for row in await tree(git, base)}
    below: dict[str, list[Edit]] = {}
    for edit in edits:
        name, slash, rest = edit.path.partition("/")
        if slash:
            below.setdefault(name, []).append(Edit(rest, edit.mode, edit.sha))
        elif edit.sha is not None:
            folder[name] = (edit.mode, edit.sha)
        elif folder.pop(name, None) is None:
            raise NoSuchPath(edit.path)
    for name, inner in below.items():
        mode, sha = folder.get(name, ("", ""))
        made = await write_tree(git, sha if mode == "040000" else None, inner)
        if await tree(git, made):
            folder[name] = ("040000", made)
        else:
            folder.pop(name, None)
    kinds = {"040000": "tree", "160000": "commit"}
    lines = "".join(f"{mode} {kinds.get(mode, 'blob')} {sha}\t{name}\0" for name, (mode, sha) in folder.items())
    return await git.run("mktree", "-z", stdin=lines.encode())


async def write_commit(
    git: GitRepo, tree_sha: str, parents: Sequence[str], message: str, author: Person, committer: Person
) -> str:
    """Store a commit; returns its name. The message is kept as it is, without a newline added."""
    lines = [f"tree {tree_sha}", *(f"parent {sha}" for sha in parents)]
    lines += [f"author {_stamp(author)}", f"committer {_stamp(committer)}", "", message]
    return await git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin="\n".join(lines).encode())


async def write_tag(git: GitRepo, name: str, target: str, kind: str, tagger: Person, message: str) -> str:
    """Store an annotated tag object (no ref); returns its name."""
    text = f"object {target}\ntype {kind}\ntag {name}\ntagger {_stamp(tagger)}\n\n{message}\n"
    return await git.run("hash-object", "-t", "tag", "-w", "--stdin", stdin=text.encode())


async def set_ref(git: GitRepo, name: str, sha: str, expected: str | None) -> None:
    """Point the full ref `name` to `sha`, if it still is at `expected` (ZERO: absent; None: wherever).

    Raises RefMoved if it is not, GitError if the object is missing.
    """
    done = await git.try_run("update-ref", "--", name, sha, *([] if expected is None else [expected]))
    if done.status:
        said = done.stderr.decode("utf-8", "replace")
        if "cannot lock ref" in said:
            raise RefMoved(f"{name}: {said.strip()}")
        raise GitError(("update-ref", name, sha), done.status, said)


async def delete_ref(git: GitRepo, name: str, expected: str | None = None) -> None:
    """Remove the full ref `name`; raises RefMoved if it is no longer at `expected`."""
    done = await git.try_run("update-ref", "-d", "--", name, *([expected] if expected else []))
    if done.status:
        raise RefMoved(f"{name}: {done.stderr.decode('utf-8', 'replace').strip()}")


async def valid_ref(git: GitRepo, name: str) -> bool:
    """Whether `name` (a full ref) is one Git accepts."""
    return (await git.try_run("check-ref-format", name)).status == 0


async def create_ref(git: GitRepo, name: str, sha: str) -> None:
    """Make the full ref `name`; raises RefMoved if it exists."""
    await set_ref(git, name, sha, ZERO)


def _stamp(person: Person) -> str:
    clean = str.maketrans("", "", "<>\n\0")
    return f"{person.name.translate(clean)} <{person.email.translate(clean)}> {_when(person.date)}"


def _when(date: datetime) -> str:
    return f"{int(date.timestamp())} {date.strftime('%z')[:5] or '+0000'}"
