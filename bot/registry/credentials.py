"""Whose login a registry is shown: the repository's own, else the operator's, else nobody's."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from cachetools import LRUCache

from bot.contracts import Clock, Secrets
from bot.core.urls import RegistryAddress
from bot.errors import UserError
from bot.registry.credential_program import ask_program
from bot.registry.docker_config import Credentials, DockerConfig, read_docker_config, server_name

FindCredentials = Callable[[RegistryAddress], Awaitable[Credentials | None]]
"""What to log in with at a repository; None for nobody in particular. Raises UserError."""

# The secret that Kubernetes, too, keeps them in: https://kubernetes.io/docs/concepts/configuration/secret/
SECRET, KEY = "registry", ".dockerconfigjson"

_OWN = f"the key {KEY} of this repository's secret {SECRET!r}"
_FILE_LIMIT = 1 << 20
_LOOK_EVERY = timedelta(seconds=1)
_HELPED_FOR = timedelta(minutes=5)  # well below the shortest life of what cloud providers' helpers give


async def nobody(address: RegistryAddress) -> None:
    """No credentials for any registry."""


class OperatorCredentials:
    """The logins of `config.json` in a folder, and of the credential helpers it names; read anew when it changes.

    `environment` is all that helpers see, but for a PATH if it names none.
    """

    def __init__(self, folder: Path | None, clock: Clock, environment: Mapping[str, str] | None = None) -> None:
        self._file = folder / "config.json" if folder else None
        self._clock = clock
        self._environment = {"DOCKER_CONFIG": str(folder), "HOME": str(folder)} | dict(environment or {})
        self._config = DockerConfig()
        self._signature: tuple[int, ...] | None = None
        self._again = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._reading = asyncio.Lock()
        self._helped: LRUCache[tuple[str, str], tuple[Credentials | None, datetime]] = LRUCache(1024)
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one for each program

    async def __call__(self, address: RegistryAddress) -> Credentials | None:
        """Docker's order: the helper of this host, the login in the file, the helper of all hosts. Raises UserError."""
        config = await self._current()
        server = server_name(address.host)
        if program := config.program(address.host):
            return await self._ask(program, server)
        if login := config.login(address):
            return login
        return await self._ask(config.store, server) if config.store else None

    async def _current(self) -> DockerConfig:
        if self._file is None or self._clock.now() < self._again:
            return self._config
        async with self._reading:
            if self._clock.now() >= self._again:
                signature = await asyncio.to_thread(_signature, self._file)
                if signature != self._signature:
                    # What was known holds no longer, even if what is there now can't be read.
                    self._signature = None
                    self._config = await asyncio.to_thread(_read, self._file) if signature else DockerConfig()
                    self._signature = signature
                    self._helped.clear()
                self._again = self._clock.now() + _LOOK_EVERY
            return self._config

    async def _ask(self, program: str, server: str) -> Credentials | None:
        key = (program, server)
        known = self._helped.get(key)
        if known is None or known[1] <= self._clock.now():
            async with self._asking[program]:
                known = self._helped.get(key)
                if known is None or known[1] <= self._clock.now():  # nobody asked while we waited
                    found = await ask_program(program, server, self._environment)
                    self._helped[key] = known = (found, self._clock.now() + _HELPED_FOR)
        return known[0]


def own_first(secrets: Secrets, otherwise: FindCredentials) -> FindCredentials:
    """A repository's own logins, from its secret `registry`; `otherwise` where it has none for a registry.

    The secret's key is `.dockerconfigjson`; it is read once, so make this anew for every look. Credential helpers are
    for the operator to choose: those it names are never run.
    """
    own: DockerConfig | None = None

    async def find(address: RegistryAddress) -> Credentials | None:
        nonlocal own
        if own is None:
            text = secrets.get(SECRET, KEY)
            own = read_docker_config(text, _OWN) if text else DockerConfig()
        return own.login(address) or await otherwise(address)

    return find


def _signature(file: Path) -> tuple[int, ...] | None:
    """What changes when the file does; None when there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(error) from error
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(file: Path) -> DockerConfig:
    try:
        with file.open("rb") as opened:
            content = opened.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise _unreadable(error) from error
    about = "config.json in Towpath's DOCKER_CONFIG"
    if len(content) > _FILE_LIMIT:
        raise UserError(f"{about} is larger than {_FILE_LIMIT:,} bytes")
    return read_docker_config(content.decode("utf-8", "replace"), about)


def _unreadable(error: OSError) -> UserError:
    return UserError(f"config.json in Towpath's DOCKER_CONFIG can't be read: {error.strerror}")
