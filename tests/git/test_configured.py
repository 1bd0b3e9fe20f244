"""Git asked in another way: for names alone, and without verifying whose server it is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts.git import Credential
from bot.errors import UserError
from bot.git.client import MirroredGit
from tests.engine.test_http_tls import self_signed
from tests.git.conftest import BOT, Remote, StandingClock


@pytest.fixture
async def git(tmp_path: Path) -> AsyncIterator[MirroredGit]:
    async def token(_url: str) -> Credential:
        return Credential("x-access-token", "secret")

    made = MirroredGit(tmp_path / "git", token, BOT, StandingClock(), allow_file=True)
    yield made
    await made.close()


def kinds(git: Remote, folder: Path) -> set[str]:
    """The kinds of objects that a mirror holds."""
    (mirror,) = folder.glob("mirrors/*.git")
    batch = git.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)", cwd=mirror)
    return set(batch.splitlines())


async def test_who_asks_for_names_alone_gets_no_contents(git: MirroredGit, remote: Remote, tmp_path: Path) -> None:
    remote.git("config", "uploadpack.allowFilter", "true", cwd=remote.path)
    first = remote.write({"a/one.txt": "1"})
    remote.git("tag", "v1.0.0")
    remote.git("push", "-q", "origin", "v1.0.0")
    names = git.configured(contents=False)

    assert (await names.refs(remote.url)).heads["main"] == first
    second = remote.write({"a/two.txt": "2"})
    assert (await names.refs(remote.url)).heads["main"] == second

    assert [one.sha for one in await names.log(remote.url, second, paths=["a"])][:2] == [second, first]
    assert await names.changed_paths(remote.url, first, second) == ("a/two.txt",)
    assert set(await names.list_files(remote.url, second, "a")) == {"a/one.txt", "a/two.txt"}
    assert [tag.name for tag in await names.tags(remote.url)] == ["v1.0.0"]
    assert kinds(remote, tmp_path / "git" / "verified-names") == {"commit", "tree"}


async def test_where_there_is_a_whole_mirror_it_serves_for_names_as_well(
    git: MirroredGit, remote: Remote, tmp_path: Path
) -> None:
    sha = remote.write({"a.txt": "1"})
    assert await git.read(remote.url, sha, "a.txt") == b"1"

    names = git.configured(contents=False)
    newer = remote.write({"b.txt": "2"})
    assert (await names.refs(remote.url)).heads["main"] == newer

    assert not list((tmp_path / "git").glob("verified-names/mirrors/*"))
    assert (await git.read(remote.url, newer, "b.txt")) == b"2"
    assert git.configured() is git
    assert git.configured(contents=False) is names


async def test_what_lies_between_two_commits_is_asked_once(git: MirroredGit, remote: Remote, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    traced = MirroredGit(
        tmp_path / "traced",
        git._mirrors.credentials,
        BOT,
        StandingClock(),
        allow_file=True,
        environment={"GIT_TRACE": str(trace)},
    )
    first, second = remote.write({"a": "1"}), remote.write({"b": "2"})
    for _ in range(3):
        assert await traced.changed_paths(remote.url, first, second) == ("b",)
    assert trace.read_text().count("built-in: git diff-tree") == 1
    assert await traced.changed_paths(remote.url, "main", second) == ()
    third = remote.write({"c": "3"})
    await traced.refs(remote.url)
    assert await traced.changed_paths(remote.url, second, "main") == ("c",)
    assert await traced.changed_paths(remote.url, second, third) == ("c",)
    await traced.close()


async def test_an_unverified_server_is_asked_only_where_that_is_wanted_and_shown_nothing(
    git: MirroredGit, remote: Remote, tmp_path: Path
) -> None:
    """The files of a repository, as any web server can offer them (https://git-scm.com/docs/git-update-server-info)."""
    shown: list[str] = []

    async def file(request: web.Request) -> web.StreamResponse:
        shown.append(request.headers.get("Authorization", ""))
        path = remote.path / request.match_info["path"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    sha = remote.write({"a.txt": "1"})
    remote.git("update-server-info", cwd=remote.path)
    app = web.Application()
    app.router.add_get("/acme/library.git/{path:.*}", file)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=self_signed(tmp_path))
    url = str(server.make_url("/acme/library.git"))
    try:
        with pytest.raises(UserError, match="certificate is not trusted"):
            await git.refs(url)
        assert not shown
        unverified = git.configured(verify_tls=False)
        assert (await unverified.refs(url)).heads["main"] == sha
        assert await unverified.read(url, sha, "a.txt") == b"1"
        assert set(shown) == {""}
        with pytest.raises(UserError, match="certificate is not trusted"):  # what came unverified is nobody else's
            await git.read(url, sha, "a.txt")
    finally:
        await server.close()


async def test_many_who_ask_at_once_cost_two_questions_and_get_answers_no_older_than_they(
    git: MirroredGit, remote: Remote, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    environment = {"GIT_TRACE": str(trace)}
    traced = MirroredGit(
        tmp_path / "traced", git._mirrors.credentials, BOT, StandingClock(), allow_file=True, environment=environment
    )
    remote.write({"a": "1"})
    await traced.refs(remote.url)
    trace.write_text("")

    first = asyncio.create_task(traced.refs(remote.url))
    while "ls-remote" not in trace.read_text():  # noqa: ASYNC110 -- another program's doing is only seen by looking
        await asyncio.sleep(0)
    newest = remote.write({"b": "2"})
    later = [asyncio.create_task(traced.refs(remote.url)) for _ in range(20)]

    assert {(await one).heads["main"] for one in later} == {newest}
    await first
    assert trace.read_text().count("built-in: git ls-remote") == 2
    with pytest.raises(UserError):
        await asyncio.gather(*(traced.refs(f"file://{tmp_path}/nothing.git") for _ in range(3)))
    assert not traced._mirrors._asking._waiting
    await traced.close()


async def test_an_address_that_is_refused_is_not_asked_unverified_either(tmp_path: Path) -> None:
    async def refuse(url: str) -> Credential | None:
        raise UserError(f"{url} is not to be asked")

    git = MirroredGit(tmp_path / "git", refuse, BOT, StandingClock())
    for variant in (git, git.configured(verify_tls=False), git.configured(contents=False)):
        with pytest.raises(UserError, match="is not to be asked"):
            await variant.refs("https://127.0.0.1:9/acme/library.git")
