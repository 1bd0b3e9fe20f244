"""Which forge a repository's URL leads to, and with whose rights."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.contracts import Forge, GitHub, Http, NewPull
from bot.contracts.git import Credential
from bot.core.model import RepositoryName
from bot.errors import UserError
from bot.forges import ForgesOf


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class Repository:
    """As much of GitHub as a forge takes to open a pull request."""

    def __init__(self, name: str) -> None:
        self.repository = name
        self.opened: list[tuple[str, str]] = []

    async def create_pull(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> Any:
        self.opened.append((title, body))
        raise UserError("seen enough")


async def nobody(url: str) -> Credential | None:
    return None


def mask(value: Any) -> Any:
    return value.replace("s3cret", "***")


def forges(installed: dict[str, Repository], server_url: str = "https://github.com") -> ForgesOf:
    async def github(name: RepositoryName) -> GitHub | None:
        return cast(GitHub | None, installed.get(name))

    return ForgesOf(RepositoryName("acme/shop"), github, server_url, cast(Http, None), nobody, Clock(), mask)


@pytest.mark.parametrize(
    ("url", "provider", "kind"),
    [
        ("https://github.com/acme/apps.git", "", "GitHubForge"),
        ("https://github.com/Acme/apps", "github", "GitHubForge"),
        ("git@github.com:acme/apps.git", "", "GitHubForge"),
        ("https://gitlab.com/acme/apps.git", "", "GitLabForge"),
        ("https://gitlab.example.com/group/sub/apps", "", "GitLabForge"),
        ("git@gitlab.example.com:group/apps.git", "", "GitLabForge"),
        ("https://git.example.com/group/apps.git", "gitlab", "GitLabForge"),
    ],
)
async def test_the_host_or_the_provider_says_what_it_is(url: str, provider: str, kind: str) -> None:
    known = {name: Repository(name) for name in ("acme/apps", "Acme/apps")}
    forge = await forges(known).at(url, provider)
    assert type(cast(Any, forge)._forge).__name__ == kind


@pytest.mark.parametrize(
    ("url", "provider", "says"),
    [
        ("https://git.example.com/group/apps.git", "", "name the `provider`"),
        ("https://bitbucket.org/acme/apps.git", "", "on GitHub and on GitLab"),
        ("https://git.example.com/acme/apps.git", "gitea", "on GitHub and on GitLab"),
        ("https://github.com/other/apps.git", "", "another owner's"),
        ("https://github.com/acme/unknown.git", "", "not installed on acme/unknown"),
        ("https://github.com.evil.example/acme/apps.git", "", "is not on https://github.com"),
        ("https://evil.example/acme/apps.git", "github", "is not on https://github.com"),
        ("https://github.com/acme/apps/more.git", "", "is not on https://github.com"),
    ],
)
async def test_what_can_not_be_spoken_to_is_said(url: str, provider: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        await forges({"acme/apps": Repository("acme/apps"), "other/apps": Repository("other/apps")}).at(url, provider)


async def test_a_server_in_a_folder_of_its_host_is_known() -> None:
    server = "https://host.example/github"
    forge = await forges({"acme/apps": Repository("acme/apps")}, server).at(f"{server}/acme/apps.git")
    assert type(cast(Any, forge)._forge).__name__ == "GitHubForge"


async def test_no_secret_is_in_what_is_written_there() -> None:
    known = Repository("acme/apps")
    forge: Forge = await forges({"acme/apps": known}).at("https://github.com/acme/apps.git")
    new = NewPull("topic", "main", "a s3cret title", "a s3cret body")
    with pytest.raises(UserError, match="seen enough"):
        await forge.open_pull(new)
    assert known.opened == [("a *** title", "a *** body")]
