"""A GitHub of canned answers on real HTTP, which notes every request, and the means to talk to it."""

import json
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.github.app import App
from bot.github.client import make_session
from tests.sandbox.driver import new_key, running_github

REFERENCE = Path(__file__).parents[2] / ".tools" / "github" / "api.github.com.json"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_KEY = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


class SteadyClock:
    """A clock that a test moves."""

    def __init__(self):
        self.time = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def now(self):
        return self.time

    def pass_by(self, **duration):
        self.time += timedelta(**duration)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: object

    @property
    def token(self):
        return self.headers["authorization"].removeprefix("Bearer ")


@dataclass
class Answer:
    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


class FakeGitHub:
    """Answers each operation with what was queued for it, the last one again and again; anything else with 404."""

    def __init__(self, clock):
        self.clock = clock
        self.requests = []
        self.hold = None  # an event to wait for before answering
        self._answers = defaultdict(deque)
        self._tokens = 0
        self.token_life = timedelta(hours=1)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        self.server = TestServer(application, host="127.0.0.1")

    @property
    def url(self):
        return str(self.server.make_url("/api/v3"))

    @property
    def pages_url(self):
        return str(self.server.make_url("/")).rstrip("/")

    def on(self, operation, body=None, status=200, **headers):
        """Queue an answer for `METHOD /path`; a header's underscores stand for hyphens."""
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        self._answers[operation].append(Answer(status, body, named))

    def app(self):
        """What every App asks for before it does anything: who it is, where it is installed, a token."""
        self.on("GET /app", {"id": 7, "slug": "towpath", "client_id": "Iv1.x"})
        self.on("GET /repos/acme/shop/installation", {"id": 42})

    def sent(self, operation):
        method, _, path = operation.partition(" ")
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    @property
    def operations(self):
        """Everything asked, but for the App's own business."""
        business = ("/app", "/repos/acme/shop/installation")
        return [f"{one.method} {one.path}" for one in self.requests if not one.path.startswith(business)]

    async def _serve(self, request):
        path = unquote(request.raw_path.partition("?")[0]).removeprefix("/api/v3")
        content = await request.read()
        note = Request(
            request.method,
            path,
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            json.loads(content) if content else None,
        )
        self.requests.append(note)
        if self.hold is not None:
            await self.hold.wait()
        queue = self._answers.get(f"{request.method} {path}")
        if queue is None and path.endswith("/access_tokens"):
            return self._token()
        if queue is None:
            return web.json_response({"message": "Not Found"}, status=404)
        answer = queue.popleft() if len(queue) > 1 else queue[0]
        if answer.status == 0:
            request.transport.abort()
            return web.Response()
        if isinstance(answer.body, bytes):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        etag = answer.headers.get("etag")
        if etag and request.headers.get("if-none-match") == etag:
            return web.Response(status=304, headers={"etag": etag})
        if answer.status == 204:
            return web.Response(status=204)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    def _token(self):
        self._tokens += 1
        expires = self.clock.now() + self.token_life
        body = {"token": f"ghs_{self._tokens}", "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return web.json_response(body, status=201)


def claims(token, clock):
    return jwt.decode(
        token, _KEY.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
    )


@pytest.fixture
def claims_of():
    return claims


@pytest.fixture
def clock():
    return SteadyClock()


@pytest.fixture
async def github(clock):
    fake = FakeGitHub(clock)
    await fake.server.start_server()
    yield fake
    await fake.server.close()


@pytest.fixture
async def session():
    async with make_session() as opened:
        yield opened


@pytest.fixture
def make_app(github, session, clock):
    def make(**changes):
        options = {
            "app_id": "7",
            "private_key": PRIVATE_KEY,
            "api_url": github.url,
            "server_url": github.pages_url,
            "write_interval": timedelta(0),
            "clock": clock,
            "retry_delays": (0.0, 0.0),
        }
        return App(session, **{**options, **changes})

    return make


@pytest.fixture
async def repository(github, make_app):
    """acme/shop, installed; its token, and who the App is, are known already."""
    github.app()
    app = make_app()
    view = await app.repository("acme/shop")
    await app.git_token(f"{github.pages_url}/acme/shop", asked_by="acme/shop")
    github.requests.clear()
    return view._port


@pytest.fixture(scope="session")
def reference():
    """GitHub's own description of its REST API."""
    if not REFERENCE.exists():
        pytest.skip("GitHub's OpenAPI description is not here: `make tools` gets it")
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.fixture
def pull():
    """A pull request as GitHub answers, with the fields that are read."""

    def make(number=1, **changes):
        base = {
            "number": number,
            "title": "Promote test",
            "body": "text",
            "state": "open",
            "user": {"login": "towpath[bot]"},
            "head": {"ref": "promotion/test", "sha": "a" * 40, "repo": {"id": 1, "full_name": "acme/shop"}},
            "base": {"ref": "main", "sha": "b" * 40, "repo": {"id": 1, "full_name": "acme/shop"}},
            "labels": [{"name": "promotion"}],
            "html_url": f"https://github.com/acme/shop/pull/{number}",
            "created_at": "2026-11-20T09:00:00Z",
            "merged_at": None,
            "merge_commit_sha": "c" * 40,
            "mergeable": None,
        }
        return {**base, **changes}

    return make


# --- a GitHub that remembers --------------------------------------------------------------------------


class SystemClock:
    def now(self):
        return datetime.now(UTC)


@pytest.fixture(scope="session")
def app_key():
    return new_key()


@pytest.fixture
async def hub(tmp_path, app_key):
    """The sandbox, with one repository."""
    async with running_github(tmp_path / "sandbox", app_key) as running:
        await running.repo("shop")
        yield running


@pytest.fixture
def app(hub, session, app_key):
    """The App there."""
    return App(
        session,
        app_id=str(hub.keys.app_id),
        private_key=app_key,
        api_url=f"{hub.sandbox.url}/api/v3",
        server_url=hub.sandbox.url,
        write_interval=timedelta(0),
        clock=SystemClock(),
        retry_delays=(),
    )


@pytest.fixture
async def port(app):
    """Its repository, through the port."""
    return await app.repository("acme/shop")
