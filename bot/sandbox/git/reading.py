"""Reading a repository: refs, commits, trees, blobs, differences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox.git.process import GitError, GitRepo, is_sha

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_PLAIN = re.compile(r"refs/[A-Za-z0-9._/+=,-]+")  # nothing that Git would take for more than a name
_ODD = re.compile(r"\.\.|//|/\.|\.(?:/|$)|/$|\.lock(?:/|$)")  # what no ref's name has
_LOG = "%x00".join(("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"))


@dataclass(frozen=True, slots=True)
class Person:
    """An author, committer or tagger."""

    name: str
    email: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `message` without its final newlines."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree; `size` is None except for blobs."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag object."""

    sha: str
    name: str
    target: str
    target_kind: str
    tagger: Person
    message: str


async def refs(git: GitRepo, *prefixes: str) -> dict[str, str]:
    """Full ref name to object name, for the refs under the given prefixes."""
    text = await git.run("for-each-ref", "--format=%(refname) %(objectname)", *prefixes)
    return {name: sha for name, _, sha in (line.rpartition(" ") for line in text.splitlines())}


async def ref(git: GitRepo, name: str) -> str | None:
    """What the full ref `name` points to, or None."""
    if _PLAIN.fullmatch(name) and not _ODD.search(name):
        found = _in_files(git.path, name)
        if found is None or is_sha(found):
            return found
    done = await git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    return done.text.strip() if done.status == 0 else None


def _in_files(repo: Path, name: str) -> str | None:
    """What the files that hold refs say: this is asked so often that a process for each answer is felt.

    https://git-scm.com/docs/gitrepository-layout
    """
    try:
        return (repo / name).read_text().strip()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        pass
    try:
        packed = (repo / "packed-refs").read_text()
    except FileNotFoundError:
        return None
    lines = (line.partition(" ") for line in packed.splitlines() if line[:1] not in "#^")
    return next((sha for sha, _, known in lines if known == name), None)


async def branch(git: GitRepo, name: str) -> str | None:
    """The head of branch `name`, or None."""
    return await ref(git, f"refs/heads/{name}")


async def resolve(git: GitRepo, name: str) -> str | None:
    """The commit that a branch, tag, full ref or (short) object name stands for, or None."""
    names = [f"refs/heads/{name}", f"refs/tags/{name}"]
    names += [name] if name == "HEAD" or name.startswith("refs/") else []
    names += [f"refs/{name}"] if name.startswith(("heads/", "tags/", "pull/")) else []
    if len(name) >= 4 and all(letter in "0123456789abcdef" for letter in name):
        names.append(name)
    for candidate in names:
        sha = candidate if is_sha(candidate) else None
        if candidate.startswith("refs/"):
            sha = await ref(git, candidate)
            if sha is None:
                continue
        if sha is not None and await kind_of(git, sha) == "commit":
            return sha
        if found := await ref(git, f"{candidate}^{{commit}}"):
            return found
    return None


async def kind_of(git: GitRepo, sha: str) -> str | None:
    """`commit`, `tree`, `blob` or `tag`, or None if there is no such object."""
    if not is_sha(sha):
        return None
    done = await git.learn("cat-file", "-t", sha)
    return done.text.strip() if done.status == 0 else None


async def log(
    git: GitRepo, *revisions: str, limit: int = 0, skip: int = 0, path: str | None = None
) -> tuple[Commit, ...]:
    """Commits reachable by `revisions` (`A..B`, `--not`, `--reverse` allowed), newest first."""
    bounds = ([f"--max-count={limit}"] if limit else []) + ([f"--skip={skip}"] if skip else [])
    where = [] if path is None else [path]
    command = ("--literal-pathspecs", "log", "-z", f"--format={_LOG}", *bounds, *revisions, "--", *where)
    fixed = bool(revisions) and all(map(is_sha, revisions))
    done = await (git.learn if fixed else git.try_run)(*command)
    if done.status:
        raise GitError(command, done.status, done.stderr.decode("utf-8", "replace"))
    fields = done.text.removesuffix("\n").split("\0")
    return tuple(_commit(fields[start : start + 10]) for start in range(0, len(fields) - 9, 10))


