"""Running `ssh` for git: alone with one key and one list of host keys, and with nothing of this machine's user.

Key and list lie in a folder of our own for as long as one git command runs. What a killed Towpath left is removed with
the next one. https://man.openbsd.org/ssh_config
"""

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.contracts.git import SshLogin
from bot.core.urls import SshAddress
from bot.errors import UserError
from bot.git.session import Session

_SETTINGS = """\
Host *
  HostName {address}
  HostKeyAlias {name}
  IdentityFile {key}
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  VerifyHostKeyDNS no
  CheckHostIP no
  CanonicalizeHostname no
  IdentitiesOnly yes
  IdentityAgent none
  PreferredAuthentications publickey
  BatchMode yes
  User git
  ProxyCommand none
  ProxyJump none
  PermitLocalCommand no
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings yes
  Tunnel no
  ControlMaster no
  ControlPath none
  RequestTTY no
  EscapeChar none
  ConnectTimeout 15
  ServerAliveInterval 15
  ServerAliveCountMax 4
  LogLevel ERROR
"""

_CHANGED = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key .*(has changed|is revoked)", re.I)
_UNKNOWN_HOST = re.compile(r"host key is known for|host key verification failed", re.I)
_REFUSED = re.compile(
    r"permission denied|permission to .* denied|access denied|marked as read only|not allowed to push"
    r"|too many authentication failures|no matching .* found|write access",
    re.I,
)
_NO_REPOSITORY = re.compile(
    r"repository not found|repository '.*' not found|does not appear to be a git repo|does not exist|not be found", re.I
)
_NOBODY = re.compile(r"no user exists for uid|you don't exist", re.I)


@contextmanager
def at_hand(login: SshLogin, there: SshAddress, folder: Path) -> Iterator[Mapping[str, str]]:
    """The variables by which git runs `ssh` with this login, as long as this lasts. Raises UserError without an `ssh`.

    `folder` is where keys may lie. https://git-scm.com/docs/git#Documentation/git.txt-codeGITSSHCOMMANDcode
    """
    program = shutil.which("ssh")
    if program is None:
        raise UserError(
            f"{there.server} is asked by SSH, and there is no program `ssh` where Towpath runs; have OpenSSH's client "
            "installed there, or write the address as https://host/owner/name.git"
        )
    session = Session(folder)
    try:
        key, known_hosts, settings = (session.folder / name for name in ("key", "known_hosts", "config"))
        text = _SETTINGS.format(
            address=login.address, name=there.known_as, key=_quoted(key), known_hosts=_quoted(known_hosts)
        )
        for file, content in ((key, _ended(login.key)), (known_hosts, _ended(login.known_hosts)), (settings, text)):
            _write(file, content)
        # git has a shell read the first, which holds nothing but these two paths; what it adds are arguments apart.
        yield {
            "GIT_SSH_COMMAND": f"{shlex.quote(program)} -F {shlex.quote(str(settings))}",
            "GIT_SSH_VARIANT": "ssh",
        }
    finally:
        session.close()


def meaning(said: str, there: SshAddress, doing: str) -> Exception | None:
    """What `ssh`, or the server by it, has complained of; None where that is nothing of SSH's own.

    `doing` says what was being done, as in "fetching from ssh://…".
    """
    if _CHANGED.search(said):
        return UserError(
            f"{doing}: the server shows another host key than the one known for {there.known_as}; nothing was sent. "
            "Make sure whose it is, then correct the list (SSH_KNOWN_HOSTS, or `known_hosts` of the secret `git`)"
        )
    if _UNKNOWN_HOST.search(said):
        return UserError(
            f"{doing}: no host key of {there.known_as} is known; put a line of `ssh-keyscan` that you have compared "
            "with what its owner publishes into `known_hosts` of the repository's secret `git`, or have the operator "
            "put it into SSH_KNOWN_HOSTS"
        )
    if _NO_REPOSITORY.search(said):
        return UserError(
            f"{doing}: there is no such repository, or the SSH key may not see it; correct the address, or give the "
            "key access there"
        )
    if _REFUSED.search(said):
        return UserError(
            f"{doing}: the server refused the SSH key; give its public half access there, and write access where "
            "something is pushed"
        )
    if _NOBODY.search(said):
        return UserError(
            f"{doing}: `ssh` does not run for a user who is not in /etc/passwd; have the operator run Towpath as "
            "one who is"
        )
    return None


def _quoted(path: Path) -> str:
    return f'"{path}"'.replace("%", "%%")


def _ended(text: str) -> str:
    """With line ends as OpenSSH wants them, the last one included."""
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"


def _write(file: Path, text: str) -> None:
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as opened:
        opened.write(text)
