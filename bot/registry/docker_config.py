"""Docker's `config.json`, as far as it tells how to log in to registries.

https://docs.docker.com/reference/cli/docker/login/, and for names with a path, of which the longest that fits counts:
https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.urls import RegistryAddress
from bot.errors import UserError

DOCKER_HUB = "registry-1.docker.io"
_DOCKER_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry.hub.docker.com", DOCKER_HUB})
_DOCKER_HUB_SERVER = "https://index.docker.io/v1/"  # the name under which `docker login` keeps Docker Hub's
_PROGRAM_NAME = re.compile(r"[a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password or token for a registry; or an identity token, which its token service takes instead.

    https://distribution.github.io/distribution/spec/auth/oauth/
    """

    username: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def account(self) -> str:
        """Tells these credentials from others without telling them: what one account may see is kept from others."""
        return hashlib.sha256(repr((self.username, self.password, self.identity_token)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """`logins` by host or `host/path`; `programs` by host; `store` is the program for all other hosts, or ""."""

    logins: Mapping[str, Credentials] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    store: str = ""

    def login(self, address: RegistryAddress) -> Credentials | None:
        """The login with the longest name that the repository is in."""
        return next((login for name in _names(address) if (login := self.logins.get(name))), None)

    def program(self, host: str) -> str:
        """The credential helper that this very host is kept in, or ""."""
        return self.programs.get(host, "")


def registry_host(host: str) -> str:
    """The one spelling of a host: in lower case, and Docker Hub by the name under which it answers."""
    return DOCKER_HUB if host.lower() in _DOCKER_HUB_NAMES else host.lower()


def server_name(host: str) -> str:
    """What credential helpers know a registry by."""
    return _DOCKER_HUB_SERVER if host == DOCKER_HUB else host


def read_docker_config(text: str, about: str) -> DockerConfig:
    """Raises UserError that begins with `about` and shows nothing of what is secret."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(f"{about} is not JSON") from None  # the cause holds the text
    if not isinstance(data, dict):
        raise UserError(f"{about} is not a JSON object")
    logins: dict[str, Credentials] = {}
    for name, entry in _object(data, "auths", about).items():
        login = _login(entry, f"{about}: what auths has for {name!r}")
        if login:
            logins[_place(name)] = login
    programs = {_place(host): _program(name, about) for host, name in _object(data, "credHelpers", about).items()}
    store = data.get("credsStore")
    return DockerConfig(logins, programs, _program(store, about) if store else "")


def _login(entry: object, about: str) -> Credentials | None:
    """None for an empty entry, by which Docker marks that a helper keeps the login."""
    if not isinstance(entry, dict):
        raise UserError(f"{about} is not a JSON object")
    texts = {key: entry.get(key) or "" for key in ("username", "password", "auth", "identitytoken")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise UserError(f"{about} must be texts")
    username, password = texts["username"], texts["password"]
    if texts["auth"]:
        try:
            username, colon, password = base64.b64decode(texts["auth"], validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            colon = ""
        if not colon:
            raise UserError(f"{about}: auth must be base64 of user:password")
        password = password.rstrip("\0")
    if texts["identitytoken"]:
        return Credentials(username, "", texts["identitytoken"])
    return Credentials(username, password) if username and password else None


def _object(data: Mapping[str, Any], key: str, about: str) -> Mapping[str, Any]:
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UserError(f"{about}: {key} is not a JSON object")
    return value


def _program(name: object, about: str) -> str:
    if not isinstance(name, str) or _PROGRAM_NAME.fullmatch(name) is None:
        raise UserError(f"{about}: {name!r} can't be the name of a credential helper")
    return name


def _place(name: str) -> str:
    """One spelling for a host or `host/path`: without scheme and Docker's `/v1/`, Docker Hub by one name."""
    text = re.sub(r"^https?://", "", name.strip()).rstrip("/")
    host, slash, path = text.partition("/")
    host = registry_host(host)
    return host if path in {"", "v1", "v2"} else host + slash + path


def _names(address: RegistryAddress) -> Iterator[str]:
    """Everything a login for the repository may be filed under, the longest first."""
    host = registry_host(address.host)
    parts = address.name.split("/") if address.name else []
    for count in range(len(parts), 0, -1):
        yield "/".join((host, *parts[:count]))
    yield host
