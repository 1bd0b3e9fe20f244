"""What commands need that ask registries and Git without GitHub: the same parts as the bot's, on their own."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.app import PLUG_INS, SystemClock
from bot.contracts import Git, Identity, Registry
from bot.contracts.git import Credential
from bot.core.model import Pipeline, RepositoryName, Warehouse, WarehouseName
from bot.engine.discovery import Discovery, Found
from bot.git.client import MirroredGit
from bot.github.client import make_session
from bot.registry import OperatorCredentials, RegistryClient


@dataclass(frozen=True, slots=True)
class _Here:
    """This machine, in place of a repository on GitHub."""

    repository: RepositoryName
    git: Git
    registry: Registry


async def discover(
    docker_config: Path | None, pipeline: Pipeline, told: Callable[[WarehouseName], None]
) -> Mapping[WarehouseName, Found]:
    """What every warehouse holds now; `told` hears of each as soon as it is known.

    Registries are asked with the logins of the Docker `config.json` in that folder, Git without any.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="towpath-", ignore_cleanup_errors=True))
        session = await stack.enter_async_context(make_session())
        git = MirroredGit(Path(folder), _nobody, Identity("towpath", "towpath@localhost"), clock)
        stack.push_async_callback(git.close)
        registry = RegistryClient(session, clock, OperatorCredentials(docker_config, clock))
        here = _Here(RepositoryName("local/pipeline"), git, registry)
        discovery = Discovery(PLUG_INS.subscriptions, clock, dates=True)

        async def one(warehouse: Warehouse) -> Found:
            found = await discovery.of_one(here, warehouse)
            told(warehouse.name)
            return found

        found = await asyncio.gather(*(one(warehouse) for warehouse in pipeline.warehouses.values()))
    return {one.warehouse.name: one for one in found}


async def _nobody(_url: str) -> Credential | None:
    return None
