"""The work trees of one running Towpath, by their paths, and the git directories they need."""

import asyncio
import shutil
from functools import partial
from pathlib import Path

from bot.contracts.git import Checkout
from bot.errors import Broken
from bot.git.session import Session
from bot.git.worktree import WorkTree


class Checkouts:
    """Git directories are kept under `folder`, apart from the files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trees: dict[Path, tuple[WorkTree, Checkout]] = {}
        self._starting = asyncio.Lock()
        self._session: Session | None = None

    def add(self, tree: WorkTree, checkout: Checkout) -> None:
        self._trees[tree.path] = (tree, checkout)

    def at(self, path: Path) -> WorkTree:
        try:
            return self._trees[path][0]
        except KeyError:
            raise Broken(f"no work tree was checked out at {path}") from None

    def around(self, path: Path) -> WorkTree:
        """The one that a path is in."""
        tree = next((tree for tree, _ in self._trees.values() if path.is_relative_to(tree.path)), None)
        return tree or self.at(path)

    def under(self, folder: Path) -> tuple[Checkout, ...]:
        """In the order they were checked out."""
        return tuple(checkout for path, (_, checkout) in self._trees.items() if path.is_relative_to(folder))

    async def new_folder(self) -> Path:
        """A folder for a new work tree's git directory. Those of work trees that are gone are removed; that is not
        waited for."""
        for path, (tree, _) in tuple(self._trees.items()):
            if not path.exists():
                del self._trees[path]
                remove = partial(shutil.rmtree, tree.directory, ignore_errors=True)
                asyncio.get_running_loop().run_in_executor(None, remove)
        async with self._starting:
            if self._session is None:
                self._session = await asyncio.to_thread(Session, self._folder)
        return await asyncio.to_thread(self._session.new_folder)

    async def close(self) -> None:
        """Take away what the work trees needed."""
        self._trees.clear()
        if self._session:
            await asyncio.to_thread(self._session.close)
            self._session = None
