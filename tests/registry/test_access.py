"""Who is let in, with what, and where credentials never go."""

import asyncio
import base64
import re
import ssl
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.core.egress import parse_rules
from bot.core.urls import RegistryAddress
from bot.engine.egress import guarded_session
from bot.errors import UserError
from bot.registry import Credentials, RegistryClient
from bot.registry.access import Entrance, advice
from bot.registry.challenge import Challenge, challenges

KNOWN = Credentials("reader", "secret-password")


class Stub:
    """A registry that keeps what it was sent. `tokens` are those it takes; none: everybody is let in."""

    def __init__(self):
        self.seen, self.asked, self.tokens = [], [], {"token-1"}
        self.token_answer = lambda: web.json_response({"token": "token-1", "expires_in": 300})
        self.challenge = 'Bearer realm="{origin}/token",service="registry",scope="repository:acme/service:pull"'
        self.redirect = ""
        application = web.Application()
        application.router.add_get("/token", self.token)
        application.router.add_route("*", "/{path:.*}", self.answer)
        self.server = TestServer(application)

    @property
    def host(self):
        return f"127.0.0.1:{self.server.port}"

    async def token(self, request):
        self.asked.append((request.headers.get("Authorization", ""), dict(request.query)))
        return self.token_answer()

    async def answer(self, request):
        authorization = request.headers.get("Authorization", "")
        self.seen.append((request.path, authorization))
        if self.tokens and authorization.removeprefix("Bearer ") not in self.tokens:
            challenge = self.challenge.format(origin=f"http://{self.host}")
            return web.json_response({}, status=401, headers={"WWW-Authenticate": challenge})
        if self.redirect:
            return web.Response(status=307, headers={"Location": self.redirect})
        return web.json_response({"tags": ["1.0.0"], "entries": {"service": [{"version": "1.0.0"}]}})


@pytest.fixture
async def stub():
    made = Stub()
    async with made.server:
        yield made


@pytest.fixture
async def other():
    made = Stub()
    made.tokens = set()
    async with made.server:
        yield made


def reading(session, clock, credentials=None, **options):
    async def find(_address):
        return credentials

    return RegistryClient(session, clock, find, **options)


async def test_an_anonymous_token_is_fetched_once_and_kept(stub, session, clock):
    client = reading(session, clock)
    for _ in range(3):
        assert await client.tags(f"{stub.host}/acme/service") == ("1.0.0",)
    assert stub.asked == [("", {"service": "registry", "scope": "repository:acme/service:pull"})]
    assert [authorization for _, authorization in stub.seen] == [
        "",
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-1",
    ]


async def test_credentials_go_to_the_token_service_only(stub, session, clock):
    client = reading(session, clock, KNOWN)
    await client.tags(f"{stub.host}/acme/service")
    assert [authorization for authorization, _ in stub.asked] == [KNOWN.basic]
    assert all("Basic" not in authorization for _, authorization in stub.seen)


async def test_a_token_is_renewed_before_it_lapses(stub, session, clock):
    client = reading(session, clock)
    await client.tags(f"{stub.host}/acme/service")
    clock.time += timedelta(seconds=269)
    await client.tags(f"{stub.host}/acme/service")
    assert len(stub.asked) == 1
    clock.time += timedelta(seconds=2)
    await client.tags(f"{stub.host}/acme/service")
    assert len(stub.asked) == 2


async def test_a_token_that_is_no_longer_taken_is_replaced(stub, session, clock):
    client = reading(session, clock)
    await client.tags(f"{stub.host}/acme/service")
    stub.tokens = {"token-2"}
    stub.token_answer = lambda: web.json_response({"access_token": "token-2"})
    assert await client.tags(f"{stub.host}/acme/service") == ("1.0.0",)
    assert len(stub.asked) == 2


async def test_basic_credentials_are_sent_when_asked_for(stub, session, clock):
    stub.challenge = 'Basic realm="registry"'
    stub.tokens = {KNOWN.basic}
    client = reading(session, clock, KNOWN)
    for _ in range(2):
        assert await client.tags(f"{stub.host}/acme/service") == ("1.0.0",)
    assert [authorization for _, authorization in stub.seen] == ["", KNOWN.basic, KNOWN.basic]


