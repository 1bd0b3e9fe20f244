"""The repositories the App is installed on, each with what its pipeline may reach, and no other's."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.contracts import Clock, Http
from bot.contracts.git import Credential, Credentials
from bot.contracts.steps import Network
from bot.core.model import RepositoryName
from bot.engine.egress import Egress
from bot.engine.forward_proxy import ForwardProxy
from bot.engine.masked import Written, masked, masked_git
from bot.engine.ports import Site
from bot.engine.redaction import Redactor
from bot.engine.secrets import RepositorySecrets
from bot.errors import UserError
from bot.forges import ForgesOf
from bot.git.client import MirroredGit
from bot.git.reach import Reach
from bot.github.app import App
from bot.registry import RegistryClient
from bot.settings import Settings

log = logging.getLogger(__name__)


class Installed:
    """The repositories the App is installed on. Git is one per owner: what one owner's token fetched, no other sees."""

    def __init__(
        self,
        app: App,
        settings: Settings,
        registry: RegistryClient,
        clock: Clock,
        everything: Redactor,
        proxy: ForwardProxy,
        http: Http,
    ) -> None:
        """`everything` learns the secrets of all repositories that are read; `proxy` is for programs."""
        self._app = app
        self._settings = settings
        self._registry = registry
        self._clock = clock
        self._everything = everything
        self._http = http
        self._egress = Egress(settings.egress, (settings.github_server_url,))
        self._proxied = proxy.environment(urlsplit(settings.github_server_url).hostname or "")
        here = settings.egress.refusal("localhost", "127.0.0.1") is None
        self.network = Network(proxy.environment(), Egress(settings.egress).check, 0 if here else proxy.port)
        self._git: dict[str, MirroredGit] = {}
        self._redactors: defaultdict[str, Redactor] = defaultdict(lambda: Redactor(everything))
        self._written: defaultdict[str, Written] = defaultdict(Written)

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
            credentials = self._allowed(self._app.git_credentials(name))
            folder = self._settings.data_dir / "git" / owner
            self._git[owner] = MirroredGit(
                folder, credentials, identity, self._clock, environment=self._proxied, peek=self._app.peek(name)
            )
        secrets = self._secrets(name)
        registry = self._registry.of_repository(secrets)
        view = masked(github, self._redactors[name.lower()], self._written[name.lower()])
        reach = self._reach(name, secrets)
        git = masked_git(self._git[owner].of_repository(reach).for_one_look(), self._redactors[name.lower()])
        return Site(name, view, git, identity, secrets, registry, self._forges(name, reach, secrets))

    def door_secret(self, name: RepositoryName, secret: str, key: str) -> str | None:
        """What a receiver's sender is known by. Raises UserError."""
        return self._secrets(name).get(secret, key)

    def _secrets(self, name: RepositoryName) -> RepositorySecrets:
        redactor = self._redactors[name.lower()]
        return RepositorySecrets(name, self._settings.secrets_dir, self._settings.secrets, redactor)

    def _forges(self, name: RepositoryName, reach: Reach, secrets: RepositorySecrets) -> ForgesOf:
        async def credentials(url: str) -> Credential | None:
            return reach.credential(url)

        server_url = self._settings.github_server_url
        return ForgesOf(name, self._app.repository, server_url, self._http, credentials, self._clock, secrets.mask)

    def _reach(self, name: RepositoryName, secrets: RepositorySecrets) -> Reach:
        return Reach(
            name,
            secrets,
            self._egress,
            self._clock,
            server_url=self._settings.github_server_url,
            known_hosts=self._settings.ssh_known_hosts,
        )

    def _allowed(self, credentials: Credentials) -> Credentials:
        """The same credentials, after the rules of egress: they are asked for before a server is."""

        async def find(url: str) -> Credential | None:
            await self._egress.check(url)
            return await credentials(url)

        return find

    async def repositories(self) -> Iterable[RepositoryName]:
        return await self._app.repositories()

    async def close(self) -> None:
        for git in self._git.values():
            await git.close()
