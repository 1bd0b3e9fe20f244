"""Wires Towpath together: settings to clients to engine to web server (with `installed.py` and `forges.py`)."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.commands import BY_NAME as COMMANDS
from bot.contracts import Clock
from bot.core import record
from bot.core.jobs import CommandRef
from bot.core.model import RepositoryName
from bot.engine.anew import Anew
from bot.engine.commands import Commander
from bot.engine.configuration import Configurations
from bot.engine.discovery import Discovery
from bot.engine.durable.engine import DurableWork
from bot.engine.egress import guarded_session
from bot.engine.executor import Executor
from bot.engine.forward_proxy import forward_proxy
from bot.engine.http import OutboundHttp
from bot.engine.look import Looker
from bot.engine.ports import PlugInModules, Ports
from bot.engine.redaction import Redactor
from bot.engine.render_cache import KeptRenders
from bot.engine.snapshot import Gatherer
from bot.engine.subscribers import Subscribers
from bot.engine.work import CommandJob, Handlers, Work, WorkOptions
from bot.errors import Broken, Retry, UserError
from bot.github.app import App
from bot.github.client import make_session
from bot.installed import Installed
from bot.log import masking
from bot.metrics import BY_NAME as PROVIDERS
from bot.registry import OperatorCredentials, RegistryClient
from bot.rendering import find_programs, with_cache
from bot.server.doors import Doors, Secrets
from bot.server.events import Delivery
from bot.server.receivers import BY_NAME as SENDERS
from bot.server.web import make_app, make_runner
from bot.settings import Settings
from bot.steps import BY_NAME as STEPS
from bot.steps.rendering import confine
from bot.subscriptions import BY_NAME as SUBSCRIPTIONS

log = logging.getLogger(__name__)

PLUG_INS = PlugInModules(STEPS, SUBSCRIPTIONS, PROVIDERS, COMMANDS, SENDERS)
_LOST_AFTER = timedelta(hours=24)  # a command nobody answered within a day has been given again, or up
_DATABASE_ANSWERS = 5.0  # seconds
_LEFT_OVER = timedelta(hours=1)  # a promotion's folder this old is a killed process's: no look runs as long
_MISSED_SINCE = timedelta(days=3)  # GitHub keeps deliveries this long


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


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
        outside = await stack.enter_async_context(guarded_session(settings.egress))
        everything = Redactor()
        stack.enter_context(masking(everything.mask))
        if lacking := confine.missing():
            log.warning("helm and kustomize can't be kept from what is outside a promotion", extra={"lacking": lacking})
        registry = RegistryClient(outside, clock, OperatorCredentials(settings.docker_config, clock))
        proxy = await stack.enter_async_context(forward_proxy(settings.egress))
        http = await stack.enter_async_context(OutboundHttp(rules=settings.egress))
        hub = Installed(app, settings, registry, clock, everything, proxy, http)
        programs = await asyncio.to_thread(with_cache, find_programs(), KeptRenders(settings.data_dir / "renders"))
        stack.push_async_callback(hub.close)
        ports = Ports(
            hub=hub,
            http=http,
            work=work,
            clock=clock,
            programs=replace(programs, network=hub.network),
            plugins=PLUG_INS,
            server_url=settings.github_server_url,
            signing_key=record.signing_key(settings.private_key.encode()),
            workdirs=await asyncio.to_thread(_workdirs, settings.data_dir, clock.now()),
        )
        discovery = Discovery(ports.plugins.subscriptions, ports.clock)
        anew = Anew(discovery, work, shared=not settings.database_url.startswith("sqlite:"))
        handlers = _engine(ports, discovery, anew)
        await work.start(handlers)
        stack.push_async_callback(work.stop)
        url = await stack.enter_async_context(
            _listen(settings, app, work, discovery.subscribers, anew, hub.door_secret)
        )
        recovery = asyncio.create_task(_recover(app, clock))
        stack.callback(recovery.cancel)
        yield Bot(url, app, work)


def _engine(ports: Ports, discovery: Discovery, anew: Anew) -> Handlers:
    gatherer = Gatherer(ports, Configurations(ports.plugins.schemas()), discovery)
    executor = Executor(ports)
    looker, commander = Looker(ports, gatherer, executor), Commander(ports, gatherer, executor)

    async def look(repository: str) -> datetime | None:
        name = RepositoryName(repository)
        await anew.heed(name)
        with discovery.subscribers.looking(name):
            return await looker.look(name)

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

    return Handlers(look, command, tick)


def _job(ref: CommandRef) -> CommandJob:
    return CommandJob(ref.key, ref.repository, ref.details)


@asynccontextmanager
async def _listen(
    settings: Settings, app: App, work: Work, subscribers: Subscribers, anew: Anew, secrets: Secrets
) -> AsyncIterator[str]:
    async def intake(delivery: Delivery) -> None:
        """Durable once this returns; only then the sender is told that we have it."""
        for name in delivery.looks:
            await anew.tell(name)
        looks = dict.fromkeys(delivery.looks)
        for name, warehouses in (*subscribers.of_all(delivery.news).items(), *delivery.warehouses.items()):
            await anew.tell(name, warehouses)
            looks[name] = None
        if looks or delivery.commands:  # else it is news that nobody waits for
            await work.accept_delivery(delivery.id, tuple(looks), [_job(ref) for ref in delivery.commands])

    async def ready() -> Sequence[str]:
        try:
            async with asyncio.timeout(_DATABASE_ANSWERS):
                await work.stats()
        except Exception:  # the border: whatever it is, the load balancer wants to know that it is, and the log what
            log.exception("asking the database")
            return ("the database does not answer",)
        return ()

    doors = Doors(intake, SENDERS, subscribers, secrets)
    runner = make_runner(make_app(intake, settings.webhook_secrets, (await app.identity()).login, ready, doors))
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


def _workdirs(data_dir: Path, now: datetime) -> Path:
    """Where promotions run. What a killed process left there is swept."""
    path = data_dir / "promotions"
    path.mkdir(parents=True, exist_ok=True)
    for folder in path.iterdir():
        if now.timestamp() - folder.stat().st_mtime > _LEFT_OVER.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
    return path
