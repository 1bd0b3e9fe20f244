"""User names and passwords for remotes over HTTP, in the format of Git's own store: one URL to a line.

https://git-scm.com/docs/git-credential-store#_storage_format

Unlike Git's, a path in such a line narrows it to what lies below, and the longest path counts.
"""

import re
from urllib.parse import SplitResult, unquote, urlsplit

from bot.contracts.git import Credential
from bot.errors import UserError

_USUAL_PORTS = {"https": 443, "http": 80}
_ODD = re.compile(r"[\x00-\x1f\x7f]")


def stored(text: str, url: str, where: str) -> Credential | None:
    """What a remote is shown; None where no line is for it. `where` names the text in errors, which show nothing of it.

    Raises UserError for a line that can't be read.
    """
    wanted = _split(url)
    if wanted is None:
        return None
    best: tuple[int, Credential] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _split(line.strip())
        if parts is None or parts.password is None or not parts.username or parts.query or parts.fragment:
            raise UserError(f"line {number} of {where} is not an address like https://user:token@gitlab.example.com")
        credential = Credential(unquote(parts.username), unquote(parts.password))
        if _ODD.search(credential.username + credential.password):
            raise UserError(f"line {number} of {where} has a control character in its user name or password")
        prefix = _segments(parts.path)
        if _server(parts) == _server(wanted) and _segments(wanted.path)[: len(prefix)] == prefix:
            best = max(best or (-1, credential), (len(prefix), credential), key=lambda one: one[0])
    return best[1] if best else None


def _split(url: str) -> SplitResult | None:
    """None for what is no address of a server that speaks HTTP."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _USUAL_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _server(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _USUAL_PORTS[parts.scheme]


def _segments(path: str) -> list[str]:
    """Case may count in a path, but no two repositories of a server differ in that alone."""
    return [part for part in path.lower().removesuffix("/").removesuffix(".git").split("/") if part]
