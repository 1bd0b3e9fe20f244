"""The GitHub App: who it is, where it is installed, and a client or token for each place."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp
from cachetools import TTLCache

from bot.contracts import Clock, Identity
from bot.contracts.git import Credential, Credentials, Peek
from bot.core.model import RepositoryName
from bot.errors import Broken, Retry, UserError
from bot.github import deliveries, parse, routes
from bot.github.client import Calls, Client, Refused
from bot.github.limits import Pace
from bot.github.refs import RefsByApi
from bot.github.remembering import Remembering
from bot.github.repository import Repository
from bot.github.tokens import AppJwt, InstallationToken, InstallationTokens, NotInstalled, OneInstallation

log = logging.getLogger(__name__)

_KNOWN_FOR = 600.0  # seconds
_UNKNOWN_FOR = 60.0


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Who the App is. `login` is what its own comments and pull requests are signed with: `<slug>[bot]`."""

    id: int
    slug: str

    @property
    def login(self) -> str:
        return f"{self.slug}[bot]"


class App:
    """The App on one GitHub. `server_url` is where its pages and Git repositories are.

    `retry_delays` are the seconds between quick attempts when GitHub doesn't answer. `calls` counts every request.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        app_id: str,
        private_key: str,
        api_url: str,
        server_url: str,
        write_interval: timedelta,
        clock: Clock,
        retry_delays: Sequence[float] = (0.3, 1.5),
    ) -> None:
        self.calls = Calls()
        self._session = session
        self._app_id = app_id
        self._api_url = api_url
        self._server = urlsplit(server_url.rstrip("/") + "/")
        self._write_interval = write_interval
        self._clock = clock
        self._retry_delays = retry_delays
        # Tokens are no content, and a start with many installations shouldn't take a second for each.
        self._client = self._make_client("the App", AppJwt(app_id, private_key, clock), timedelta(0))
        self._tokens = InstallationTokens(self._fetch_token, clock)
        self._clients: dict[int, Client] = {}
        self._installations: TTLCache[str, int] = TTLCache(100_000, _KNOWN_FOR, timer=self._seconds)
        self._not_installed: TTLCache[str, None] = TTLCache(10_000, _UNKNOWN_FOR, timer=self._seconds)
        self._identity: AppIdentity | None = None
        self._identity_lock = asyncio.Lock()
        self._committer: Identity | None = None

    async def identity(self) -> AppIdentity:
        """Asked once. Raises UserError where GitHub doesn't know the App by its id and key, Retry or Broken."""
        async with self._identity_lock:
            if self._identity is None:
                try:
                    answer = await self._client.call(routes.GET_APP)
                except Refused as refusal:
                    if refusal.status not in (401, 404):
                        raise
                    raise UserError(
                        f"GitHub at {self._api_url} knows no App {self._app_id} with this private key: "
                        f"{refusal.message} (check APP_ID, the private key, GITHUB_API_URL and this machine's clock)"
                    ) from refusal
                self._identity = parse.read(_app_identity, answer)
            return self._identity

    async def repositories(self) -> tuple[RepositoryName, ...]:
        """Every repository the App is installed on and may write to; suspended installations have none.

        An installation that can't be asked now is left out and logged: the others shall not wait for it.
        """
        names: list[RepositoryName] = []
        for installation in await self._client.pages(routes.LIST_INSTALLATIONS):
            number = parse.read(parse.number, installation)
            if installation.get("suspended_at"):
                continue
            try:
                found = await self._client_of(number).pages(routes.LIST_REPOSITORIES, "repositories")
            except (Retry, Broken, NotInstalled) as error:
                log.warning("installation %d: its repositories can't be listed: %s", number, error)
                continue
            for repository in found:
                name = parse.read(parse.repository_name, repository)
                self._remember(name, number)
                if not repository.get("archived") and not repository.get("disabled"):
                    names.append(name)
        return tuple(names)

    async def repository(self, name: RepositoryName) -> Remembering | None:
        """The GitHub port for one repository, with a memory of its own; None where the App isn't installed.

        Raises Retry or Broken.
        """
        try:
            client = self._client_of(await self._installation(name))
        except NotInstalled as error:
            log.info("%s", error)
            return None
        return Remembering(Repository(client, name, await self.identity()))

    def git_credentials(self, asked_by: RepositoryName) -> Credentials:
        """What Git shows when it works on behalf of one repository: see `git_token`."""

        async def credentials(url: str) -> Credential | None:
            token = await self.git_token(url, asked_by=asked_by)
            return Credential("x-access-token", token) if token else None

        return credentials

    async def git_token(self, url: str, *, asked_by: RepositoryName) -> str | None:
        """The token to clone and push with (user name `x-access-token`); None where Git must do without.

        Only for repositories on this GitHub, and only of the owner of `asked_by`: whoever configures that repository
        must not come by what another customer of the App keeps private.
        """
        name = self._within_reach(url, asked_by)
        try:
            return await self._tokens.token(await self._installation(name)) if name else None
        except NotInstalled:
            return None

    def peek(self, asked_by: RepositoryName) -> Peek:
        """Where a branch or the tags are, by the API: for the same repositories that there is a token for.

        None while GitHub lets us ask little, and when it doesn't answer: Git is asked then, and says what is wrong.
        """

        async def peek(url: str, what: str) -> Mapping[str, str] | None:
            name = self._within_reach(url, asked_by)
            try:
                client = self._client_of(await self._installation(name)) if name else None
                if name is None or client is None or client.is_scarce:
                    return None
                refs = RefsByApi(client, name)
                return await (refs.tags() if what == "tags" else refs.branch(what.removeprefix("heads/")))
            except NotInstalled:
                return None
            except (Retry, Broken) as error:
                log.info("Git is asked where %s is: %s", what, error, extra={"repository": name})
                return None

        return peek

    async def committer(self, repository: RepositoryName) -> Identity:
        """Who our commits are by, so that GitHub shows the App's name and picture beside them.

        Asked once, with the token of `repository`, since users can't be read with the App's own JWT.

        https://docs.github.com/en/account-and-profile/setting-up-and-managing-your-personal-account-on-github/managing-email-preferences/setting-your-commit-email-address
        Raises NotInstalled, Retry or Broken.
        """
        if self._committer is None:
            login = (await self.identity()).login
            client = self._client_of(await self._installation(repository))
            user = parse.read(parse.number, await client.call(routes.GET_USER, username=login))
            self._committer = Identity(login, f"{user}+{login}@users.noreply.{self._server.hostname}")
        return self._committer

    async def redeliver_failed(self, since: datetime) -> int:
        """Have GitHub send again the webhooks that failed since then; how many. Raises Retry or Refused."""
        now = self._clock.now()
        return await deliveries.redeliver_failed(self._client, Pace(self._write_interval), since=since, now=now)

    def _make_client(self, name: str, credentials: AppJwt | OneInstallation, interval: timedelta) -> Client:
        return Client(
            self._session,
            credentials,
            name=name,
            base_url=self._api_url,
            pace=Pace(interval),
            clock=self._clock,
            calls=self.calls,
            retry_delays=self._retry_delays,
        )

    def _client_of(self, installation: int) -> Client:
        """One per installation, for its pace, its limits and its ETags."""
        if installation not in self._clients:
            credentials = OneInstallation(installation, self._tokens)
            self._clients[installation] = self._make_client(
                f"installation {installation}", credentials, self._write_interval
            )
        return self._clients[installation]

    async def _installation(self, name: RepositoryName) -> int:
        key = name.lower()
        installation = self._installations.get(key)
        if installation is None:
            if key in self._not_installed:
                raise _not_installed(name)
            try:
                answer = await self._client.call(routes.GET_INSTALLATION, **parse.owner_and_repo(name))
            except Refused as refusal:
                if refusal.status != 404:
                    raise
                self._not_installed[key] = None
                raise _not_installed(name) from refusal
            installation = parse.read(parse.number, answer)
            self._remember(name, installation)
        return installation

    def _remember(self, name: RepositoryName, installation: int) -> None:
        self._installations[name.lower()] = installation
        self._not_installed.pop(name.lower(), None)

    async def _fetch_token(self, installation: int) -> InstallationToken:
        try:
            answer = await self._client.call(routes.CREATE_TOKEN, installation_id=installation)
        except Refused as refusal:
            if refusal.status not in (403, 404):
                raise
            # Removed or suspended since we learned of it; installed anew, it has another number.
            for name in [name for name, number in self._installations.items() if number == installation]:
                del self._installations[name]
            raise NotInstalled(
                f"Installation {installation} of the App is removed or suspended: {refusal.message}"
            ) from refusal
        return parse.read(parse.installation_token, answer)

    def _within_reach(self, url: str, asked_by: RepositoryName) -> RepositoryName | None:
        name = self._repository_at(url)
        return name if name is not None and _owner(name) == _owner(asked_by) else None

    def _repository_at(self, url: str) -> RepositoryName | None:
        """The name of the repository at a Git or page address on this GitHub."""
        try:
            parts = urlsplit(url)
            same = (parts.scheme, parts.hostname, _port(parts)) == (
                self._server.scheme,
                self._server.hostname,
                _port(self._server),
            )
        except ValueError:
            return None
        path = unquote(parts.path)
        if not same or not path.startswith(self._server.path):
            return None
        name = path.removeprefix(self._server.path).strip("/").removesuffix(".git")
        return RepositoryName(name) if parse.REPOSITORY_NAME.fullmatch(name) else None

    def _seconds(self) -> float:
        return self._clock.now().timestamp()


def _owner(name: RepositoryName) -> str:
    return name.partition("/")[0].lower()


def _port(parts: SplitResult) -> int:
    return int(parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0))


def _not_installed(name: RepositoryName) -> NotInstalled:
    return NotInstalled(f"The App isn't installed on {name}: whoever administers it can install it there.")


def _app_identity(data: parse.Json) -> AppIdentity:
    return AppIdentity(id=int(data["id"]), slug=str(data["slug"]))
