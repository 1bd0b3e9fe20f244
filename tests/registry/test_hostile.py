"""Registries that lie, hang, overflow, limit or fall over: a clear message each, and no harm."""

import asyncio
import hashlib
import json
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Retry, UserError
from bot.registry import RegistryClient, manifests

DIGEST = "sha256:" + "1" * 64


@pytest.fixture
async def registry():
    """A registry that answers as `answer` says; `paths` is what it was asked."""

    class Stub:
        paths = ()
        most_at_once = at_once = 0

        async def serve(self, request):
            self.paths += (f"{request.method} {request.path_qs}",)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                answer = self.answer(request)
                return await answer if asyncio.iscoroutine(answer) else answer
            finally:
                self.at_once -= 1

    stub = Stub()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", stub.serve)
    async with TestServer(application) as server:
        stub.host = f"127.0.0.1:{server.port}"
        stub.url = f"{stub.host}/acme/service"
        yield stub


@pytest.fixture
def quick(session, clock):
    async def nobody(_address):
        return None

    return RegistryClient(session, clock, nobody, timeout_seconds=0.5)


def always(**options):
    return lambda _request: web.Response(**options)


def as_json(data, **options):
    return lambda _request: web.json_response(data, **options)


# --- limits and outages -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({}, 60),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "999999999"}, 3600),
        ({"Retry-After": "Fri, 20 Nov 2026 09:35:00 GMT"}, 300),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": "-5"}, 60),
    ],
)
async def test_a_limit_is_waited_out(registry, quick, clock, header, seconds):
    registry.answer = as_json({"errors": [{"code": "TOOMANYREQUESTS"}]}, status=429, headers=header)
    with pytest.raises(Retry, match=r"limits requests .TOOMANYREQUESTS.") as caught:
        await quick.tags(registry.url)
    assert caught.value.at == clock.now() + timedelta(seconds=seconds)

    with pytest.raises(Retry, match="limits requests") as again:
        await quick.digest(f"{registry.host}/acme/other", "1.0.0")
    assert again.value.at == caught.value.at
    assert len(registry.paths) == 1

    registry.answer = as_json({"tags": []})
    clock.time = caught.value.at
    assert await quick.tags(registry.url) == ()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_outage_is_tried_again_soon(registry, quick, clock, status):
    registry.answer = always(status=status)
    with pytest.raises(Retry, match=f"answered {status}") as caught:
        await quick.tags(registry.url)
    assert caught.value.at == clock.now() + timedelta(seconds=30)


async def test_a_registry_that_hangs_is_tried_again(registry, quick):
    registry.answer = lambda _request: asyncio.sleep(5)
    with pytest.raises(Retry, match="did not answer in time"):
        await quick.tags(registry.url)


async def test_a_registry_that_drips_is_tried_again(registry, quick):
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    registry.answer = drip
    with pytest.raises(Retry, match="did not answer in time"):
        await quick.tags(registry.url)


async def test_a_registry_that_is_not_there_is_tried_again(quick):
    with pytest.raises(Retry, match=r"127.0.0.1:1 can't be reached"):
        await quick.tags("127.0.0.1:1/acme/service")


async def test_only_some_requests_are_under_way_at_once(registry, quick):
    async def slowly(_request):
        await asyncio.sleep(0.01)
        return web.Response(headers={"Docker-Content-Digest": DIGEST})

    registry.answer = slowly
    await asyncio.gather(*(quick.digest(registry.url, f"1.0.{number}") for number in range(40)))
    assert len(registry.paths) == 40
    assert 1 < registry.most_at_once <= 16


# --- too much, and what it should not be ---------------------------------------------------------------


async def endless(request):
    if request.method == "HEAD":
        return web.Response()
    response = web.StreamResponse(headers={"Docker-Content-Digest": ""})
    await response.prepare(request)
    sent = 0
    try:
        while sent < 1 << 30:
            await response.write(b" " * (1 << 20))
            sent += 1 << 20
    except ConnectionError:
        pass
    return response


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, url: client.digest(url, "1.0.0"),
        lambda client, url: client.describe(url, DIGEST),
    ],
)
async def test_gigabytes_are_not_read(registry, client, ask):
    registry.answer = endless
    with pytest.raises(UserError, match="larger than 4,194,304 bytes"):
        await ask(client, registry.url)


@pytest.mark.parametrize(
    "answer",
    [
        always(text="<html>"),
        as_json([]),
        as_json({}),
        as_json({"tags": "1.0.0"}),
        as_json({"tags": [1]}),
        always(body=b"[" * 100_000),
        always(body=b"\xff"),
    ],
)
async def test_what_is_no_list_of_tags_is_said_so(registry, quick, answer):
    registry.answer = answer
    with pytest.raises(UserError, match="not a list of tags"):
        await quick.tags(registry.url)


async def test_a_repository_without_tags_has_none(registry, quick):
    registry.answer = as_json({"tags": None})
    assert await quick.tags(registry.url) == ()


@pytest.mark.parametrize("status", [302, 400, 410, 418])
async def test_an_unexpected_status_is_named(registry, quick, status):
    registry.answer = as_json({"errors": [{"code": "ODD", "message": "very odd"}]}, status=status)
    with pytest.raises(UserError, match=rf"answered {status} for list of tags \(ODD: very odd\)"):
        await quick.tags(registry.url)


