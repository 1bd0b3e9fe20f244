"""Which forge a repository is on, and with what rights a pipeline speaks to it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from bot.contracts import Clock, Forge, ForgePull, GitHub, Http, NewPull
from bot.contracts.git import Credentials
from bot.core.model import CommitSha, RepositoryName
from bot.core.urls import over_http
from bot.errors import UserError
from bot.github.forge import GitHubForge
from bot.gitlab.forge import GitLabForge

_NOT_YET = "Towpath opens pull requests on GitHub and on GitLab; push there, and leave git-open-pr out"


class ForgesOf:
    """Those of one repository's pipeline: on GitHub what the App may do for its owner, on GitLab what the repository's
    own secret `git` lets it."""

    def __init__(
        self,
        repository: RepositoryName,
        github: Callable[[RepositoryName], Awaitable[GitHub | None]],
        server_url: str,
        http: Http,
        credentials: Credentials,
        clock: Clock,
        mask: Callable[[Any], Any],
    ) -> None:
        """`github` gives a repository that the App is installed on; `mask` takes secrets out of texts."""
        self._repository = repository
        self._github = github
        self._server_url = server_url
        self._http = http
        self._credentials = credentials
        self._clock = clock
        self._mask = mask

    async def at(self, url: str, provider: str = "") -> Forge:
        name = _name_on(self._server_url, url)
        kind = provider or ("github" if name else _guess(url))
        if kind == "gitlab":
            return _Masked(GitLabForge(self._http, url, self._credentials, self._clock), self._mask)
        if kind != "github":
            raise UserError(f"{url}: {_NOT_YET}")
        if name is None:
            raise UserError(f"{url} is not on {self._server_url}, the GitHub that Towpath is installed on")
        if name.partition("/")[0].lower() != self._repository.partition("/")[0].lower():
            raise UserError(f"{url} is another owner's, for whom Towpath does nothing on behalf of {self._repository}")
        found = await self._github(name)
        if found is None:
            raise UserError(f"the App is not installed on {name}; install it there, or correct `repoURL`")
        return _Masked(GitHubForge(found), self._mask)


def _name_on(server_url: str, url: str) -> RepositoryName | None:
    """The repository's name, if its URL is one of this server's."""
    text = over_http(url, server_url) or url
    server, there = urlsplit(server_url.rstrip("/")), urlsplit(text)
    if (server.scheme, server.netloc.lower()) != (there.scheme, there.netloc.lower()):
        return None
    path = there.path.removeprefix(server.path).strip("/").removesuffix(".git")
    return RepositoryName(path) if path.count("/") == 1 else None


def _guess(url: str) -> str:
    """By the host, as Kargo does. Raises UserError where that says nothing."""
    host = (urlsplit(url).hostname or url.partition(":")[0].rpartition("@")[2]).lower()
    for kind in ("gitlab", "github", "bitbucket", "gitea", "azure"):
        if kind in host:
            return kind
    raise UserError(f"the host of {url} does not say what it is; name the `provider`, github or gitlab")


class _Masked:
    """A forge whose texts hold no secret that was read."""

    def __init__(self, forge: Forge, mask: Callable[[Any], Any]) -> None:
        self._forge = forge
        self._mask = mask

    async def open_pull(self, new: NewPull) -> ForgePull:
        return await self._forge.open_pull(
            replace(
                new,
                title=self._mask(new.title),
                body=self._mask(new.body),
                labels=tuple(self._mask(one) for one in new.labels),
            )
        )

    async def pull(self, number: int) -> ForgePull:
        return await self._forge.pull(number)

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha | None:
        return await self._forge.merge_pull(number, head_sha, method)