@pytest.mark.parametrize(
    ("challenge", "credentials", "message"),
    [
        ('Basic realm="registry"', None, "refuses .* status 401.*give Towpath credentials for 127.0.0.1"),
        ('Basic realm="registry"', KNOWN, "Check the name, and that Towpath's credentials"),
        ("Negotiate", KNOWN, "a login of a kind that registries do not use"),
        ("", KNOWN, "a login of a kind that registries do not use"),
        ('Bearer realm="http://example.com/token"', KNOWN, "not an https address"),
        ('Bearer realm="file:///etc/passwd"', KNOWN, "not an https address"),
        ('Bearer realm="/token"', KNOWN, "not an https address"),
        ("Bearer service=x", KNOWN, "not an https address"),
        ('Bearer realm="http://[::1"', KNOWN, "not an https address"),
    ],
)
async def test_who_is_not_let_in_is_told_why(stub, session, clock, challenge, credentials, message):
    stub.challenge, stub.tokens = challenge, {"nobody has this"}
    with pytest.raises(UserError, match=message) as caught:
        await reading(session, clock, credentials).tags(f"{stub.host}/acme/service")
    assert "secret-password" not in str(caught.value)
    assert str(caught.value).startswith(f"{stub.host}/acme/service: ")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            lambda: web.json_response({"errors": [{"code": "DENIED", "message": "no `@all`"}]}, status=403),
            r"DENIED: no all",
        ),
        (lambda: web.json_response({}, status=401), "status 401"),
        (lambda: web.json_response({}), "gave no token"),
        (lambda: web.json_response([]), "gave no token"),
        (lambda: web.json_response({"token": "a\r\nX: y"}), "can't be sent"),
        (lambda: web.json_response({"token": "t", "expires_in": "soon"}), "gave no token"),
        (lambda: web.Response(text="<html>"), "gave no token"),
        (lambda: web.Response(body=b" " * (1 << 21)), "larger than 1,048,576 bytes"),
    ],
)
async def test_a_token_service_that_gives_no_token_is_named(stub, session, clock, answer, message):
    stub.token_answer = answer
    with pytest.raises(UserError, match=message):
        await reading(session, clock, KNOWN).tags(f"{stub.host}/acme/service")


async def test_a_token_that_gives_no_entry_is_not_asked_for_for_ever(stub, session, clock):
    stub.tokens = {"another"}
    with pytest.raises(UserError, match="refuses"):
        await reading(session, clock).tags(f"{stub.host}/acme/service")
    assert (len(stub.asked), len(stub.seen)) == (1, 2)


async def test_credentials_do_not_follow_a_redirect_to_another_place(stub, other, session, clock):
    stub.redirect = f"http://{other.host}/elsewhere"
    assert await reading(session, clock, KNOWN).tags(f"{stub.host}/acme/service") == ("1.0.0",)
    assert other.seen == [("/elsewhere", "")]
    assert other.asked == []


async def test_a_redirect_within_the_registry_keeps_them(stub, session, clock):
    stub.redirect = "/loop"
    with pytest.raises(UserError, match="redirects in circles"):
        await reading(session, clock).tags(f"{stub.host}/acme/service")
    assert stub.seen[-1] == ("/loop", "Bearer token-1")
    assert len(stub.seen) == 1 + 6


@pytest.mark.parametrize(
    "target", ["http://example.com/x", "file:///etc/passwd", "gopher://x", "http://[::1", "https://"]
)
async def test_a_redirect_to_an_unsafe_place_is_not_followed(stub, session, clock, target):
    stub.redirect = target
    with pytest.raises(UserError, match="not a safe address"):
        await reading(session, clock).tags(f"{stub.host}/acme/service")


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "[::1]:5000"])
async def test_where_connections_are_refused_the_repository_is_named(clock, host):
    async with guarded_session(parse_rules("*")) as guarded:
        with pytest.raises(UserError, match=f"^{re.escape(host)}/acme/service: requests to .* are refused"):
            await reading(guarded, clock).tags(f"{host}/acme/service")


