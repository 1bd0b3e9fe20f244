"""The submodules of a work tree, read as data: nothing of git's own for them is run.

https://git-scm.com/docs/gitmodules
"""

import re
from urllib.parse import urljoin, urlsplit

from bot.contracts.git import Submodule
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.git.process import GitFailed
from bot.git.worktree import WorkTree

_LINK = "160000"
_KEY = re.compile(r"submodule\.(?P<name>.+)\.(?P<field>path|url)", re.S)
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/:].*)")


def find(tree: WorkTree) -> tuple[Submodule, ...]:
    """Those HEAD has, with the commits it names. Raises UserError where `.gitmodules` can't be understood."""
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
    return tuple(Submodule(path, address(tree.mirror.url, urls[path]), links[path]) for path in sorted(links))


def address(parent: str, url: str) -> str:
    """Where a submodule is: relative to its parent's address, or what ssh calls the same place, by https.

    https://git-scm.com/docs/git-submodule#Documentation/git-submodule.txt-add
    """
    if url.startswith(("./", "../")):
        return urljoin(parent.removesuffix("/") + "/", url)
    parts = urlsplit(url)
    if parts.scheme == "ssh" and parts.hostname:
        return f"https://{parts.hostname}{parts.path}"
    scp = _SCP.fullmatch(url) if "://" not in url else None
    return f"https://{scp['host']}/{scp['path']}" if scp else url


def _links(tree: WorkTree) -> dict[str, CommitSha]:
    out = tree.git.run("ls-tree", "-r", "-z", "HEAD").decode("utf-8", "replace")
    found = {}
    for line in filter(None, out.split("\0")):
        what, _, path = line.partition("\t")
        mode, _, sha = what.split(" ")
        if mode == _LINK:
            found[path] = CommitSha(sha)
    return found
