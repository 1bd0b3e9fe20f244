"""Where the paths in a step's configuration lead: always inside the folder the promotion runs in.

Old Kargo manifests give git-clear, git-commit and git-push a path such as `./out/stages/uat` that lies in no checkout,
while only `./src` is checked out. The rule for these three steps: **a path outside every checkout means that same
folder inside the first checkout.** So git-clear clears `src/out/stages/uat`, git-commit puts what was rendered to
`./out/stages/uat` there and commits that folder, and git-push pushes that checkout.
"""

import os
import posixpath
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.contracts.git import Checkout
from bot.contracts.steps import StepContext
from bot.core.urls import same_repository
from bot.errors import UserError

_LONGEST_NAME = 255  # bytes, on every common file system


def inside(folder: Path, path: str) -> Path:
    """The file or folder a path means, free of symbolic links; it need not be there. A leading `/` means `folder`.

    Raises UserError for what leads out of `folder`, be it by `..` or by a symbolic link.
    """
    plain = posixpath.normpath("./" + path.lstrip("/"))
    if any(len(name.encode("utf-8", "surrogatepass")) > _LONGEST_NAME for name in plain.split("/")):
        raise UserError(
            f"the path {path[:60]!r}… has a name of more than {_LONGEST_NAME} bytes in it; choose a shorter one"
        )
    if "\0" in path or plain == ".." or plain.startswith("../"):
        raise UserError(f"the path {path!r} leads out of the promotion's folder; write one inside it, like ./src")
    root = folder.resolve()
    found = _leads_to(root / plain, path)
    if not found.is_relative_to(root):
        raise UserError(
            f"the path {path!r} leads through a symbolic link out of the promotion's folder; remove the link"
        )
    for above in found.parents:
        if above.is_file():
            file = above.relative_to(root).as_posix()
            raise UserError(f"the path {path!r} goes through {file!r}, which is a file; correct it")
        if above == root:
            break
    return found


def _leads_to(place: Path, shown: str) -> Path:
    """Raises UserError for a symbolic link that leads to itself, and for what no file can be called."""
    try:
        return place.resolve()
    except RuntimeError as error:
        raise UserError(f"the path {shown!r} goes through a symbolic link that leads to itself; remove it") from error
    except ValueError as error:
        raise UserError(f"the path {shown!r} is none: {error}") from error


def existing(folder: Path, path: str, kind: str = "") -> Path:
    """As `inside`, for what must be there. `kind` is "file", "folder" or either. Raises UserError."""
    found = inside(folder, path)
    if not found.exists():
        raise UserError(f"there is nothing at {path!r}; check the path, and that an earlier step puts something there")
    if (kind == "file" and not found.is_file()) or (kind == "folder" and not found.is_dir()):
        other = "file" if kind == "folder" else "folder"
        raise UserError(f"{path!r} is not a {kind} but a {other}; correct the path")
    return found


def refuse_links_out(folder: Path, tree: Path) -> None:
    """Programs follow symbolic links. Raises UserError for one below `tree` that leads out of `folder`."""
    root = folder.resolve()
    for where, folders, files in os.walk(tree):
        for name in (*folders, *files):
            entry = Path(where, name)
            if not entry.is_symlink():
                continue
            shown = entry.relative_to(root).as_posix()
            if not _leads_to(entry, shown).is_relative_to(root):
                raise UserError(f"{shown!r} is a symbolic link out of the promotion's folder; remove it")


def replace(source: Path, target: Path) -> None:
    """Copy a file, or a folder over another, symbolic links as they are. What is in the way of a copy gives way."""
    if source.is_dir() and not source.is_symlink():
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            target.unlink()
        target.mkdir(parents=True, exist_ok=True)
        for entry in sorted(source.iterdir()):
            replace(entry, target / entry.name)
        return
    remove(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; fine if there is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Spot:
    """What a path means to Git: `path` ("": everything) in a checkout. `beside` is where a path outside every
    checkout really is, None for one inside."""

    checkout: Checkout
    path: str
    beside: Path | None = None


async def spot(context: StepContext, path: str) -> Spot:
    """Apply the rule above. Raises UserError when nothing has been checked out."""
    root = context.workdir.resolve()
    wanted = inside(root, path)
    checkouts = await context.git.checkouts(root)
    if not checkouts:
        raise UserError(f"nothing has been checked out for {path!r}; put a git-clone step before this one")
    holding = [c for c in checkouts if wanted.is_relative_to(c.path.resolve())]
    if holding:
        checkout = max(holding, key=lambda c: len(c.path.parts))
        return Spot(checkout, _relative(wanted, checkout.path.resolve()))
    for checkout in checkouts:
        if checkout.path.resolve().is_relative_to(wanted):  # a folder of checkouts means the first of them
            return Spot(checkout, "")
    return Spot(checkouts[0], _relative(wanted, root), beside=wanted)


def _relative(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return "" if relative == "." else relative


def is_own_repository(context: StepContext, url: str) -> bool:
    """Whether a URL is that of the repository the pipeline lives in, be it written for SSH."""
    return same_repository(url, context.repository.url)
