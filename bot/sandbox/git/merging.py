"""Merging without a work tree: `git merge-tree --write-tree` does the work, commits are written by hand.

https://git-scm.com/docs/git-merge-tree
"""

from __future__ import annotations

from bot.sandbox.git.process import GitError, GitRepo
from bot.sandbox.git.reading import Commit, Person, log, merge_base
from bot.sandbox.git.writing import write_commit


class Conflict(Exception):
    """Two sides change the same place; the message lists the paths."""


async def merged_tree(git: GitRepo, ours: str, theirs: str, base: str | None = None) -> str:
    """The tree of merging commit `theirs` into `ours`; raises Conflict.

    `base` is for replaying one commit: then only what `base` -> `theirs` changes is applied, by
    merging with a stand-in commit whose only parent is `base`'s tree (git 2.39 has no --merge-base option).
    """
    if base is not None:
        return await _replayed_tree(git, ours, theirs, base)
    done = await git.try_run("merge-tree", "--write-tree", "--name-only", "--no-messages", ours, theirs)
    lines = done.text.splitlines()
    if done.status == 1:
        raise Conflict(", ".join(lines[1:]))
    if done.status:
        said = done.stderr.decode("utf-8", "replace")
        if "unrelated histories" in said:
            raise Conflict("unrelated histories")
        raise GitError(("merge-tree", ours, theirs), done.status, said)
    return lines[0]


async def rebased(git: GitRepo, onto: str, head: str, committer: Person) -> str:
    """The tip of replaying the commits of `onto..head`, oldest first, on `onto`; raises Conflict.

    Merge commits are left out, as GitHub does.
    """
    tip = onto
    for commit in await log(git, "--reverse", "--no-merges", "--topo-order", f"{onto}..{head}"):
        parent = commit.parents[0] if commit.parents else None
        tree = await merged_tree(git, tip, commit.sha, parent)
        tip = await write_commit(git, tree, [tip], commit.message, commit.author, committer)
    return tip


async def new_commits(git: GitRepo, base: str, head: str) -> tuple[Commit, ...]:
    """The commits a merge of `head` into `base` brings, oldest first."""
    return await log(git, "--reverse", "--topo-order", f"{base}..{head}")


async def fork_point(git: GitRepo, base: str, head: str) -> str:
    """Where `head` left `base`: the old side of a pull request's diff. Raises Conflict if nowhere."""
    found = await merge_base(git, base, head)
    if found is None:
        raise Conflict("unrelated histories")
    return found


async def _replayed_tree(git: GitRepo, ours: str, theirs: str, base: str) -> str:
    """Cherry-pick: both sides are grafted on `base`, so that `base` is what merge-tree finds as merge base."""
    stamp = (await log(git, theirs, limit=1))[0].committer
    ours_tree = await git.run("rev-parse", f"{ours}^{{tree}}")
    theirs_tree = await git.run("rev-parse", f"{theirs}^{{tree}}")
    left = await write_commit(git, ours_tree, [base], "replay: ours", stamp, stamp)
    right = await write_commit(git, theirs_tree, [base], "replay: theirs", stamp, stamp)
    return await merged_tree(git, left, right)
