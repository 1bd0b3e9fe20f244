"""Where outbound HTTP may go, however the address is spelt or found; and what is never told of it."""

import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from bot.core.egress import EgressRules, parse_rules
from bot.engine.http import OutboundHttp
from bot.errors import UserError

HERE = parse_rules(
    "*, 127.0.0.0/8, ::1, ::, 0.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, 100.64.0.0/10"
)


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    """Where a server on this machine answers everything."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    assert server.port
    yield server.port
    await server.close()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    async with OutboundHttp(rules=HERE) as opened:
        yield opened


class Names(AbstractResolver):
    """A name service with these names only."""

    def __init__(self, **addresses: str) -> None:
        self.addresses = {name.replace("_", "."): found.split() for name, found in addresses.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host not in self.addresses:
            raise OSError(None, f"no such name: {host}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self.addresses[host]
        ]

    async def close(self) -> None:
        pass


METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "224.0.0.1",
    "ff02::1",
]
WRITTEN_OTHERWISE = ["2852039166", "0251.0376.0251.0376", "169.254.43518", "1.2.3"]
PRIVATE = ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "0.0.0.0", "::1", "::", "fc00::1", "100.64.0.1"]  # noqa: S104
PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"]


@pytest.mark.parametrize(
    ("addresses", "where_private_is_allowed", "where_it_is_not"),
    [(METADATA + WRITTEN_OTHERWISE, False, False), (PRIVATE, True, False), (PUBLIC, True, True)],
)
def test_which_addresses_may_be_asked(
    addresses: list[str], where_private_is_allowed: bool, where_it_is_not: bool
) -> None:
    for address in addresses:
        assert (HERE.refusal(address, address) is None) is where_private_is_allowed, address
        assert (EgressRules().refusal(address, address) is None) is where_it_is_not, address


@pytest.mark.parametrize("address", METADATA[:-2])
async def test_metadata_addresses_are_refused_however_they_are_spelt(address: str, http: OutboundHttp) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(UserError, match="link-local or metadata address"):
        await http.request("GET", f"http://{host}/latest/meta-data/")
    async with OutboundHttp(rules=HERE, resolver=Names(service_test=address.partition("%")[0])) as resolving:
        with pytest.raises(UserError, match=r'"service\.test" are refused: its address'):
            await resolving.request("GET", "http://service.test/latest/meta-data/")


@pytest.mark.parametrize("address", WRITTEN_OTHERWISE)
async def test_addresses_in_unusual_spelling_are_refused(address: str, http: OutboundHttp) -> None:
    with pytest.raises(UserError, match=r"not written as an IP address should be|metadata address"):
        await http.request("GET", f"http://{address}/")


async def test_a_name_with_one_refused_address_is_refused_whole(echo_port: int) -> None:
    names = Names(good_test="127.0.0.1", mixed_test="127.0.0.1 169.254.169.254")
    async with OutboundHttp(rules=HERE, resolver=names) as http:
        assert (await http.request("GET", f"http://good.test:{echo_port}/")).status == 200
        with pytest.raises(UserError, match=r"169\.254\.169\.254"):
            await http.request("GET", f"http://mixed.test:{echo_port}/")


class Rebinding(Names):
    """After its first answer every name leads to the metadata service."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        self.addresses[host] = ["169.254.169.254"]
        return found


async def test_the_connection_goes_to_the_address_that_was_judged(echo_port: int) -> None:
    names = Rebinding(a_test="127.0.0.1")
    async with OutboundHttp(rules=HERE, resolver=names) as http:
        assert (await http.request("GET", f"http://a.test:{echo_port}/")).status == 200
    async with OutboundHttp(rules=HERE, resolver=names) as http:
        with pytest.raises(UserError, match="metadata"):
            await http.request("GET", f"http://a.test:{echo_port}/")


async def test_private_addresses_are_refused_where_the_policy_says_so(echo_port: int) -> None:
    async with OutboundHttp(rules=EgressRules(), resolver=Names(inside_test="10.1.2.3")) as http:
        with pytest.raises(UserError, match=r"127\.0\.0\.1 is not a public address"):
            await http.request("GET", f"http://127.0.0.1:{echo_port}/")
        with pytest.raises(UserError, match="EGRESS_ALLOW doesn't list it"):
            await http.request("GET", "http://inside.test/")


async def test_a_host_nobody_knows_or_nobody_answers_on_is_named_and_nothing_secret_is(unused_port: int) -> None:
    async with OutboundHttp(rules=HERE, resolver=Names(dead_test="127.0.0.1")) as http:
        for host, because in (("nowhere.test", "no address is known"), (f"dead.test:{unused_port}", "can't connect")):
            with pytest.raises(UserError, match=because) as refused:
                await http.request("GET", f"http://user:s3cret@{host}/s3cret?token=s3cret", headers=[("X", "s3cret")])
            assert host in str(refused.value)
            assert "s3cret" not in str(refused.value)
