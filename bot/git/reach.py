"""How the pipeline of one repository reaches remotes: with what it has been given itself, and no other repository has.

That is in the repository's secret `git`:

* `.git-credentials`, user names and passwords for HTTP, see `bot/git/stored.py`
* `ssh-privatekey`, for every server, as Kubernetes' own secrets for SSH have it:
  https://kubernetes.io/docs/concepts/configuration/secret/#ssh-authentication-secrets
* `ssh-keys`, where there are several: lines of an address (`ssh://host`, `ssh://host:port/owner`, down to one
  repository) and the key of this secret that holds the private key; the longest address counts.
* `known_hosts`, host keys besides those that are known to everybody here: https://man.openbsd.org/sshd
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from bot.contracts.clock import Clock
from bot.contracts.git import Credential, Login, SshLogin
from bot.contracts.metrics import Secrets
from bot.core.model import RepositoryName
from bot.core.urls import SshAddress, over_http, ssh_address
from bot.errors import Retry, UserError
from bot.git.known_hosts import PUBLISHED
from bot.git.stored import stored

SECRET = "git"  # noqa: S105  # the name of one, not one
_KEY, _KEYS, _HOSTS, _STORED = "ssh-privatekey", "ssh-keys", "known_hosts", ".git-credentials"
_RETRY_AFTER = timedelta(seconds=30)


class Judge(Protocol):
    """Which servers may be asked, each given as a URL. Raises UserError for those that may not."""

    async def check(self, url: str) -> None: ...

    async def addresses(self, url: str) -> Sequence[str]:
        """The IP addresses that may be connected to, for who connects to an address; none where they aren't known."""
        ...


class Reach:
    """The remotes of one repository's pipeline; its secret is read whenever it is needed."""

    def __init__(
        self,
        repository: RepositoryName,
        secrets: Secrets,
        judge: Judge,
        clock: Clock,
        *,
        server_url: str,
        known_hosts: Path | None = None,
    ) -> None:
        """`server_url` is GitHub's, `known_hosts` the operator's list of host keys."""
        self.repository = repository
        self._secrets = secrets
        self._judge = judge
        self._clock = clock
        self._server_url = server_url
        self._known_hosts = known_hosts

    def address(self, url: str) -> str:
        """The address a URL is reached by: over HTTP, with the App's token, where it is GitHub's own, unless it is
        another owner's repository and there is a key for it."""
        by_http = over_http(url, self._server_url)
        return url if by_http is None or (not self._of_owner(by_http) and self.has_key(url)) else by_http

    def realm(self, url: str) -> str:
        """Whose mirror an address has: what is fetched with what a repository was given is no other's to read. ""
        where that is the App's token, or nothing."""
        return self.repository if ssh_address(url) or self.credential(url) else ""

    def credential(self, url: str) -> Credential | None:
        """What a server is shown over HTTP for this repository's pipeline alone. Raises UserError.

        Where the App's token is for, that is the one.
        """
        text = None if self._of_owner(url) else self._secrets.get(SECRET, _STORED)
        return stored(text, url, f"`{_STORED}` of {self._secret}") if text else None

    def _of_owner(self, url: str) -> bool:
        """Whether that is a repository on GitHub of the same owner."""
        try:
            there, here = urlsplit(url), urlsplit(self._server_url)
        except ValueError:  # such as https://[
            return False
        inside = there.path.lower().removeprefix(here.path.lower().rstrip("/")).strip("/").partition("/")[0]
        same = (there.scheme, there.netloc.lower()) == (here.scheme, here.netloc.lower())
        return same and inside == self.repository.partition("/")[0].lower()

    def has_key(self, url: str) -> bool:
        """Whether there is a key for an address. Raises UserError where that can't be told."""
        there = ssh_address(url)
        return there is not None and self._name_of_key(there) is not None

    async def login(self, url: str) -> Login | None:
        """What the server of an address in this repository's own realm is shown. Raises UserError and Retry."""
        there = ssh_address(url)
        if there is not None:
            return await self._by_ssh(url, there)
        await self._judge.check(url)
        return self.credential(url)

    async def _by_ssh(self, url: str, there: SshAddress) -> SshLogin:
        name = self._name_of_key(there)
        if name is None:
            raise UserError(
                f"{url}: there is no SSH key for it; put a private key into the secret `{SECRET}` of {self.repository} "
                f"as `{_KEY}`, or write the address as https://host/owner/name.git"
            )
        key = self._secrets.get(SECRET, name)
        if key is None:
            raise UserError(f"`{_KEYS}` of {self._secret} names the key {name!r}, which that secret has not")
        _check(key, f"the key {name!r} of {self._secret}")
        addresses = await self._judge.addresses(there.server)
        if not addresses:
            raise Retry(self._clock.now() + _RETRY_AFTER, f"{url}: no address is known for {there.host}")
        return SshLogin(key, self._hosts(), addresses[0])

    @property
    def _secret(self) -> str:
        return f"the secret `{SECRET}` of {self.repository}"

    def _name_of_key(self, there: SshAddress) -> str | None:
        path = _segments(there.path)
        best: tuple[int, str] | None = None
        for number, line in enumerate((self._secrets.get(SECRET, _KEYS) or "").splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            place = ssh_address(f"{words[0].rstrip('/')}/.") if words[0].startswith("ssh://") else None
            if place is None or len(words) != 2:
                raise UserError(
                    f"line {number} of `{_KEYS}` of {self._secret} is not an address like ssh://git@host/owner and the "
                    "name of a key"
                )
            prefix = _segments(place.path.removesuffix("/."))
            if (place.host, place.port) == (there.host, there.port) and path[: len(prefix)] == prefix:
                best = max(best or (-1, ""), (len(prefix), words[1]), key=lambda one: one[0])
        if best:
            return best[1]
        return _KEY if self._secrets.get(SECRET, _KEY) is not None else None

    def _hosts(self) -> str:
        parts = [PUBLISHED]
        if self._known_hosts is not None:
            try:
                parts.append(self._known_hosts.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise UserError("SSH_KNOWN_HOSTS names a file that can't be read; ask the operator") from error
        parts.append(self._secrets.get(SECRET, _HOSTS) or "")
        return "\n".join(parts)


def _segments(path: str) -> list[str]:
    return path.lower().strip("/").removesuffix(".git").split("/") if path.strip("/") else []


def _check(key: str, name: str) -> None:
    """Raises UserError for what `ssh` would not take as a key, or ask a passphrase for."""
    load = load_ssh_private_key if "BEGIN OPENSSH PRIVATE KEY" in key else load_pem_private_key
    try:
        load(key.encode(), None, unsafe_skip_rsa_key_validation=True)
    except TypeError:  # so they say that it is encrypted
        raise UserError(
            f"{name} is encrypted, and there is nobody to ask for its passphrase; put one there that is not "
            "(`ssh-keygen -p -N ''`)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UserError(
            f"{name} is no private key that OpenSSH and Towpath know; make one with `ssh-keygen -t ed25519`, and put "
            "the file without `.pub` there"
        ) from None
