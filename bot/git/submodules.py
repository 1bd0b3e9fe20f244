"""The submodules of a work tree, read as data: nothing of git's own for them is run.

https://git-scm.com/docs/gitmodules
"""

import posixpath
import re
from collections.abc import Callable
from urllib.parse import urljoin

from bot.contracts.git import Submodule
from bot.core.model import CommitSha
from bot.core.urls import ssh_address
from bot.errors import UserError
from bot.git.process import GitFailed
from bot.git.worktree import WorkTree

_LINK = "160000"
_KEY = re.compile(r"submodule\.(?P<name>.+)\.(?P<field>path|url)", re.S)


def find(tree: WorkTree, keyed: Callable[[str], bool]) -> tuple[Submodule, ...]:
    """Those HEAD has, with the commits it names. `keyed` says for which addresses there is an SSH key.

    Raises UserError where `.gitmodules` can't be understood.
    """
    links = _links(tree)
    if not links:
        return ()
    try:
        out = tree.git.run("config", "--null", "--blob=HEAD:.gitmodules", "--list").decode("utf-8", "replace")
    except GitFailed as failure:
        raise UserError(f"{tree.mirror.url} has submodules, and no .gitmodules that can be read") from failure
    named: dict[str, dict[str, str]] = {}
    for line in filter(None, out.split("\0")):
        key, _, value = line.partition("\n")
        if found := _KEY.fullmatch(key):
            named.setdefault(found["name"], {})[found["field"]] = value
    urls = {one["path"]: one["url"] for one in named.values() if one.keys() == {"path", "url"}}
    if missing := sorted(links.keys() - urls.keys()):
        raise UserError(f"{tree.mirror.url} has a submodule at {missing[0]!r}, of which .gitmodules says nothing")
    return tuple(Submodule(path, address(tree.mirror.url, urls[path], keyed), links[path]) for path in sorted(links))


def address(parent: str, url: str, keyed: Callable[[str], bool]) -> str:
    """Where a submodule is: relative to its parent's address, by SSH where there is a key for that, or else by https.

    https://git-scm.com/docs/git-submodule#Documentation/git-submodule.txt-add
    """
    if url.startswith(("./", "../")):
        url = _relative(parent, url)
    there = ssh_address(url)
    if there is None or keyed(url):
        return url
    return f"https://{there.server.removeprefix('ssh://').rpartition(':')[0]}/{there.path.lstrip('/')}"


def _relative(parent: str, url: str) -> str:
    there = ssh_address(parent)
    if there is None:
        return urljoin(parent.removesuffix("/") + "/", url)
    return parent.removesuffix(there.path) + posixpath.normpath(posixpath.join(there.path, url))


def _links(tree: WorkTree) -> dict[str, CommitSha]:
    out = tree.git.run("ls-tree", "-r", "-z", "HEAD").decode("utf-8", "replace")
    found = {}
    for line in filter(None, out.split("\0")):
        what, _, path = line.partition("\t")
        mode, _, sha = what.split(" ")
        if mode == _LINK:
            found[path] = CommitSha(sha)
    return found
