"""Calls: what is sent, what is obeyed, what is tried again, and what comes out when nothing helps."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Broken, Retry
from bot.github.client import API_VERSION, Calls, Client, Refused
from bot.github.limits import Pace
from bot.github.routes import Route

THING = Route("GET", "/thing/{name}{?page,per_page}")
THINGS = Route("GET", "/things{?per_page}")
CHANGE = Route("PATCH", "/thing/{name}")
CREATE = Route("POST", "/things", repeatable=False)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Tokens:
    """Credentials whose tokens are counted."""

    def __init__(self):
        self.given = 1
        self.refusals = []

    async def token(self):
        return f"token-{self.given}"

    def refused(self, token):
        self.refusals.append(token)
        self.given += 1


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def calls():
    return Calls()


@pytest.fixture
def client(github, session, tokens, clock, calls):
    return Client(
        session,
        tokens,
        name="installation 42",
        base_url=github.url,
        pace=Pace(timedelta(0)),
        clock=clock,
        calls=calls,
        retry_delays=(0.0, 0.0),
    )


async def test_a_call_says_who_asks_and_in_which_version(client, github):
    github.on("GET /thing/a b/c?", {"ok": True})
    assert await client.call(THING, name="a b/c?") == {"ok": True}
    (request,) = github.requests
    assert request.headers["user-agent"] == "towpath"
    assert request.headers["x-github-api-version"] == API_VERSION
    assert request.headers["accept"] == "application/vnd.github.v3+json"
    assert request.token == "token-1"


@pytest.mark.parametrize("name", ["..", "."])
async def test_no_name_leads_out_of_its_route(client, github, name):
    with pytest.raises(Broken, match="leads away"):
        await client.call(THING, name=name)
    assert github.requests == []


async def test_a_renamed_repository_is_followed_with_the_same_method(client, github):
    github.on("PATCH /thing/old", status=307, location="/api/v3/thing/new")
    github.on("PATCH /thing/new", {"ok": True})
    assert await client.call(CHANGE, {"a": 1}, name="old") == {"ok": True}
    assert [request.body for request in github.requests] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("place", ["https://evil.example/api/v3/thing/new", "/elsewhere", "//evil.example/x"])
async def test_no_redirect_takes_the_token_elsewhere(client, github, place):
    github.on("GET /thing/old", status=301, location=place)
    with pytest.raises(Broken, match="leads away"):
        await client.call(THING, name="old")
    assert len(github.requests) == 1


async def test_redirects_come_to_an_end(client, github):
    github.on("GET /thing/old", status=302, location="/api/v3/thing/old")
    with pytest.raises(Broken, match="redirects more than"):
        await client.call(THING, name="old")


async def test_lists_are_read_to_their_last_page_and_links_lead_nowhere_else(client, github):
    github.on("GET /things", {"total_count": 3, "items": [1, 2]}, link='<https://evil.example/x?page=2>; rel="next"')
    github.on("GET /things", {"total_count": 3, "items": [3]})
    assert await client.pages(THINGS, "items") == [1, 2, 3]
    assert [request.query for request in github.requests] == [{"per_page": "100"}, {"page": "2"}]


async def test_reading_stops_when_there_is_enough(client, github):
    github.on("GET /things", [1, 2], link='<http://x/things?page=2>; rel="next"')
    assert await client.pages(THINGS, enough=lambda items: len(items) >= 2) == [1, 2]
    assert len(github.requests) == 1


async def test_a_list_that_is_none_is_told(client, github):
    github.on("GET /things", {"message": "hello"})
    with pytest.raises(Broken, match="holds no list"):
        await client.pages(THINGS, "items")


async def test_what_did_not_change_is_not_sent_again(client, github, calls):
    github.on("GET /thing/a", {"n": 1}, etag='"1"')
    assert [await client.call(THING, name="a") for _ in range(3)] == [{"n": 1}] * 3
    assert [request.headers.get("if-none-match") for request in github.requests] == [None, '"1"', '"1"']
    assert calls.by_status() == {200: 1, 304: 2}


async def test_calls_are_counted_by_route(client, github, calls):
    github.on("GET /thing/a", {})
    await client.call(THING, name="a")
    with pytest.raises(Refused):
        await client.call(THING, name="b")
    assert calls.by_route() == {"GET /thing/{name}": 2}
    assert calls.by_status() == {200: 1, 404: 1}
    assert calls.total == 2


async def test_a_refusal_tells_where_and_what_github_said(client, github):
    github.on("POST /things", {"message": "Validation Failed", "errors": [{"message": "no such head"}]}, status=422)
    with pytest.raises(Refused, match="POST /api/v3/things: GitHub answered 422: Validation Failed: 'no such head'"):
        await client.call(CREATE, {})


async def test_a_missing_permission_is_named(client, github):
    github.on(
        "POST /things",
        {"message": "Resource not accessible by integration"},
        status=403,
        x_accepted_github_permissions="checks=write",
    )
    with pytest.raises(Refused, match="it wants the permission checks=write"):
        await client.call(CREATE, {})


async def test_a_token_that_is_refused_is_replaced_once(client, github, tokens):
    github.on("POST /things", {"message": "Bad credentials"}, status=401)
    github.on("POST /things", {"id": 1}, status=201)
    assert await client.call(CREATE, {}) == {"id": 1}
    assert [request.token for request in github.requests] == ["token-1", "token-2"]
    github.on("GET /thing/a", {"message": "Bad credentials"}, status=401)
    with pytest.raises(Refused, match="401: Bad credentials"):
        await client.call(THING, name="a")
    assert tokens.refusals == ["token-1", "token-2"]


@pytest.mark.parametrize("status", [500, 502, 503, 520, 599])
async def test_a_server_in_trouble_is_asked_again_shortly_and_then_later(client, github, clock, status):
    github.on("GET /thing/a", {"message": "oh"}, status=status)
    github.on("GET /thing/a", b"<html>", status=status, content_type="text/html")
    github.on("GET /thing/a", {"ok": True})
    assert await client.call(THING, name="a") == {"ok": True}
    github.on("PATCH /thing/a", {}, status=status)
    with pytest.raises(Retry) as caught:
        await client.call(CHANGE, {}, name="a")
    assert caught.value.at == clock.now() + timedelta(seconds=30)
    assert len(github.sent("PATCH /thing/a")) == 3


@pytest.mark.parametrize("status", [0, 502])
async def test_what_may_have_happened_is_not_done_again(client, github, status):
    github.on("POST /things", {}, status=status)
    with pytest.raises(Retry):
        await client.call(CREATE, {})
    assert len(github.requests) == 1


async def test_a_broken_connection_is_tried_again_and_told(client, github, calls):
    for _ in range(2):  # aiohttp itself tries a second time
        github.on("GET /thing/a", status=0)
    github.on("GET /thing/a", {"ok": True})
    assert await client.call(THING, name="a") == {"ok": True}
    assert calls.by_status() == {0: 1, 200: 1}


async def test_nobody_listening_is_told_without_the_token(client, github):
    await github.server.close()
    with pytest.raises(Retry, match="POST /api/v3/things: no answer from GitHub") as caught:
        await client.call(CREATE, {})
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": 1', b"[" * 100_000])
async def test_an_answer_that_cannot_be_read_is_tried_again_later(client, github, body):
    github.on("GET /thing/a", body, content_type="application/json")
    with pytest.raises(Retry, match="can't be read"):
        await client.call(THING, name="a")


async def test_a_limit_stops_everybody_until_its_time(client, github, clock):
    github.on("GET /thing/a", {"message": "slow down"}, status=429, retry_after="120")
    github.on("GET /thing/a", {"ok": True})
    for _ in range(3):
        with pytest.raises(Retry) as caught:
            await client.call(THING, name="a")
        assert caught.value.at == NOW + timedelta(seconds=121)
    assert len(github.requests) == 1
    clock.pass_by(seconds=122)
    assert await client.call(THING, name="a") == {"ok": True}


async def test_a_secondary_limit_without_a_time_doubles_the_wait(client, github, clock):
    github.on("GET /thing/a", {"message": "You have exceeded a secondary rate limit."}, status=403)
    waits = []
    for _ in range(8):
        with pytest.raises(Retry) as caught:
            await client.call(THING, name="a")
        waits.append((caught.value.at - clock.now()).total_seconds() / 60)
        clock.time = caught.value.at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.fixture
def slow_writer(github, session, tokens, clock, calls):
    """A client whose writes are 80 ms apart."""
    pace = Pace(timedelta(milliseconds=80))
    return Client(
        session,
        tokens,
        name="x",
        base_url=github.url,
        pace=pace,
        clock=clock,
        calls=calls,
        retry_delays=(),
    )


async def test_writes_keep_their_distance_and_their_order(slow_writer, github):
    github.on("POST /things", {})
    github.on("GET /things", [])
    begin = time.monotonic()
    writes = [slow_writer.call(CREATE, {"n": n}) for n in range(4)]
    await asyncio.gather(*writes, *(slow_writer.pages(THINGS) for _ in range(9)))
    assert time.monotonic() - begin >= 3 * 0.08
    assert [request.body["n"] for request in github.sent("POST /things")] == [0, 1, 2, 3]


async def test_writes_that_wait_in_line_stop_at_a_limit(slow_writer, github):
    github.on("POST /things", {"message": "slow down"}, status=429, retry_after="60")
    outcomes = await asyncio.gather(*(slow_writer.call(CREATE, {}) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [Retry] * 4
    assert len(github.requests) == 1
