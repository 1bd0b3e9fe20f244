"""Registries that do whatever registries do: said on the right warehouse, while the others go on."""

import asyncio
import hashlib
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.model import Pipeline, RepositoryName, Subscription, Warehouse, WarehouseName
from bot.engine.discovery import Discovery
from bot.registry import RegistryClient, nobody
from bot.subscriptions import BY_NAME

GOOD, BAD = WarehouseName("good"), WarehouseName("bad")
MANIFEST = b'{"config": {"digest": "sha256:' + b"0" * 64 + b'"}}'


class Registry:
    """A registry of one image, or whatever `answer` makes of it."""

    def __init__(self, answer=None):
        self.answer, self.seen = answer or self.image, []
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.serve)
        self.server = TestServer(application)

    @property
    def host(self):
        return f"127.0.0.1:{self.server.port}"

    async def serve(self, request):
        self.seen.append((request.path, request.headers.get("Authorization", "")))
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    @staticmethod
    def image(request):
        if request.path.endswith("/tags/list"):
            return web.json_response({"tags": ["1.0.0"]})
        digest = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
        return web.Response(body=MANIFEST, headers={"Docker-Content-Digest": digest})


class Place:
    """What discovery sees of a repository."""

    repository = RepositoryName("acme/shop")
    git: Any = None

    def __init__(self, registry):
        self.registry = registry


def status(code, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: web.json_response({"errors": [{"code": "ODD"}]}, status=code, headers=names)


def lies(request):
    answer = Registry.image(request)
    if not request.path.endswith("/tags/list"):
        answer.headers["Docker-Content-Digest"] = "sha256:" + "1" * 64
    return answer


async def gigabytes(request):
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        for _ in range(1 << 10):
            await response.write(b" " * (1 << 20))
    except ConnectionError:
        pass
    return response


def hangs_up(request):
    request.transport.close()
    return web.Response()


def nests(_request):
    return web.Response(body=b'{"tags": ' + b"[" * 100_000)


CASES = [
    ("401", status(401, WWW_Authenticate="Basic realm=x"), "refuses to let us read it, status 401"),
    ("401 without a word", status(401), "wants a login of a kind that registries do not use"),
    ("403", status(403), "refuses to let us read it, status 403 (ODD)"),
    ("404", status(404), "has no repository acme/service (ODD)"),
    ("418", status(418), "answered 418 for list of tags (ODD)"),
    ("429", status(429, Retry_After="60"), "limits requests (ODD)"),
    ("500", status(500), "answered 500 (ODD)"),
    ("hangs", lambda _request: asyncio.sleep(60), "did not answer in time"),
    ("hangs up", hangs_up, "can't be reached"),
    ("lies", lies, "has another digest"),
    ("redirects to http", status(307, Location="http://metadata.test/"), "not a safe address to follow"),
    ("redirects to a file", status(307, Location="file:///etc/passwd"), "not a safe address to follow"),
    ("redirects to itself", status(307, Location="?again"), "redirects in circles"),
    ("asks for a login elsewhere", status(401, WWW_Authenticate="Bearer realm=http://x.test/"), "not an https address"),
    ("gigabytes", gigabytes, "an answer of 127.0.0.1"),
    ("nests", nests, "something that is not a list of tags"),
    ("nothing", lambda _request: web.Response(), "something that is not a list of tags"),
]


@pytest.mark.parametrize(("answer", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_bad_registry_is_named_and_the_others_go_on(session, clock, answer, said):
    good, bad = Registry(), Registry(answer)
    async with good.server, bad.server:
        address = f"{bad.host}/acme/service"
        warehouses = {
            name: Warehouse(name, (Subscription("image", {"repoURL": f"{registry.host}/acme/service"}),))
            for name, registry in ((BAD, bad), (GOOD, good))
        }
        # A client of its own for the gigabytes, which take a moment to come to too many.
        client = RegistryClient(session, clock, nobody, timeout_seconds=10 if answer is gigabytes else 0.5)
        found = await Discovery(BY_NAME, clock).of(Place(client), Pipeline(warehouses, {}))
    assert found[GOOD].problem is None
    assert [image.tag for image in found[GOOD].freight.images] == ["1.0.0"]
    assert found[BAD].freight is None
    assert f"{address}: " in found[BAD].problem.text
    assert said in found[BAD].problem.text
    assert found[BAD].again > clock.now()


async def test_a_bad_chart_repository_is_named_and_the_others_go_on(session, clock):
    """The same, of an index that has no end."""
    good, bad = Registry(), Registry(gigabytes)
    async with good.server, bad.server:
        address = f"http://{bad.host}/charts"
        chart = {"repoURL": address, "name": "service"}
        warehouses = {
            BAD: Warehouse(BAD, (Subscription("chart", chart),)),
            GOOD: Warehouse(GOOD, (Subscription("image", {"repoURL": f"{good.host}/acme/service"}),)),
        }
        client = RegistryClient(session, clock, nobody)
        found = await Discovery(BY_NAME, clock).of(Place(client), Pipeline(warehouses, {}))
    assert found[GOOD].freight is not None
    assert f"chart service of {address}: " in found[BAD].problem.text
    assert "larger than 33,554,432 bytes" in found[BAD].problem.text


async def test_a_registry_that_turns_bad_takes_nothing_from_what_was_found(session, clock):
    registry = Registry()
    async with registry.server:
        subscription = Subscription("image", {"repoURL": f"{registry.host}/acme/service"})
        pipeline = Pipeline({GOOD: Warehouse(GOOD, (subscription,))}, {})
        discovery, place = Discovery(BY_NAME, clock), Place(RegistryClient(session, clock, nobody))
        before = (await discovery.of(place, pipeline))[GOOD]
        registry.answer = status(403)
        discovery.expire(place.repository)
        after = (await discovery.of(place, pipeline))[GOOD]
    assert "status 403" in after.problem.text
    assert after.freight == before.freight is not None
