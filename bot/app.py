"""Wires Towpath together: settings to clients to engine to web server. The only file that knows every folder."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.commands import BY_NAME as COMMANDS
from bot.contracts import Clock, Registry
from bot.core import record
from bot.core.jobs import CommandRef
from bot.core.model import RepositoryName
from bot.core.urls import RegistryAddress
from bot.engine.commands import Commander
from bot.engine.configuration import Configurations
from bot.engine.discovery import Discovery
from bot.engine.durable.engine import DurableWork
from bot.engine.executor import Executor
from bot.engine.http import OutboundHttp
from bot.engine.look import Looker
from bot.engine.ports import PlugInModules, Ports, Site
from bot.engine.snapshot import Gatherer
from bot.engine.work import CommandJob, Handlers, Work, WorkOptions
from bot.errors import Broken, Retry, UserError
from bot.git.client import MirroredGit
from bot.github.app import App
from bot.github.client import make_session
from bot.metrics import BY_NAME as PROVIDERS
from bot.registry import RegistryClient
from bot.rendering import find_programs
from bot.server.events import Delivery
from bot.server.web import make_app, make_runner
from bot.settings import Settings
from bot.steps import BY_NAME as STEPS
from bot.subscriptions import BY_NAME as SUBSCRIPTIONS

log = logging.getLogger(__name__)

PLUG_INS = PlugInModules(STEPS, SUBSCRIPTIONS, PROVIDERS, COMMANDS)
_LOST_AFTER = timedelta(hours=24)  # a command nobody answered within a day has been given again, or up
_DATABASE_ANSWERS = 5.0  # seconds
_LEFT_OVER = timedelta(hours=1)  # a promotion's folder this old is a killed process's: no look runs as long
_MISSED_SINCE = timedelta(days=3)  # GitHub keeps deliveries this long


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class NoSecrets:
    """Until a place for secrets is configured there are none."""

    def get(self, name: str, key: str) -> str | None:
        return None


class Installed:
    """The repositories the App is installed on. Git is one per owner: what one owner's token fetched, no other sees."""

    def __init__(self, app: App, folder: Path, registry: Registry, clock: Clock) -> None:
        self._app = app
        self._registry = registry
        self._folder = folder
        self._clock = clock
        self._git: dict[str, MirroredGit] = {}

    async def site(self, name: RepositoryName) -> Site | None:
        github = await self._app.repository(name)
        if github is None:
            return None
        try:
            identity = await self._app.committer(name)
        except UserError as error:  # removed since
            log.info("%s", error)
            return None
        owner = name.partition("/")[0].lower()
        if owner not in self._git:
            credentials = self._app.git_credentials(name)
            self._git[owner] = MirroredGit(self._folder / owner, credentials, identity, self._clock)
        return Site(name, github, self._git[owner], identity, NoSecrets(), self._registry)

    async def repositories(self) -> Iterable[RepositoryName]:
        return await self._app.repositories()

    async def close(self) -> None:
        for git in self._git.values():
            await git.close()


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that runs: where it listens, and its parts, for whoever measures or watches it."""

    url: str
    app: App
    work: Work

    async def run_until_lost(self) -> None:
        """Returns when the work port was stopped; raises Broken when this process may no longer work."""
        await self.work.run_until_lost()


@asynccontextmanager
async def start(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Bot]:
    """Everything `towpath serve` is, from settings to a listening port; stopped in order when left."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(make_session())
        app = App(
            session,
            app_id=settings.app_id,
            private_key=settings.private_key,
            api_url=settings.github_api_url,
            server_url=settings.github_server_url,
            write_interval=settings.github_write_interval,
            clock=clock,
        )
        work = DurableWork(settings.database_url, WorkOptions(tick_every=settings.tick_interval))
        registry = RegistryClient(session, clock, _anonymous)
        hub = Installed(app, settings.data_dir / "git", registry, clock)
        stack.push_async_callback(hub.close)
        ports = Ports(
            hub=hub,
            http=await stack.enter_async_context(OutboundHttp(allow_private=True)),
            work=work,
            clock=clock,
            programs=find_programs(),
            plugins=PLUG_INS,
            server_url=settings.github_server_url,
            signing_key=record.signing_key(settings.private_key.encode()),
            workdirs=await asyncio.to_thread(_workdirs, settings.data_dir, clock.now()),
        )
        handlers, expire = _engine(ports)
        await work.start(handlers)
        stack.push_async_callback(work.stop)
        url = await stack.enter_async_context(_listen(settings, app, work, expire))
        recovery = asyncio.create_task(_recover(app, clock))
        stack.callback(recovery.cancel)
        yield Bot(url, app, work)