async def commit(git: GitRepo, sha: str) -> Commit | None:
    """The commit named exactly `sha`, or None."""
    return (await log(git, sha, limit=1))[0] if await kind_of(git, sha) == "commit" else None


async def count(git: GitRepo, *revisions: str) -> int:
    """How many commits `revisions` reach."""
    return int(await git.run("rev-list", "--count", *revisions, "--"))


async def is_ancestor(git: GitRepo, older: str, newer: str) -> bool:
    """Whether `older` is reachable from `newer`."""
    ask = git.learn if is_sha(older) and is_sha(newer) else git.try_run
    return (await ask("merge-base", "--is-ancestor", older, newer)).status == 0


async def merge_base(git: GitRepo, one: str, other: str) -> str | None:
    """The best common ancestor, or None for unrelated histories."""
    done = await (git.learn if is_sha(one) and is_sha(other) else git.try_run)("merge-base", one, other)
    return done.text.strip() if done.status == 0 else None


async def tree(git: GitRepo, treeish: str, *, recursive: bool = False) -> tuple[TreeEntry, ...]:
    """The entries of a tree; `recursive` gives full paths, folders included."""
    options = ["-r", "-t"] if recursive else []
    out = await git.run("ls-tree", "-z", "--long", *options, treeish)
    entries = []
    for line in filter(None, out.split("\0")):
        meta, _, path = line.partition("\t")
        mode, kind, sha, size = meta.split()
        entries.append(TreeEntry(mode, kind, sha, None if size == "-" else int(size), path))
    return tuple(entries)


async def entry(git: GitRepo, treeish: str, path: str) -> TreeEntry | None:
    """The entry at `path`, or None; the empty path is the tree itself."""
    if not path:
        return TreeEntry("040000", "tree", await git.run("rev-parse", f"{treeish}^{{tree}}"), None, "")
    out = await git.run("--literal-pathspecs", "ls-tree", "-z", "--long", treeish, "--", path)
    for line in filter(None, out.split("\0")):
        meta, _, name = line.partition("\t")
        mode, kind, sha, size = meta.split()
        if name == path:
            return TreeEntry(mode, kind, sha, None if size == "-" else int(size), name)
    return None


async def blob(git: GitRepo, sha: str) -> bytes:
    """A blob's content; raises GitError if there is none."""
    done = await git.try_run("cat-file", "blob", sha)
    if done.status:
        raise GitError(("cat-file", "blob", sha), done.status, done.stderr.decode())
    return done.stdout


async def tag(git: GitRepo, sha: str) -> Tag | None:
    """The annotated tag object `sha`, or None."""
    if await kind_of(git, sha) != "tag":
        return None
    head, _, message = (await git.run("cat-file", "tag", sha)).partition("\n\n")
    field = dict(line.split(" ", 1) for line in head.splitlines())
    name, _, rest = field["tagger"].partition(" <")
    email, _, stamp = rest.partition("> ")
    who = Person(name, email, datetime.fromtimestamp(int(stamp.split()[0]), UTC))
    return Tag(sha, field["tag"], field["object"], field["type"], who, message.rstrip("\n"))


async def touched(git: GitRepo, shas: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """For each commit the (status letter, path) it changed against its parent; merges touch nothing."""
    out = await git.run(
        "diff-tree", "--stdin", "-z", "-r", "--root", "--no-renames", "--name-status",
        stdin="".join(f"{sha}\n" for sha in shas).encode(),
    )  # fmt: skip
    found: dict[str, list[tuple[str, str]]] = {sha: [] for sha in shas}
    tokens = iter(filter(None, out.replace("\n", "\0").split("\0")))
    current: list[tuple[str, str]] = []
    for token in tokens:
        if is_sha(token):
            current = found.setdefault(token, [])
        else:
            current.append((token[0], next(tokens)))
    return {sha: tuple(changes) for sha, changes in found.items()}


def _commit(fields: Sequence[str]) -> Commit:
    sha, tree_sha, parents, a_name, a_email, a_date, c_name, c_email, c_date, message = fields
    return Commit(
        sha,
        tree_sha,
        tuple(parents.split()),
        Person(a_name, a_email, datetime.fromisoformat(a_date)),
        Person(c_name, c_email, datetime.fromisoformat(c_date)),
        message.rstrip("\n"),
    )
