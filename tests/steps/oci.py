"""What the steps for OCI registries are tested with: two real registries, and a client with a repository's logins."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from bot.core.configuration.fitting import Fit
from bot.registry import RegistryClient, nobody
from bot.steps import BY_NAME
from tests.registry.conftest import SECRET_BY_BCRYPT, RealRegistry, serving
from tests.steps.conftest import Run, StandingClock


@contextmanager
def registry_for_writer(folder: Path) -> Iterator[RealRegistry]:
    """A registry for nobody but `writer`, whose password is `secret`."""
    (folder / "htpasswd").write_text(f"writer:{SECRET_BY_BCRYPT}\n")
    with serving(folder, f"auth: {{htpasswd: {{realm: here, path: {folder / 'htpasswd'}}}}}\n") as registry:
        registry.login = ("--dest-creds", "writer:secret")
        yield registry


@asynccontextmanager
async def with_registries(run: Run) -> AsyncIterator[Run]:
    """The run with registries as its repository's own secrets let it in there."""
    async with aiohttp.ClientSession() as session:
        client = RegistryClient(session, StandingClock(), nobody).of_repository(run.secrets)
        run.context = replace(run.context, artifacts=client.artifacts)
        yield run


def keep_login(run: Run, host: str) -> None:
    login = base64.b64encode(b"writer:secret").decode()
    run.secrets.values["registry", ".dockerconfigjson"] = json.dumps({"auths": {host: {"auth": login}}})


def misfits(uses: str, config: object) -> list[str]:
    """What the step's schema has against a configuration."""
    return [f"{'.'.join(map(str, each.path))}: {each.message}" for each in Fit(BY_NAME[uses].SCHEMA)(config)[1]]
