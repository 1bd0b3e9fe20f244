"""Addresses of artifacts: the one spelling that freight ids are made of, and what a reference names.

Ids are portable only if every tool spells an address alike, so the three `normalize_*` follow Kargo to the letter:
https://github.com/akuity/kargo/tree/main/pkg/urls
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_GIT_URL = re.compile(r"(https?|ssh)://(?:([^@/?#\s]*)@)?([^@/?#\s]*)(/[^?#\s]*)?(#\S*)?")
_GIT_SCP = re.compile(r"((?:[A-Za-z0-9_-]+@)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)(?::([^?\s]*))?")
_DOCKER_HUB = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")
_DIGEST = re.compile(r"@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]+$")
_TAG = re.compile(r":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def normalize_git(url: str) -> str:
    """One spelling for the ways to write a Git URL; what can't be read is returned as it is.

    Lower case throughout, no final `/` or `.git`, no user in HTTP URLs, `git@host:path` as `ssh://git@host/path`.
    """
    text = "".join(letter for letter in url if letter.isprintable()).strip().lower()
    if found := _GIT_URL.fullmatch(text):
        scheme, user, host, path, fragment = found.groups(default="")
        user = f"{user}@" if scheme == "ssh" and user else ""
        return f"{scheme}://{user}{host}{_without_ending(path)}{fragment}"
    if "://" not in text and (found := _GIT_SCP.fullmatch(text)):
        host, path = found[1], _without_ending(found[2] or "")
        return f"ssh://{host}/{path}" if path else f"ssh://{host}"
    return url


# https://git-scm.com/docs/git-clone#_git_urls; stricter, so that nothing in it can be an option or a remote helper.
_SSH_USER = r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?"
_SSH_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_SSH_URL = re.compile(
    rf"ssh://{_SSH_USER}(?P<host>{_SSH_HOST}|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?(?P<path>/.+)"
)
_SSH_SCP = re.compile(rf"{_SSH_USER}(?P<host>{_SSH_HOST}):(?P<path>[^-:].*)")
_NOT_IN_A_PATH = re.compile(r"\s|::|%[01][0-9A-Fa-f]|%7[Ff]|(^|/)\.\.(/|$)")
_SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class SshAddress:
    """Where a repository is by SSH. `user` is "" where none is named, `host` in lower case, an IPv6 one without
    brackets; `path` begins with `/` in a URL, and with what the server's user has in `host:path`."""

    user: str
    host: str
    port: int
    path: str

    @property
    def server(self) -> str:
        """The server as a URL."""
        return f"ssh://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def known_as(self) -> str:
        """The server as lists of host keys name it: https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT"""
        return self.host if self.port == _SSH_PORT else f"[{self.host}]:{self.port}"


def ssh_address(url: str) -> SshAddress | None:
    """Read `ssh://[user@]host[:port]/path` or `[user@]host:path`; None for everything else."""
    found = _SSH_URL.fullmatch(url) or (None if "://" in url else _SSH_SCP.fullmatch(url))
    if found is None or _NOT_IN_A_PATH.search(found["path"]) or not found["path"].isprintable():
        return None
    port = int(found.groupdict().get("port") or _SSH_PORT)
    host = found["host"].strip("[]").lower()
    return SshAddress(found["user"] or "", host, port, found["path"]) if 0 < port < 65536 else None


def over_http(url: str, server_url: str) -> str | None:
    """The address by which a forge at `server_url` gives over HTTP what `url` asks it for by SSH; None where `url` is
    no SSH address, or another server's.

    https://docs.github.com/en/authentication/troubleshooting-ssh/using-ssh-over-the-https-port
    """
    there = ssh_address(url)
    if there is None:
        return None
    try:
        host = urlsplit(server_url).hostname
    except ValueError:  # such as https://[
        return None
    if (there.host, there.port) not in {(host, _SSH_PORT), (f"ssh.{host}", 443)}:
        return None
    return f"{server_url.rstrip('/')}/{there.path.strip('/')}"


def same_repository(one: str, other: str) -> bool:
    """Whether two URLs lead to the same repository, one of them perhaps by SSH and the other over HTTP."""
    if normalize_git(one) == normalize_git(other):
        return True
    for by_ssh, by_http in ((one, other), (other, one)):
        if by_http.startswith(("http://", "https://")):
            scheme, _, rest = by_http.partition("://")
            found = over_http(by_ssh, f"{scheme}://{rest.partition('/')[0]}")
            if found is not None and normalize_git(found) == normalize_git(by_http):
                return True
    return False


def normalize_image(url: str) -> str:
    """One spelling for an image repository: Docker Hub's are named without host and without `library/`."""
    text = url.lower()
    if text.count("/") == 1 and text.startswith("library/"):
        return text.removeprefix("library/")
    for host in _DOCKER_HUB:
        if text.startswith(host):
            return text.removeprefix(host).removeprefix("library/")
    return text


def normalize_chart(url: str) -> str:
    """One spelling for a chart repository: OCI ones as images are, without `oci://`."""
    return normalize_image(url.strip().lower().removeprefix("oci://"))


def _without_ending(path: str) -> str:
    return path.removesuffix("/").removesuffix(".git")


def image_repository(reference: str) -> str:
    """The repository of an image reference: the text without `:tag` and `@digest`."""
    repository = _DIGEST.sub("", reference)
    head, slash, last = repository.rpartition("/")
    if not slash and repository.startswith("["):  # an IPv6 host and nothing else
        return repository
    return head + slash + _TAG.split(last, maxsplit=1)[0]


def short_name(url: str) -> str:
    """What people call a repository: the last part of its address, without tag, digest and `.git`."""
    last = _without_ending(_DIGEST.sub("", url.rstrip("/"))).rsplit("/", 1)[-1]
    return _TAG.split(last, maxsplit=1)[0] or url


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """Where an image repository is: `host` with its port, and the repository's full name there."""

    host: str
    name: str

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this machine, where plain HTTP is spoken.

        https://docs.docker.com/reference/cli/dockerd/#insecure-registries
        """
        name = self.host.rsplit(":", 1)[0] if not self.host.endswith("]") else self.host
        return name in {"localhost", "[::1]"} or re.fullmatch(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}", name) is not None

    @property
    def origin(self) -> str:
        return f"{'http' if self.is_loopback else 'https'}://{self.host}"


_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")


def registry_address(repo_url: str) -> RegistryAddress:
    """Read an image repository as Docker does: `nginx` is Docker Hub's, `ghcr.io/acme/service` is not.

    A tag or digest is passed over. Raises ValueError for what is no image repository.
    """
    text = image_repository(repo_url)
    if "://" in text:
        scheme, rest = text.split("://", 1)
        raise ValueError(f"{repo_url!r} is not an image repository: leave out {scheme}:// and write {rest!r}")
    host, slash, name = text.partition("/")
    if not slash or not (host == "localhost" or any(letter in host for letter in ".:[") or host != host.lower()):
        host, name = "docker.io", text
    if _HOST.fullmatch(host) is None or _NAME.fullmatch(name) is None:
        raise ValueError(f"{repo_url!r} is not an image repository; write it like ghcr.io/acme/service, in lower case")
    if f"{host}/" in _DOCKER_HUB:
        return RegistryAddress("registry-1.docker.io", name if "/" in name else f"library/{name}")
    return RegistryAddress(host.lower(), name)
