"""All that the engine reaches the world through, in one value. Only `app.py` makes one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.contracts import (
    Artifacts,
    Clock,
    Forges,
    Git,
    GitHub,
    Http,
    Identity,
    MetricContext,
    MetricProvider,
    Programs,
    Registry,
    Secrets,
    Sender,
    Step,
    Subscription,
)
from bot.contracts.commands import Command
from bot.core.config import PlugIns
from bot.core.model import RepositoryName
from bot.engine.work import Work


class View(GitHub, Protocol):
    """A repository on GitHub that remembers what it was told, until it is asked to forget."""

    @property
    def listed(self) -> float:
        """When GitHub last told what `recent_pulls` gives (`time.monotonic`); 0.0: not yet."""
        ...

    def forget(self) -> None: ...


class OwnSecrets(Secrets, Protocol):
    """The secrets of one repository, and what keeps them out of texts."""

    def named(self, name: str) -> Mapping[str, str]:
        """All values of one secret by key; none when there is no such secret. Raises UserError."""
        ...


class Registries(Registry, Protocol):
    """OCI registries, to read what they tell, and to take and give artifacts whole."""

    @property
    def artifacts(self) -> Artifacts: ...


@dataclass(frozen=True, slots=True)
class Site:
    """One repository as Towpath reaches it, for the length of one look: its GitHub (with a memory), Git with what
    its owner may see, its own secrets, registries and forges with its own credentials; nobody else's."""

    repository: RepositoryName
    github: View
    git: Git
    identity: Identity
    secrets: OwnSecrets
    registry: Registries
    forges: Forges


class Hub(Protocol):
    """The repositories the App is installed on."""

    async def site(self, name: RepositoryName) -> Site | None:
        """A fresh view of one repository; None when the App is not installed there (any more)."""
        ...

    async def repositories(self) -> Iterable[RepositoryName]: ...


@dataclass(frozen=True, slots=True)
class PlugInModules:
    """The registries, by name."""

    steps: Mapping[str, Step]
    subscriptions: Mapping[str, Subscription]
    providers: Mapping[str, MetricProvider]
    commands: Mapping[str, Command]
    senders: Mapping[str, Sender] = field(default_factory=dict)

    def schemas(self) -> PlugIns:
        return PlugIns(
            steps={name: step.SCHEMA for name, step in self.steps.items()},
            subscriptions={name: kind.SCHEMA for name, kind in self.subscriptions.items()},
            providers={name: provider.SCHEMA for name, provider in self.providers.items()},
            senders={name: sender.SCHEMA for name, sender in self.senders.items()},
        )


@dataclass(frozen=True, slots=True)
class Ports:
    """`server_url` is where repositories are cloned from; `signing_key` signs promotion records."""

    hub: Hub
    http: Http
    work: Work
    clock: Clock
    programs: Programs
    plugins: PlugInModules
    server_url: str
    signing_key: bytes
    workdirs: Path

    def metric_context(self, site: Site) -> MetricContext:
        return MetricContext(self.http, site.secrets, self.clock)

    def url(self, repository: RepositoryName) -> str:
        return f"{self.server_url.rstrip('/')}/{repository}.git"
