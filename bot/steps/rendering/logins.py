"""The logins that helm is given, and who may see them.

Each is looked up for the very address that helm asks, and is in a file for one run: outside the promotion's folder,
where no chart and no kustomization reads, and gone with that run. None is in an argument or in the environment.
"""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot.contracts.registry import Login
from bot.contracts.steps import StepContext
from bot.errors import UserError
from bot.steps.workspace import remove

OCI = "oci://"
# The names that Docker Hub is asked, and kept, by: https://docs.docker.com/reference/cli/docker/login/
_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/")
_REFUSED = re.compile(r"\b40[13]\b|unauthori[sz]ed|forbidden|(?<!permission )denied|failed to authorize", re.I)
_MASK = "***"
_SHORTEST = 6  # characters of what is masked: less would hide words that have nothing to do with it


@dataclass(frozen=True, slots=True)
class Logins:
    """`environment` tells helm of the files that hold the logins, in `folder`. `known` are the addresses there is a
    login for, with the name that helm has it by if it is a classic chart repository's, else ""."""

    folder: Path
    environment: Mapping[str, str]
    known: Mapping[str, str]
    _found: Mapping[str, Login] = field(repr=False)

    def explain(self, complaint: str) -> str:
        """What helm complains of, with what a person can do about a server that does not let it in."""
        said = complaint
        for login in self._found.values():
            for secret in _secrets(login):
                said = said.replace(secret, _MASK)
        if not _REFUSED.search(said):
            return said
        about = {url: login.advice for url, login in self._found.items() if login.advice}
        meant = [advice for url, advice in about.items() if urlsplit(url).netloc in said] or about.values()
        return " ".join([said, *dict.fromkeys(meant)])


@asynccontextmanager
async def logged_in(context: StepContext, urls: Iterable[str]) -> AsyncIterator[Logins]:
    """The logins for these addresses: `oci://registry/repository` of a chart, `https://…` of a chart repository.

    Every classic repository is told to helm, with a login or without: https://github.com/helm/helm/issues/9903
    Raises UserError where helm can't be given what is meant for each.
    """
    found = {url: await context.artifacts.login(url) for url in dict.fromkeys(urls)}
    names = {url: f"repository-{number}" for number, url in enumerate(url for url in found if not url.startswith(OCI))}
    files = {"registry.json": _registries(found), "repositories.yaml": _repositories(found, names)}
    root = context.workdir.resolve()
    folder = root.with_name(f"{root.name}.{secrets.token_hex(6)}")
    await asyncio.to_thread(_write, folder, files)
    try:
        environment = {
            "HELM_REGISTRY_CONFIG": str(folder / "registry.json"),
            "HELM_REPOSITORY_CONFIG": str(folder / "repositories.yaml"),
        }
        known = {url: names.get(url, "") for url, login in found.items() if any(_key(login))}
        yield Logins(folder, environment, known, found)
    finally:
        await asyncio.to_thread(remove, folder)


def _registries(found: Mapping[str, Login]) -> str:
    """As `helm registry login` keeps them, one for each host. Raises UserError where that is not enough: a login that
    is meant for one part of a registry only must not open another."""
    logins: dict[str, tuple[Login, str]] = {}
    for url, login in found.items():
        if url.startswith(OCI):
            host = urlsplit(url).netloc
            known, other = logins.setdefault(host, (login, url))
            if _key(known) != _key(login):
                raise UserError(
                    f"{other} and {url} have different logins, and helm takes one for all of {host}; give Towpath one "
                    f"login for {host} that may read both, or commit the chart's charts/ folder"
                )
    auths = {
        name: _entry(login)
        for host, (login, _) in logins.items()
        if any(_key(login))
        for name in (_DOCKER_HUB if host in _DOCKER_HUB else (host,))
    }
    return json.dumps({"auths": auths})


def _entry(login: Login) -> dict[str, str]:
    """https://docs.docker.com/reference/cli/docker/login/, read by helm as by Docker."""
    if login.identity_token:
        return {"auth": base64.b64encode(f"{login.username}:".encode()).decode(), "identitytoken": login.identity_token}
    return {"auth": _basic(login)}


def _repositories(found: Mapping[str, Login], names: Mapping[str, str]) -> str:
    """helm's `repositories.yaml`. It gives a login to the repository's own host only."""
    entries: list[dict[str, Any]] = []
    for url, name in names.items():
        login = found[url]
        told = {"username": login.username, "password": login.password} if login.password else {}
        entries.append({"name": name, "url": url, **told})
    return yaml.safe_dump({"apiVersion": "", "repositories": entries})


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(mode=0o700)
    for name, text in files.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")


def _key(login: Login) -> tuple[str, str, str]:
    return login.username, login.password, login.identity_token


def _basic(login: Login) -> str:
    return base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _secrets(login: Login) -> list[str]:
    """All that must not be said, the longest first."""
    parts = {login.password, login.identity_token, _basic(login)}
    return sorted((part for part in parts if len(part) >= _SHORTEST), key=len, reverse=True)