# --- pages --------------------------------------------------------------------------------------------


def paged(link):
    def answer(request):
        last = request.query.get("last", "")
        if last == "b":
            return web.json_response({"tags": ["c"]})
        return web.json_response({"tags": ["a", "b"]}, headers={"Link": link.format(host=request.host)})

    return answer


@pytest.mark.parametrize(
    "link",
    [
        '</v2/acme/service/tags/list?last=b&n=1000>; rel="next"',
        "<http://{host}/v2/acme/service/tags/list?last=b&n=1000>; rel=next",
        '<list?last=b>; title="x"; rel="next"',
        '<?last=b>; rel="next"',
    ],
)
async def test_every_page_of_tags_is_read(registry, quick, link):
    registry.answer = paged(link)
    assert await quick.tags(registry.url) == ("a", "b", "c")


@pytest.mark.parametrize("link", ["<http://example.com/?last=b>; rel=next", "<http://[::1>; rel=next"])
async def test_pages_at_another_place_are_not_read(registry, quick, link):
    registry.answer = paged(link)
    with pytest.raises(UserError, match="goes on at another place"):
        await quick.tags(registry.url)


async def test_pages_that_go_round_are_noticed(registry, quick):
    registry.answer = paged("</v2/acme/service/tags/list?last=a>; rel=next")
    with pytest.raises(UserError, match="has no end"):
        await quick.tags(registry.url)
    assert len(registry.paths) == 2


# --- digests ------------------------------------------------------------------------------------------


async def test_without_a_digest_header_the_content_is_hashed(registry, quick):
    body = json.dumps({"schemaVersion": 2}).encode()
    registry.answer = always(body=body)
    assert await quick.digest(registry.url, "1.0.0") == "sha256:" + hashlib.sha256(body).hexdigest()
    assert [path.split()[0] for path in registry.paths] == ["HEAD", "GET"]


async def test_a_registry_without_head_is_asked_by_get(registry, quick):
    registry.answer = lambda request: web.Response(status=405 if request.method == "HEAD" else 200, body=b"x")
    assert await quick.digest(registry.url, "1.0.0") == "sha256:" + hashlib.sha256(b"x").hexdigest()


async def test_the_tag_may_go_between_head_and_get(registry, quick):
    registry.answer = lambda request: web.Response(status=200 if request.method == "HEAD" else 404)
    assert await quick.digest(registry.url, "1.0.0") is None


async def test_a_digest_that_is_none_is_refused(registry, quick):
    registry.answer = always(headers={"Docker-Content-Digest": "sha256:../../x"})
    with pytest.raises(UserError, match=r"gives a digest for tag '1.0.0' that is none"):
        await quick.digest(registry.url, "1.0.0")


async def test_content_with_another_digest_is_a_lie(registry, quick):
    registry.answer = as_json({"config": {"digest": DIGEST}})
    with pytest.raises(UserError, match=f"gives for {DIGEST} has another digest"):
        await quick.describe(registry.url, DIGEST)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"<html>", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"{}", "neither an image nor an index"),
        (b'{"config": {"digest": "sha256:x"}}', "a digest that is none"),
        (b'{"config": {}}', "a digest that is none"),
        (b'{"manifests": []}', "an index without an image"),
        (b'{"manifests": [{"digest": "x"}, 5, {"platform": 5}]}', "an index without an image"),
        (b'{"manifests": [{"platform": {"os": "linux", "architecture": "amd64"}}]}', "a digest that is none"),
        (
            json.dumps(
                {
                    "manifests": [
                        {"digest": DIGEST, "platform": {"os": "linux", "architecture": f"a{n}"}} for n in range(201)
                    ]
                }
            ).encode(),
            "an index of 201 images",
        ),
        (b"[" * 200_000, "it is not JSON"),
    ],
)
async def test_a_document_that_is_no_image_is_said_so(registry, quick, document, message):
    digest = "sha256:" + hashlib.sha256(document).hexdigest()
    registry.answer = always(body=document)
    with pytest.raises(UserError, match=rf"{digest} can't be read: .*{message}"):
        await quick.describe(registry.url, digest)


async def test_the_failure_of_one_child_is_told_as_it_is(registry, quick):
    index = json.dumps(
        {
            "manifests": [
                {"digest": "sha256:" + str(n) * 64, "platform": {"os": "linux", "architecture": f"a{n}"}}
                for n in range(4)
            ]
        }
    ).encode()
    digest = "sha256:" + hashlib.sha256(index).hexdigest()
    registry.answer = lambda request: web.Response(body=index) if digest in request.path else web.Response(status=404)
    with pytest.raises(UserError, match="has no sha256:"):
        await quick.describe(registry.url, digest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05.123456789+02:00", "2026-01-02T03:04:05.123456+02:00"),
        ("0001-01-01T00:00:00Z", None),
        ("2026-01-02", None),
        ("yesterday", None),
        ("2026-13-02T03:04:05Z", None),
        ("9999-12-31T23:59:59-23:00", "9999-12-31T23:59:59-23:00"),
    ],
)
def test_dates_are_read_or_left_out(text, expected):
    date = manifests.created({"org.opencontainers.image.created": text})
    assert (date.isoformat() if date else None) == expected