async def test_a_redirect_to_where_connections_are_refused_is_not_followed(stub, clock):
    stub.redirect = "https://169.254.169.254/latest/meta-data"
    async with guarded_session(parse_rules("*,127.0.0.0/8")) as guarded:
        with pytest.raises(UserError, match=r'acme/service: requests to "169\.254\.169\.254" are refused'):
            await reading(guarded, clock).tags(f"{stub.host}/acme/service")


async def test_many_calls_at_once_ask_for_one_token(stub, session, clock):
    client = reading(session, clock)
    found = await asyncio.gather(*(client.tags(f"{stub.host}/acme/service") for _ in range(20)))
    assert found == [("1.0.0",)] * 20
    assert len(stub.asked) == 1


def test_private_packages_of_github_are_explained():
    place = RegistryAddress("ghcr.io", "acme/service")
    for credentials in (None, KNOWN):
        told = advice(Entrance(place, credentials))
        assert "can't be read with a GitHub App's token" in told
        assert "classic personal access token with the scope read:packages" in told
        assert "in the key .dockerconfigjson of this repository's secret 'registry'" in told
        assert ("those it has are not taken" in told) is (credentials is not None)


def test_credentials_are_not_shown():
    assert "secret-password" not in repr(KNOWN)
    assert base64.b64decode(KNOWN.basic.removeprefix("Basic ")) == b"reader:secret-password"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ()),
        ([""], ()),
        (
            [
                'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'
            ],
            (
                Challenge(
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:a/b:pull,push",
                    },
                ),
            ),
        ),
        (["Basic realm=registry"], (Challenge("basic", {"realm": "registry"}),)),
        (['BASIC Realm="a \\"b\\""'], (Challenge("basic", {"realm": 'a "b"'}),)),
        (
            ['Negotiate, Basic realm="x", Bearer realm = "y" , error="z"'],
            (
                Challenge("negotiate"),
                Challenge("basic", {"realm": "x"}),
                Challenge("bearer", {"realm": "y", "error": "z"}),
            ),
        ),
        (
            ["Basic realm=x", "Bearer realm=y"],
            (Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y"})),
        ),
        (["=,=,"], ()),
    ],
)
def test_challenges_are_read(headers, expected):
    assert challenges(headers) == expected


async def test_what_was_said_without_a_certificate_is_forgotten_by_who_wants_one(clock, tls_stub):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Nearby())) as near:
        client = reading(near, clock)
        url = f"registry.test:{tls_stub.port}/acme/service"
        careless = client.configured(verify_tls=False, immutable_tags=True)
        assert await careless.digest(url, "1.0.0") == await careless.digest(url, "1.0.0")
        with pytest.raises(UserError, match="is not trusted"):
            await client.configured(immutable_tags=True).digest(url, "1.0.0")


async def test_a_registry_with_an_untrusted_certificate_is_read_only_if_so_configured(session, clock, tls_stub):
    client = reading(session, clock)
    url = f"registry.test:{tls_stub.port}/acme/service"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Nearby())) as near:
        client = reading(near, clock)
        with pytest.raises(UserError, match=r"certificate of registry.test:.* is not trusted"):
            await client.tags(url)
        assert await client.configured(verify_tls=False).tags(url) == ("1.0.0",)
        charts = f"https://registry.test:{tls_stub.port}/charts"
        with pytest.raises(UserError, match=r"certificate of registry.test:.* is not trusted.*insecureSkipTLSVerify"):
            await client.chart_versions(charts, "service")
        assert await client.configured(verify_tls=False).chart_versions(charts, "service") == ("1.0.0",)


class Nearby(aiohttp.abc.AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host, port=0, family=0):
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    async def close(self):
        pass


@pytest.fixture
async def tls_stub(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry.test")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    made = Stub()
    made.tokens = set()
    made.server = TestServer(made.server.app, scheme="https")
    await made.server.start_server(ssl=context)
    yield made.server
    await made.server.close()
