"""What goes wrong: by whom it is told, to whom, and that no token is told with it."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts.git import Credential
from bot.core.egress import parse_rules
from bot.core.model import CommitSha
from bot.engine.http import OutboundHttp
from bot.errors import Broken, Retry, UserError
from bot.gitlab.forge import GitLabForge
from bot.sandbox.gitlab.model import State
from tests.gitlab.conftest import NOW, PATH, Lab, StandingClock

TOKEN = "glpat-do-not-tell-me"
Words = Callable[[BaseException], str]
Forged = Callable[..., Awaitable[GitLabForge]]


# --- tokens and roles ---------------------------------------------------------------------------------


async def test_without_a_token_it_is_told_where_to_put_it(lab: Lab) -> None:
    with pytest.raises(UserError) as refused:
        await lab.forge(None).pull(1)

    host = lab.sandbox.url.removeprefix("http://")
    for said in (f"https://oauth2:TOKEN@{host}", "`.git-credentials`", "`git`", "`api`"):
        assert said in str(refused.value)
    assert lab.sandbox.faults.calls == []


@pytest.mark.parametrize(
    ("user", "scopes", "said"),
    [
        ("towpath", ["read_api"], "may not open a merge request: it lacks the scope `api`"),
        ("towpath", ["read_repository"], "lacks the scope `api`"),
        ("reporter", ["api"], "may not open a merge request .403 Forbidden.; whose it is needs the role Developer"),
        ("stranger", ["api"], "knows no project acme/apps/shop, or the token may not see it"),
    ],
)
async def test_a_token_that_may_too_little(lab: Lab, words: Words, user: str, scopes: list[str], said: str) -> None:
    token = lab.sandbox.world.token(user, *scopes)

    with pytest.raises(UserError, match=said) as refused:
        await lab.forge(token).open_pull(lab.new())

    assert token not in words(refused.value)
    assert lab.project.requests == []


async def test_a_token_that_nobody_knows_or_that_was_revoked(lab: Lab, words: Words) -> None:
    revoked = lab.sandbox.world.token("towpath")
    lab.sandbox.world.revoke(revoked)

    for token, said in (("glpat-nobodys", "401 Unauthorized"), (revoked, "Token was revoked")):
        with pytest.raises(UserError, match=f"refuses the token .*{said}") as refused:
            await lab.forge(token).open_pull(lab.new())
        assert token not in words(refused.value)


async def test_no_such_project(lab: Lab) -> None:
    with pytest.raises(UserError, match="knows no project acme/none"):
        await lab.forge(url=f"{lab.sandbox.url}/acme/none").pull(1)


# --- what passes by itself ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry_After": "7"}, timedelta(seconds=7)),
        (429, {"RateLimit_Reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
        (429, {"RateLimit_Reset": "0"}, timedelta(seconds=1)),
        (429, {"Retry_After": "tomorrow"}, timedelta(minutes=1)),
        (429, {"Retry_After": "99999999"}, timedelta(hours=1)),
        (429, {}, timedelta(minutes=1)),
        (409, {}, timedelta(seconds=5)),  # "Resource lock"
        (500, {}, timedelta(seconds=30)),
        (502, {}, timedelta(seconds=30)),
        (503, {"Retry_After": "120"}, timedelta(minutes=2)),
    ],
)
async def test_limits_and_trouble_are_tried_again_later(
    lab: Lab, status: int, headers: dict[str, str], wait: timedelta
) -> None:
    lab.sandbox.faults.fail(status, **headers)

    with pytest.raises(Retry) as later:
        await lab.forge().open_pull(lab.new())

    assert later.value.at == NOW + wait
    assert (await lab.forge().open_pull(lab.new())).number == 1


@pytest.mark.parametrize("late", [False, True], ids=["not done", "done, but the answer is lost"])
@pytest.mark.parametrize("trains", [False, True])
async def test_trouble_at_any_call_leaves_one_merge_request_and_one_merge(lab: Lab, late: bool, trains: bool) -> None:
    """Each call in turn fails; who tries again comes through, and nothing is done twice."""
    lab.project.merge_trains_enabled = trains
    calls = 0
    for turn in range(30):
        lab.sandbox.faults.fail(502, after=turn, late=late)
        source = f"promotion/{turn}"
        await lab.push(f"a: {turn}\n", branch=source, path=f"{turn}.yaml")
        new = lab.new(source=source, labels=["promotion"], assignees=["writer"])
        try:
            opened = await lab.forge().open_pull(new)
            await lab.forge().merge_pull(opened.number, opened.head_sha, "")
        except Retry:
            opened = await lab.forge().open_pull(new) if not _landed(lab, turn) else await lab.forge().pull(turn + 1)
            await lab.forge().merge_pull(opened.number, opened.head_sha, "")
        else:
            calls = turn
            break
        lab.sandbox.faults.pending.clear()
        assert len(lab.project.requests) == turn + 1
        assert _landed(lab, turn)
    assert calls >= 7


def _landed(lab: Lab, turn: int) -> bool:
    requests = lab.project.requests[turn:]
    return bool(requests) and (requests[0].state is State.MERGED or bool(requests[0].car))


async def test_nobody_at_home(http: OutboundHttp) -> None:
    async def credentials(url: str) -> Credential:
        return Credential("oauth2", TOKEN)

    with pytest.raises(Retry, match="can't connect") as later:
        await GitLabForge(http, "http://127.0.0.1:9/acme/shop", credentials, StandingClock()).pull(1)

    assert later.value.at > NOW


# --- servers that are not as they should be -----------------------------------------------------------


@pytest.fixture
async def forged(http: OutboundHttp) -> AsyncIterator[Forged]:
    """A forge whose server answers everything in one way."""
    servers: list[TestServer] = []

    async def make(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> GitLabForge:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)

        async def credentials(url: str) -> Credential:
            return Credential("oauth2", TOKEN)

        return GitLabForge(http, f"{server.make_url('/')}acme/shop", credentials, StandingClock())

    yield make
    for server in servers:
        await server.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (200, b"<html>Sign in</html>", UserError, "is not GitLab's API"),
        (200, b"[" * 100_000, UserError, "is not GitLab's API"),
        (200, b"[]", Broken, "no project as documented"),
        (200, b'{"id": "x", "web_url": "https://gitlab.example.com"}', Broken, "no project as documented"),
        (401, b'{"error": ["a", {"b": "c"}]}', UserError, "refuses the token"),
        (403, b"", UserError, "may not read the project"),
        (404, b"null", UserError, "knows no project"),
        (418, b'{"message": {"a": ["b", "c"], "d": 1}}', Broken, "418: a b; c; d 1"),
    ],
)
async def test_answers_of_all_kinds(forged: Forged, status: int, body: bytes, kind: type[Exception], said: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    with pytest.raises(kind, match=said):
        await (await forged(answer)).pull(1)


async def test_a_server_that_says_the_token_back_is_not_quoted(
    forged: Forged, words: Words, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"message": f"got {request.headers['Authorization']}" * 50}, status=403)

    forge = await forged(echo)
    with pytest.raises(UserError) as refused:
        await forge.pull(1)

    assert TOKEN not in words(refused.value)
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(forge) + repr(vars(forge))
    assert len(str(refused.value)) < 1000


async def test_the_token_goes_to_no_other_server(forged: Forged, lab: Lab) -> None:
    seen: list[Any] = []

    async def other(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"message": "404 Not Found"}, status=404)

    elsewhere = (await forged(other))._address.origin.replace("127.0.0.1", "localhost")

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"{elsewhere}{request.path_qs}")

    async with OutboundHttp(rules=parse_rules("*, 127.0.0.0/8, ::1")) as http:
        forge = await forged(redirect)
        moved = GitLabForge(http, forge._address.url, forge._client.credentials, StandingClock())
        with pytest.raises(UserError):
            await moved.pull(1)

    assert seen == [None]


async def test_a_server_that_is_on_https_by_now_is_named_before_anything_is_written(http: OutboundHttp) -> None:
    """What it redirects is read, but never written: a redirected PUT or POST becomes a GET."""

    class Redirected:
        """HTTP, of which all ends up at the https server."""

        async def request(self, method: str, url: str, **more: Any) -> Any:
            return await http.request(method, f"{server}{urlsplit(url).path}", **more)

    async def project(request: web.Request) -> web.Response:
        return web.json_response({"id": 1, "web_url": "https://gitlab.example.com/acme/shop"})

    app = web.Application()
    app.router.add_get("/{path:.*}", project)
    running = TestServer(app)
    await running.start_server()
    server = str(running.make_url("")).rstrip("/")

    async def credentials(url: str) -> Credential:
        return Credential("oauth2", TOKEN)

    for port, kind, said in (
        ("", UserError, "is https://gitlab.example.com/acme/shop now; write that as repoURL"),
        (":8080", Broken, "no merge request as documented"),  # a way in beside the proxy: it redirects nothing
    ):
        forge = GitLabForge(Redirected(), f"http://gitlab.example.com{port}/acme/shop", credentials, StandingClock())
        with pytest.raises(kind, match=re.escape(said)):
            await forge.pull(1)
    await running.close()


async def test_where_settings_allow_no_way_there_it_is_told(lab: Lab) -> None:
    async def credentials(url: str) -> Credential:
        return Credential("oauth2", TOKEN)

    async with OutboundHttp(rules=parse_rules("*")) as closed:
        forge = GitLabForge(closed, f"{lab.sandbox.url}/{PATH}", credentials, StandingClock())
        with pytest.raises(UserError, match="is refused"):
            await forge.merge_pull(1, CommitSha("a" * 40), "")
