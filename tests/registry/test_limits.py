"""Registries that count: pulls are spread before they run out, and the rest goes on."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Retry
from bot.registry import Credentials, RegistryClient, nobody
from bot.registry.limits import Limits, read_allowance

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def headers(remaining, limit=100, window=21600):
    return {"ratelimit-limit": f"{limit};w={window}", "ratelimit-remaining": f"{remaining};w={window}"}


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ({}, None),
        ({"ratelimit-limit": "100;w=21600"}, None),
        ({"ratelimit-remaining": "1;w=21600"}, None),
        ({"ratelimit-limit": "many", "ratelimit-remaining": "few"}, None),
        ({"ratelimit-limit": "0;w=21600", "ratelimit-remaining": "0;w=21600"}, None),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "1"}, None),
        (headers(100), 0),
        (headers(11), 0),
        (headers(10), 216),
        (headers(0), 216),
        ({"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "3"}, 216),
        (headers(0, limit=1, window=999_999_999), 3600),
        (headers(1, limit=999_999_999, window=1), 1),
    ],
)
def test_pulls_are_spread_once_a_tenth_is_left(told, pause):
    allowance = read_allowance(told)
    assert (allowance.pause.total_seconds() if allowance else None) == pause


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_headers_are_read_or_passed_over(limit, remaining):
    limits = Limits()
    limits.note(("ghcr.io", ""), {"ratelimit-limit": limit, "ratelimit-remaining": remaining}, NOW)
    limits.limited(("ghcr.io", ""), {"Retry-After": limit, "ratelimit-limit": remaining}, NOW)


class Hub:
    """A registry of images `1.0.N` that counts manifests fetched as Docker Hub does: in `remaining`."""

    def __init__(self):
        self.remaining, self.asked = 100, []
        application = web.Application()
        application.router.add_route("*", "/v2/acme/service/manifests/{tag}", self.manifest)
        application.router.add_get("/v2/acme/service/tags/list", self.tags)
        self.server = TestServer(application)

    @property
    def url(self):
        return f"127.0.0.1:{self.server.port}/acme/service"

    async def tags(self, request):
        return web.json_response({"tags": ["1.0.0", "1.0.1"]})

    async def manifest(self, request):
        self.asked.append(f"{request.method} {request.match_info['tag']}")
        if request.method == "GET":
            self.remaining -= 1
        body = json.dumps({"config": {"digest": "sha256:" + "0" * 64}, "of": request.match_info["tag"]}).encode()
        digest = {"Docker-Content-Digest": f"sha256:{hashlib.sha256(body).hexdigest()}"}
        if self.remaining < 0:
            return web.json_response({}, status=429, headers=headers(0))
        return web.Response(body=body, headers=digest | headers(self.remaining))


@pytest.fixture
async def hub():
    made = Hub()
    async with made.server:
        yield made


async def test_pulls_nearly_used_up_are_made_slowly_and_said_so(hub, session, clock):
    client = RegistryClient(session, clock, nobody)
    hub.remaining = 11
    assert await client.image(hub.url, "1.0.0", dates=False)
    with pytest.raises(
        Retry, match="allows this address 10 more of 100 pulls in 6 h, so new images are looked"
    ) as told:
        await client.image(hub.url, "1.0.1", dates=False)
    assert told.value.at == clock.now() + timedelta(seconds=216)
    # What is no pull goes on: the list, and whether a tag moved.
    assert await client.tags(hub.url) == ("1.0.0", "1.0.1")
    assert await client.image(hub.url, "1.0.0", dates=False)
    assert hub.asked == ["GET 1.0.0", "HEAD 1.0.0"]

    clock.time += timedelta(seconds=432)
    assert await client.image(hub.url, "1.0.1", dates=False)
    hub.remaining = 80
    await client.digest(hub.url, "1.0.0")
    assert await client.image(hub.url, "1.0.2", dates=False)


async def test_one_account_at_its_limit_keeps_no_other_waiting(hub, session, clock):
    async def known(_address):
        return Credentials("reader", "secret")

    client = RegistryClient(session, clock, nobody)
    hub.remaining = 0
    with pytest.raises(Retry, match="limits requests") as told:
        await client.image(hub.url, "1.0.0")
    # Without Retry-After, as long as it takes until there is a pull again.
    assert told.value.at == clock.now() + timedelta(seconds=216)
    hub.remaining = 100
    with pytest.raises(Retry, match="limits requests"):
        await client.tags(hub.url)
    assert await client.with_credentials(known).image(hub.url, "1.0.0", dates=False)


async def test_where_pulls_are_counted_a_new_tag_of_a_known_image_is_none(clock):
    """Docker Hub itself is played by this machine, under its name."""
    asked = []

    async def answer(request):
        asked.append(f"{request.method} {request.path}")
        body = b'{"config": {"digest": "sha256:' + b"0" * 64 + b'"}}'
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        return web.Response(body=body, headers={"Docker-Content-Digest": digest})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server, aiohttp.ClientSession(connector=Detour(server.port)) as session:
        client = RegistryClient(session, clock, nobody)
        for tag in ("1.0.0", "1.0", "1"):
            assert await client.image("acme/service", tag, dates=False)
    pulls = [one for one in asked if one.startswith("GET")]
    assert len(pulls) == 1
    assert len(asked) == 4


class Detour(aiohttp.TCPConnector):
    """Every https address leads to a port of this machine, in plain."""

    def __init__(self, port):
        super().__init__()
        self._port = port

    async def connect(self, req, *more, **named):
        req.url = req.url.with_scheme("http").with_host("127.0.0.1").with_port(self._port)
        return await super().connect(req, *more, **named)


async def test_asking_stays_bounded_while_one_waits(hub, session, clock):
    client = RegistryClient(session, clock, nobody, concurrency=2)
    hub.remaining = 5
    results = await asyncio.gather(
        *(client.image(hub.url, f"1.0.{number}", dates=False) for number in range(20)), return_exceptions=True
    )
    # Those under way when the registry told how few are left, and no more.
    assert len([one for one in results if not isinstance(one, Retry)]) == len(hub.asked) <= 2
