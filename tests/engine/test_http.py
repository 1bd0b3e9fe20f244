"""Outbound HTTP against real servers on this machine: what is sent, what comes back, what is given up."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.core.egress import parse_rules
from bot.engine.http import OutboundHttp, same_party
from bot.errors import UserError

HERE = parse_rules("*, 127.0.0.0/8, ::1")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server that answers everything with the given handler, and gives its address."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    async with OutboundHttp(rules=HERE) as opened:
        yield opened


async def echo(request: web.Request) -> web.Response:
    """Tells what arrived."""
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": (await request.read()).decode(),
        },
        headers={"X-Answer": "yes"},
    )


def redirect(status: int, location: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": location})

    return handler


async def told(http: OutboundHttp, method: str, url: str, **more: object) -> dict[str, object]:
    answer = await http.request(method, url, **more)  # type: ignore[arg-type]
    assert answer.status == 200
    found = json.loads(answer.body)
    assert isinstance(found, dict)
    return found


async def test_method_headers_and_body_arrive_and_the_answer_comes_back(serve: Serve, http: OutboundHttp) -> None:
    base = await serve(echo)
    answer = await http.request("POST", f"{base}/a?b=c", headers=[("X-One", "1")], body=b"hello")
    assert answer.status == 200
    assert answer.headers["x-answer"] == "yes"
    seen = await told(http, "POST", f"{base}/a?b=c", headers=[("X-One", "1")], body=b"hello")
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/a?b=c", "hello")
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["x-one"] == "1"
    assert seen["headers"]["user-agent"] == "towpath"


async def test_a_large_body_arrives_whole(http: OutboundHttp) -> None:
    async def count(request: web.Request) -> web.Response:
        return web.json_response({"length": len(await request.read()), "said": request.content_length})

    app = web.Application(client_max_size=1 << 24)
    app.router.add_put("/", count)
    async with TestServer(app) as server:
        found = await told(http, "PUT", str(server.make_url("/")), body=b"x" * (3 << 20))
    assert found == {"length": 3 << 20, "said": 3 << 20}


async def test_an_error_status_is_an_answer(serve: Serve, http: OutboundHttp) -> None:
    async def gone(request: web.Request) -> web.Response:
        return web.Response(status=503, text="later")

    answer = await http.request("GET", await serve(gone))
    assert (answer.status, answer.body) == (503, b"later")


@pytest.mark.parametrize(
    ("status", "method", "arrives"),
    [(301, "GET", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"), (308, "GET", "GET")],
)
async def test_a_redirect_on_the_same_host_is_followed(
    status: int, method: str, arrives: str, serve: Serve, http: OutboundHttp
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await (echo(request) if request.path == "/there" else redirect(status, "/there")(request))

    base = await serve(handler)
    body = None if method == "GET" else b"text"
    seen = await told(http, method, base, headers=[("Authorization", "Bearer s3cret")], body=body)
    assert seen["method"] == arrives
    assert seen["body"] == ("text" if arrives == "POST" else "")
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["authorization"] == "Bearer s3cret"


async def test_credentials_stay_behind_when_a_redirect_leads_to_another_host(serve: Serve, http: OutboundHttp) -> None:
    there = await serve(echo)
    here = await serve(redirect(302, f"{there}/there"))
    headers = [("Authorization", "Bearer s3cret"), ("X-Api-Key", "s3cret"), ("Cookie", "a=s3cret"), ("Accept", "a/b")]
    seen = await told(http, "GET", here, headers=headers)
    assert seen["path"] == "/there"
    assert "s3cret" not in str(seen)
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["accept"] == "a/b"


async def test_a_body_is_not_repeated_to_another_host(serve: Serve, http: OutboundHttp) -> None:
    arrived: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        arrived.append(await request.text())
        return web.Response()

    there = await serve(listen)
    here = await serve(redirect(307, there))
    with pytest.raises(UserError, match="a request with a body is not repeated to another host"):
        await http.request("POST", here, body=b"client_secret=s3cret")
    assert arrived == []


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("http://a.test/x", "http://a.test:80/y", True),
        ("http://a.test/", "https://a.test/", True),
        ("http://a.test/", "https://a.test:8443/", False),
        ("http://a.test:8080/", "https://a.test/", False),
        ("https://a.test/", "http://a.test/", False),
        ("https://a.test/", "https://b.a.test/", False),
        ("https://a.test/", "https://user:word@a.test/", True),
    ],
)
def test_only_the_same_origin_or_its_https_twin_is_the_same_party(before: str, after: str, same: bool) -> None:
    assert same_party(URL(before), URL(after)) is same


async def test_redirects_end_somewhere(serve: Serve, http: OutboundHttp) -> None:
    with pytest.raises(UserError, match="more than 10 redirects"):
        await http.request("GET", await serve(redirect(302, "/again")))


async def test_a_redirect_status_without_a_location_is_an_answer(serve: Serve, http: OutboundHttp) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=304)

    assert (await http.request("GET", await serve(handler))).status == 304


@pytest.mark.parametrize("location", ["ftp://example.com/x", "file:///etc/passwd", "http://169.254.169.254/latest/"])
async def test_a_redirect_obeys_the_same_rules_as_the_first_address(
    location: str, serve: Serve, http: OutboundHttp
) -> None:
    with pytest.raises(UserError, match=r"only http:// and https://|link-local or metadata"):
        await http.request("GET", await serve(redirect(302, location)))


async def test_an_answer_that_takes_too_long_is_given_up(serve: Serve, http: OutboundHttp) -> None:
    released = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    base = await serve(wait)
    with pytest.raises(UserError, match=r"GET http://127.0.0.1:\d+: no answer within 0.05 s"):
        await http.request("GET", f"{base}/?token=s3cret", timeout_seconds=0.05)
    released.set()


async def test_a_body_that_never_ends_is_given_up_too(serve: Serve, http: OutboundHttp) -> None:
    released = asyncio.Event()

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a")
        await released.wait()
        return response

    with pytest.raises(UserError, match="no answer within"):
        await http.request("GET", await serve(trickle), timeout_seconds=0.05)
    released.set()


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_that_is_too_large_is_given_up(compressed: bool, serve: Serve) -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b"0" * 5000)
        if compressed:
            response.enable_compression()
        return response

    base = await serve(large)
    async with OutboundHttp(rules=HERE, size_limit=4096) as small:
        with pytest.raises(UserError, match="larger than 4 KiB"):
            await small.request("GET", base)
    async with OutboundHttp(rules=HERE, size_limit=5000) as enough:
        assert len((await enough.request("GET", base)).body) == 5000


@pytest.mark.parametrize(
    "url", ["ftp://a.test/", "file:///etc/passwd", "/only/a/path", "", "http://", "http://a:99999/"]
)
async def test_what_is_no_web_address_is_refused(url: str, http: OutboundHttp) -> None:
    with pytest.raises(UserError, match=r"only http:// and https://|no web address"):
        await http.request("GET", url)


async def test_a_header_with_a_line_break_is_refused_without_showing_it(serve: Serve, http: OutboundHttp) -> None:
    with pytest.raises(UserError, match="line breaks in headers") as refused:
        await http.request("GET", await serve(echo), headers=[("X-Key", "s3cret\r\nX-Other: 1")])
    assert "s3cret" not in str(refused.value)


async def test_a_user_in_the_address_is_sent_as_basic_authentication(serve: Serve, http: OutboundHttp) -> None:
    base = (await serve(echo)).replace("http://", "http://user:word@")
    seen = await told(http, "GET", base)
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["authorization"] == "Basic dXNlcjp3b3Jk"
    seen = await told(http, "GET", base, headers=[("Authorization", "Bearer mine")])
    assert isinstance(seen["headers"], dict)
    assert seen["headers"]["authorization"] == "Bearer mine"


async def test_a_connection_that_breaks_off_is_told(http: OutboundHttp) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UserError, match="the connection broke"):
            await http.request("GET", f"http://127.0.0.1:{port}/")


async def test_what_does_not_speak_http_is_told(http: OutboundHttp) -> None:
    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.test ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(mumble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UserError, match="not HTTP as it should be"):
            await http.request("GET", f"http://127.0.0.1:{port}/?token=s3cret")
