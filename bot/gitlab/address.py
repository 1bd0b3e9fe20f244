"""Where a GitLab project is, by any of the ways to write its repository's URL."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from bot.errors import UserError

_SCP = re.compile(r"(?:[A-Za-z0-9_.-]+@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):(?P<path>[^/:].*)")
# https://docs.gitlab.com/user/reserved_names/#rules-for-usernames-project-and-group-names-and-slugs
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_USUAL_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """`origin` is scheme, host and port of the server, `path` the project's with all its groups."""

    origin: str
    path: str

    @property
    def url(self) -> str:
        """The project's page. Git's address for it ends in `.git` too."""
        return f"{self.origin}/{self.path}"

    @property
    def project(self) -> str:
        """The project as one part of an API path: https://docs.gitlab.com/api/rest/#namespaced-paths"""
        return quote(self.path, safe="")

    @property
    def api(self) -> str:
        return f"{self.origin}/api/v4"


def address(url: str) -> Address:
    """Read a repository's URL; one for SSH means the same host's API on https. Raises UserError.

    Whoever is named in the URL is left out: a password that stands there is used for nothing, and shown nowhere.
    """
    text = url.strip()
    if "://" not in text and (found := _SCP.fullmatch(text)):
        return Address(f"https://{found['host'].lower()}", _path(found["path"]))
    try:
        parts = urlsplit(text)
        origin = _origin(parts)
    except ValueError as error:
        raise UserError("repoURL can't be read as a URL; write it like https://gitlab.com/group/project.git") from error
    if parts.query or parts.fragment:
        raise UserError(f"repoURL is {origin}/…, and goes on after ? or #; leave that out")
    return Address(origin, _path(parts.path))


def _origin(parts: SplitResult) -> str:
    if parts.scheme not in {"https", "http", "ssh"} or not parts.hostname:
        raise ValueError(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.scheme == "ssh":  # its port is not the API's
        return f"https://{host}"
    usual = parts.port in {None, _USUAL_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{parts.port}"


def _path(text: str) -> str:
    path = unquote(text).strip("/").removesuffix(".git")
    parts = path.split("/")
    if len(parts) < 2 or not all(_PART.fullmatch(part) for part in parts):
        raise UserError(f"{path!r} is no project of GitLab's; repoURL wants its group and its name, as group/project")
    return path
