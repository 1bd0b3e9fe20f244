"""User names and tokens of a repository's own secret, for Git over HTTP on other servers than the App's."""

from pathlib import Path

import pytest

from bot.contracts.git import Credential
from bot.core.egress import parse_rules
from bot.core.model import RepositoryName
from bot.engine.egress import Egress
from bot.errors import UserError
from bot.git.client import MirroredGit
from bot.git.reach import Judge, Reach
from tests.git.conftest import BOT, GitServer, Remote, StandingClock, nobody
from tests.git.test_ssh import ANYWHERE, KeptSecrets


def reach(
    server: GitServer,
    judge: Judge = ANYWHERE,
    *,
    shown: str = "precious",
    repository: str = "acme/config",
    github: str = "https://github.example.com",
) -> Reach:
    lines = f"https://robot:other@git.example.com\n{server.url.replace('://', f'://x-access-token:{shown}@')}"
    secrets = KeptSecrets({".git-credentials": lines} if shown else {})
    return Reach(RepositoryName(repository), secrets, judge, StandingClock(), server_url=github)


@pytest.fixture
def owner(tmp_path: Path, server: GitServer) -> MirroredGit:
    server.password = "precious"
    return MirroredGit(tmp_path / "data", nobody, BOT, StandingClock())


async def test_they_serve_to_clone_and_push(
    owner: MirroredGit, server: GitServer, remote: Remote, tmp_path: Path
) -> None:
    git = owner.of_repository(reach(server))
    await git.checkout(server.url, tmp_path / "src", branch="main")
    (tmp_path / "src/a.txt").write_text("1")
    commit = await git.commit(tmp_path / "src", "Change it", author=BOT)
    assert (await git.push(tmp_path / "src", "promotion/uat", force=True)).commit == commit
    assert remote.at("promotion/uat") == commit
    await owner.close()


async def test_they_are_one_repositorys_and_so_is_what_was_fetched_with_them(
    owner: MirroredGit, server: GitServer, remote: Remote
) -> None:
    sha = remote.at("main")
    assert await owner.of_repository(reach(server)).read(server.url, sha, "README.md") == b"hello\n"
    neighbours = (
        owner.of_repository(reach(server, shown="", repository="acme/shop")),
        owner.of_repository(reach(server, shown="wrong", repository="acme/web")),
        owner,
    )
    for git in neighbours:
        for ask in (git.read(server.url, sha, "README.md"), git.changed_paths(server.url, sha, sha)):
            with pytest.raises(UserError, match="access was refused"):
                await ask
    await owner.close()


async def test_an_unverified_server_is_shown_none(owner: MirroredGit, server: GitServer) -> None:
    git = owner.of_repository(reach(server)).configured(verify_tls=False)
    with pytest.raises(UserError, match="access was refused"):
        await git.refs(server.url)
    await owner.close()


async def test_they_open_no_door_that_is_closed(owner: MirroredGit, server: GitServer) -> None:
    git = owner.of_repository(reach(server, Egress(parse_rules("*"))))
    with pytest.raises(UserError, match="EGRESS_ALLOW doesn't list it"):
        await git.refs(server.url)
    assert not server.asked
    await owner.close()


async def test_the_apps_token_goes_where_it_is_for(owner: MirroredGit, server: GitServer) -> None:
    """A repository of the same owner on GitHub has the App's, whatever the secret says."""
    shown: list[str] = []

    async def app(url: str) -> Credential:
        shown.append(url)
        return Credential("x-access-token", "precious")

    git = MirroredGit(owner._folder / "app", app, BOT, StandingClock())
    server_url = server.url.rpartition("/")[0]
    ours = reach(server, shown="wrong", repository="config.git/pipeline", github=server_url)
    assert (await git.of_repository(ours).refs(server.url)).default_branch == "main"
    assert set(shown) == {server.url}
    await git.close()
    await owner.close()
