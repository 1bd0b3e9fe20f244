"""One client for many repositories: nobody sees by another's login, and identity tokens are exchanged as specified."""

import asyncio
import hashlib
import json
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import UserError
from bot.registry import Credentials, RegistryClient, nobody

CONFIG = json.dumps({"created": "2026-01-01T00:00:00Z", "os": "linux", "architecture": "amd64"}).encode()
MANIFEST = json.dumps({"config": {"digest": f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"}}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
ALICE, BOB = Credentials("alice", "a-password"), Credentials("bob", "b-password")
WITH_TOKEN = Credentials("", "", "identity&token")


class PrivateRegistry:
    """A registry with one image that those see whom its token service gives a token; charts are by Basic."""

    def __init__(self):
        self.let_in, self.sent, self.exchanged = {ALICE.basic}, [], []
        self.token_redirect = ""
        application = web.Application()
        application.router.add_route("*", "/token", self.token)
        application.router.add_get("/charts/index.yaml", self.index)
        application.router.add_route("*", "/v2/acme/service/{kind}/{name}", self.answer)
        self.server = TestServer(application)

    @property
    def url(self):
        return f"127.0.0.1:{self.server.port}/acme/service"

    async def token(self, request):
        if self.token_redirect:
            return web.Response(status=307, headers={"Location": self.token_redirect})
        if request.method == "POST":
            form = dict(await request.post())
            self.exchanged.append((form, request.headers.get("Authorization", "")))
            known = form.get("refresh_token") == WITH_TOKEN.identity_token
        else:
            known = request.headers.get("Authorization") in self.let_in
        if not known:
            return web.json_response({}, status=401)
        return web.json_response({"access_token": "entry", "expires_in": 300, "refresh_token": "another"})

    async def answer(self, request):
        kind, name = request.match_info["kind"], request.match_info["name"]
        self.sent.append(f"{request.method} {kind}/{name[:12]}")
        if request.headers.get("Authorization") != "Bearer entry":
            challenge = (
                f'Bearer realm="http://{request.host}/token",service="here",scope="repository:acme/service:pull"'
            )
            return web.json_response({}, status=401, headers={"WWW-Authenticate": challenge})
        if kind == "tags":
            return web.json_response({"tags": ["1.0.0"]})
        body = CONFIG if kind == "blobs" else MANIFEST
        return web.Response(body=body, headers={"Docker-Content-Digest": DIGEST} if kind == "manifests" else {})

    async def index(self, request):
        if request.headers.get("Authorization") != ALICE.basic:
            return web.Response(status=401)
        headers = {"ETag": '"1"'}
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304, headers=headers)
        return web.Response(text="entries:\n  service:\n  - version: 1.0.0\n", headers=headers)


@pytest.fixture
async def private():
    made = PrivateRegistry()
    async with made.server:
        yield made


def of(credentials):
    async def find(_address):
        return credentials

    return find


@pytest.fixture
def views(session, clock):
    """The same client, as the repositories of Alice, Bob and somebody without a login have it."""
    client = RegistryClient(session, clock, nobody)
    return tuple(client.with_credentials(of(one)) for one in (ALICE, BOB, None))


async def test_what_one_account_was_shown_another_is_not(private, views):
    alice, *others = views
    seen = await alice.image(private.url, "1.0.0")
    assert (await alice.describe(private.url, DIGEST), await alice.tags(private.url)) == (seen, ("1.0.0",))
    for other in others:
        for ask in (
            lambda client: client.image(private.url, "1.0.0"),
            lambda client: client.describe(private.url, DIGEST),
            lambda client: client.configured(immutable_tags=True).image(private.url, "1.0.0"),
            lambda client: client.configured(immutable_tags=True).digest(private.url, "1.0.0"),
            lambda client: client.tags(private.url),
        ):
            with pytest.raises(UserError, match="refuses to let us read it, status 401"):
                await ask(other)


async def test_the_chart_that_one_account_was_shown_another_is_not(private, views):
    url = f"http://{private.url.partition('/')[0]}/charts"
    alice, *others = views
    for _ in range(2):
        assert await alice.chart_versions(url, "service") == ("1.0.0",)
    for other in others:
        with pytest.raises(UserError, match=r"answered 401 for index\.yaml"):
            await other.chart_versions(url, "service")


async def test_two_repositories_with_the_same_login_share_what_is_known(private, session, clock):
    client = RegistryClient(session, clock, nobody)
    first, second = (client.with_credentials(of(Credentials("alice", "a-password"))) for _ in range(2))
    seen = await first.image(private.url, "1.0.0")
    private.sent.clear()
    assert await second.image(private.url, "1.0.0") == seen
    assert private.sent == ["HEAD manifests/1.0.0"]


async def test_a_login_that_changes_counts_at_once(private, session, clock):
    current = [BOB]

    async def find(_address):
        return current[0]

    client = RegistryClient(session, clock, find)
    with pytest.raises(UserError, match="refuses"):
        await client.tags(private.url)
    current[0] = ALICE
    assert await client.tags(private.url) == ("1.0.0",)
    current[0] = BOB
    with pytest.raises(UserError, match="refuses"):
        await client.tags(private.url)


async def test_an_identity_token_is_exchanged_for_a_token_that_is_kept(private, session, clock):
    client = RegistryClient(session, clock, of(WITH_TOKEN))
    for _ in range(2):
        assert await client.tags(private.url) == ("1.0.0",)
    form = {
        "grant_type": "refresh_token",
        "service": "here",
        "client_id": "towpath",
        "scope": "repository:acme/service:pull",
        "refresh_token": "identity&token",
    }
    assert private.exchanged == [(form, "")]
    clock.time += timedelta(seconds=271)
    await client.tags(private.url)
    assert len(private.exchanged) == 2


async def test_an_identity_token_follows_no_redirect_and_is_not_quoted(private, session, clock):
    private.token_redirect = f"http://{private.url.partition('/')[0]}/elsewhere"
    with pytest.raises(UserError, match="redirects what may hold a secret") as caught:
        await RegistryClient(session, clock, of(WITH_TOKEN)).tags(private.url)
    assert "identity" not in str(caught.value)


async def test_an_identity_token_that_is_not_taken_is_said_so(private, session, clock):
    refused = Credentials("", "", "identity-of-yesterday")
    with pytest.raises(UserError, match=r"Towpath's credentials for 127\.0\.0\.1.* are right") as caught:
        await RegistryClient(session, clock, of(refused)).tags(private.url)
    assert "yesterday" not in str(caught.value)


async def test_many_tags_of_one_image_take_one_config(private, views):
    tags = ["1.0.0", "1.0", "1", "latest"]
    found = await asyncio.gather(*(views[0].image(private.url, tag) for tag in tags))
    assert {one.digest for one in found} == {DIGEST}
    assert len([one for one in private.sent if one.startswith("GET blobs")]) == 1
    assert await views[0].describe(private.url, DIGEST, dates=False) == found[0]
