"""What copy, tar and untar leave out: patterns as in a `.gitignore`, and always what Git keeps for itself.

https://git-scm.com/docs/gitignore#_pattern_format
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from bot.errors import UserError
from bot.steps.files.targets import of_git


class Ignored:
    """The patterns, line by line. Raises UserError for one that can't be read."""

    def __init__(self, lines: str) -> None:
        try:
            self._patterns = GitIgnoreSpec.from_lines(lines.splitlines())
        except ValueError as error:
            raise UserError(f"`ignore` has a pattern that can't be read: {error}") from error

    def takes(self, path: str, *, folder: bool) -> bool:
        """Whether a path (relative to what the patterns apply to) is left out, by itself or with a folder above it."""
        whole = PurePosixPath(path)
        above = [parent.as_posix() for parent in reversed(whole.parents) if parent.name]
        return (
            of_git(path)
            or any(self._patterns.match_file(f"{parent}/") for parent in above)
            or self._patterns.match_file(f"{path}/" if folder else path)
        )

    def walk(self, tree: Path) -> Iterator[tuple[str, Path]]:
        """What is below a folder and not left out, by its relative path, a folder before what is in it.

        Symbolic links are told as they are and never followed.
        """
        waiting = [(entry.name, entry) for entry in sorted(tree.iterdir(), reverse=True)]
        while waiting:
            path, entry = waiting.pop()
            folder = entry.is_dir() and not entry.is_symlink()
            if of_git(entry.name) or self._patterns.match_file(f"{path}/" if folder else path):
                continue
            yield path, entry
            if folder:
                waiting += [(f"{path}/{below.name}", below) for below in sorted(entry.iterdir(), reverse=True)]
