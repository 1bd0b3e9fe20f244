"""Steps and metrics ask only what EGRESS_ALLOW lists, whatever they are told by a configuration or by a server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts import MetricContext, MetricProvider
from bot.core.egress import EgressRules, parse_rules
from bot.engine.egress import guarded_session
from bot.engine.http import OutboundHttp
from bot.errors import UserError
from bot.metrics import prometheus
from bot.metrics import web as web_metric

SECRET = "t0ken-of-acme"


@dataclass
class Inside:
    """A server that nobody listed: it remembers who asked, and what it was shown."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    location: str = ""  # where it sends whoever asks

    async def answer(self, request: web.Request) -> web.Response:
        shown = f"{dict(request.headers)} {(await request.read()).decode()}"
        self.asked.append(f"{request.path_qs} {shown}")
        if self.location:
            return web.Response(status=307, headers={"Location": self.location})
        answer = web.json_response({"access_token": "given", "message": "s3cret", "data": {"result": []}})
        answer.set_cookie("session", "of-somebody")
        return answer


async def serve(host: str) -> tuple[Inside, TestServer]:
    inside, app = Inside(), web.Application()
    app.router.add_route("*", "/{path:.*}", inside.answer)
    server = TestServer(app, host=host)
    await server.start_server()
    inside.url = str(server.make_url("")).rstrip("/")
    return inside, server


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    found, server = await serve("127.0.0.1")
    yield found
    await server.close()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Inside]:
    found, server = await serve("127.0.0.1")
    yield found
    await server.close()


class Nothing:
    def get(self, _name: str, _key: str) -> str | None:
        return None


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


OAUTH2 = {
    "oauth2": {"tokenUrl": "INSIDE/token", "clientId": "towpath", "clientSecret": SECRET, "scopes": []},
}
METRICS: list[tuple[MetricProvider, dict[str, Any]]] = [
    (web_metric, {"url": "INSIDE/web"}),
    (web_metric, {"url": "http://169.254.169.254/latest/meta-data"}),
    (web_metric, {"url": "https://[::ffff:a9fe:a9fe]/", "insecure": True}),
    (web_metric, {"url": "https://service.example.com/", "authentication": OAUTH2}),
    (prometheus, {"address": "INSIDE", "query": "up"}),
    (prometheus, {"address": "https://prometheus.example.com", "query": "up", "authentication": OAUTH2}),
]
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("http", {"url": "INSIDE/step"}),
    ("http", {"url": "INSIDE/step", "method": "POST", "body": "x", "insecureSkipTLSVerify": True}),
    ("http", {"url": "http://169.254.169.254/latest/meta-data"}),
    ("http", {"url": "http://2852039166/"}),
    ("http-download", {"url": "INSIDE/step", "outPath": "out"}),
]  # fmt: skip


def filled(config: Any, url: str) -> Any:
    if isinstance(config, dict):
        return {key: filled(value, url) for key, value in config.items()}
    return config.replace("INSIDE", url) if isinstance(config, str) else config


@pytest.mark.parametrize(("provider", "config"), METRICS)
@pytest.mark.parametrize("rules", [EgressRules(), parse_rules("*"), parse_rules("10.0.0.0/8, *.example.com")])
async def test_a_metric_asks_nobody_inside(
    provider: MetricProvider, config: dict[str, Any], rules: EgressRules, inside: Inside
) -> None:
    async with OutboundHttp(rules=rules) as http:
        context = MetricContext(http=http, secrets=Nothing(), clock=Clock())
        with pytest.raises(UserError) as refused:
            await provider.measure(context, filled(config, inside.url))
    assert inside.asked == []
    assert SECRET not in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("step", "config"), STEPS)
async def test_a_step_asks_nobody_inside(run, step, config, inside):
    async with OutboundHttp(rules=parse_rules("*")) as http:
        run.context = replace(run.context, http=http)
        with pytest.raises(UserError, match=r"EGRESS_ALLOW|metadata address|written as an IP address") as refused:
            await run(step, filled(config, inside.url))
    assert inside.asked == []
    assert "s3cret" not in str(refused.value)


async def test_a_server_sends_nobody_inside_and_credentials_stay_with_it(run, inside, elsewhere):
    """Both listen here and both are allowed, yet they are two: what the one is shown, the other is not."""
    inside.location = f"{elsewhere.url}/other"
    headers = [{"name": name, "value": SECRET} for name in ("Authorization", "Cookie", "X-Api-Key", "Private-Token")]
    async with OutboundHttp(rules=parse_rules("127.0.0.0/8")) as http:
        run.context = replace(run.context, http=http)
        await run("http", {"url": f"{inside.url}/here", "headers": headers})
        for location in ("http://169.254.169.254/", "http://10.0.0.1/", "file:///etc/passwd"):
            inside.location = location
            with pytest.raises(UserError):
                await run("http", {"url": f"{inside.url}/here", "headers": headers})
    assert SECRET in inside.asked[0]
    assert len(elsewhere.asked) == 1
    assert SECRET not in elsewhere.asked[0]


async def test_what_a_server_wants_remembered_is_forgotten(run, inside):
    """A cookie would tie one tenant's requests to another's."""
    async with OutboundHttp(rules=parse_rules("localhost")) as http:
        run.context = replace(run.context, http=http)
        for _ in range(2):
            await run("http", {"url": f"{inside.url.replace('127.0.0.1', 'localhost')}/here"})
    assert len(inside.asked) == 2
    assert "of-somebody" not in str(inside.asked)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:169.254.169.254]", "2130706433"])
async def test_registries_are_held_to_the_same_rules(host, inside):
    """Their client has the session itself."""
    port = inside.url.rpartition(":")[2]
    async with guarded_session(parse_rules("*")) as session:
        with pytest.raises(UserError, match="are refused"):
            await session.get(f"http://{host}:{port}/v2/")
    assert inside.asked == []