def _engine(ports: Ports) -> tuple[Handlers, Callable[[RepositoryName], None]]:
    discovery = Discovery(ports.plugins.subscriptions, ports.clock)
    gatherer = Gatherer(ports, Configurations(ports.plugins.schemas()), discovery)
    executor = Executor(ports)
    looker, commander = Looker(ports, gatherer, executor), Commander(ports, gatherer, executor)

    async def look(repository: str) -> datetime | None:
        return await looker.look(RepositoryName(repository))

    async def command(job: CommandJob) -> None:
        await commander.answer(CommandRef.from_details(job.repository, job.details))

    async def tick() -> Iterable[str]:
        """Every repository wants a look; commands whose webhook was lost are found on the way."""
        names = tuple(await ports.hub.repositories())
        since = ports.clock.now() - _LOST_AFTER
        for name in names:
            try:
                for ref in await commander.find_lost(name, since):
                    await ports.work.submit_command(_job(ref))
            except (Retry, Broken, UserError):  # one repository that can't be asked keeps no other waiting
                log.exception("looking for lost commands", extra={"repository": name})
        return names

    return Handlers(look, command, tick), discovery.expire


def _job(ref: CommandRef) -> CommandJob:
    return CommandJob(ref.key, ref.repository, ref.details)


@asynccontextmanager
async def _listen(
    settings: Settings, app: App, work: Work, expire: Callable[[RepositoryName], None]
) -> AsyncIterator[str]:
    async def intake(delivery: Delivery) -> None:
        """Durable once this returns; only then GitHub is told that we have it."""
        for name in delivery.looks:
            expire(name)
        await work.accept_delivery(delivery.id, delivery.looks, [_job(ref) for ref in delivery.commands])

    async def ready() -> Sequence[str]:
        try:
            async with asyncio.timeout(_DATABASE_ANSWERS):
                await work.stats()
        except Exception:  # the border: whatever it is, the load balancer wants to know that it is, and the log what
            log.exception("asking the database")
            return ("the database does not answer",)
        return ()

    runner = make_runner(make_app(intake, settings.webhook_secrets, (await app.identity()).login, ready))
    await runner.setup()
    try:
        listener = web.TCPSite(runner, settings.host, settings.port)
        await listener.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def _recover(app: App, clock: Clock) -> None:
    """Ask GitHub for what it could not deliver while we were away; it never does so by itself."""
    try:
        count = await app.redeliver_failed(clock.now() - _MISSED_SINCE)
        log.info("asked for failed deliveries again", extra={"count": count})
    except Exception:  # the tick finds whatever these deliveries were about
        log.exception("asking for failed deliveries again")


async def _anonymous(address: RegistryAddress) -> None:
    """Registries are asked as nobody in particular, until credentials can be configured."""


def _workdirs(data_dir: Path, now: datetime) -> Path:
    """Where promotions run. What a killed process left there is swept."""
    path = data_dir / "promotions"
    path.mkdir(parents=True, exist_ok=True)
    for folder in path.iterdir():
        if now.timestamp() - folder.stat().st_mtime > _LEFT_OVER.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
    return path
