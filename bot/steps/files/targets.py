"""Where a step may write: inside the promotion's folder, and never where Git keeps its own."""

from pathlib import Path

from bot.errors import UserError
from bot.steps.workspace import inside


def writable(folder: Path, path: str) -> Path:
    """As `inside`, for what is to be written or removed.

    Raises UserError for what belongs to Git: whoever writes a `.git/config` has the next Git command run a program.
    https://git-scm.com/docs/githooks, https://git-scm.com/docs/git-config (`core.fsmonitor`)
    """
    target = inside(folder, path)
    if of_git(target.relative_to(folder.resolve()).as_posix()) or of_git(path):
        raise UserError(f"{path!r} is Git's own; no step may change it, choose another path")
    return target


def writable_file(folder: Path, path: str, overwrite: bool, field: str) -> Path:
    """As `writable`, for one file; what is there already is replaced only with `overwrite`, the value of `field`."""
    target = writable(folder, path)
    if target.is_dir():
        raise UserError(f"{path!r} is a folder; name a file")
    if target.exists() and not overwrite:
        raise UserError(f"there is a file {path!r} already; set `{field}` to replace it")
    return target


def of_git(path: str) -> bool:
    """Whether a path leads into a `.git`. Some file systems take `.GIT` for the same."""
    return ".git" in path.casefold().split("/")
