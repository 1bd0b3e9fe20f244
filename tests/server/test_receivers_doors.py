"""The doors for senders over HTTP: who gets in, what is told of those who don't, and what it costs."""

import asyncio
import hashlib
import hmac
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core import doors
from bot.core.model import Pipeline, Receiver, RepositoryName, Subscription, Warehouse, WarehouseName
from bot.engine.subscribers import Subscribers
from bot.errors import UserError
from bot.server.doors import MAX_BODY, Doors
from bot.server.events import Delivery
from bot.server.receivers import BY_NAME
from bot.server.web import make_app, make_runner
from bot.subscriptions import BY_NAME as SUBSCRIPTIONS

REPOSITORY = RepositoryName("acme/GitOps")
SECRET = "a long enough secret"
IMAGE = {"repoURL": "docker.io/acme/service", "constraint": "^1.0.0"}
GIT = {"repoURL": "https://gitea.acme.io/acme/lib", "branch": "main", "includePaths": ["app"]}


def warehouse(name: str, kind: str, config: Mapping[str, Any]) -> Warehouse:
    return Warehouse(WarehouseName(name), (Subscription(kind, config),))


PIPELINE = Pipeline(
    {
        one.name: one
        for one in (
            warehouse("service", "image", IMAGE),
            warehouse("copy", "image", {"repoURL": "acme/service", "constraint": ">=2"}),
            warehouse("lib", "git", GIT),
        )
    },
    {},
    receivers=(
        Receiver("hub", "dockerhub", "hub-secret"),
        Receiver("forge", "gitea", "forge-secret"),
        Receiver("lost", "quay", "no-such-secret"),
        Receiver("bad", "quay", "bad-secret"),
    ),
)
PUSHED = {"push_data": {"tag": "1.2.0"}, "repository": {"repo_name": "acme/service"}}


class World:
    """Receivers with their secrets, and what was taken of what came."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.failure: Exception | None = None
        self.asked: list[tuple[str, str, str]] = []
        self.secrets = {("hub-secret", "secret"): SECRET, ("forge-secret", "secret"): SECRET}
        self.subscribers = Subscribers(SUBSCRIPTIONS)
        self.subscribers.take(REPOSITORY, PIPELINE)

    async def intake(self, delivery: Delivery) -> None:
        if self.failure:
            raise self.failure
        self.taken.append(delivery)

    def secret(self, repository: RepositoryName, name: str, key: str) -> str | None:
        self.asked.append((repository, name, key))
        if name == "bad-secret":
            raise UserError("the secret leads out of its folder")
        return self.secrets.get((name, key))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    found = Doors(world.intake, BY_NAME, world.subscribers, world.secret)
    runner = make_runner(make_app(world.intake, ("secret",), "towpath[bot]", doors=found))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        yield session
    await runner.cleanup()


HUB = doors.path("acme/gitops", "dockerhub", "hub", SECRET)
FORGE = doors.path("acme/gitops", "gitea", "forge", SECRET)


async def post(
    client: aiohttp.ClientSession, path: str, body: Any, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    async with client.post(path, data=io.BytesIO(raw), headers=given) as response:
        return response.status, (await response.json())["message"]


def signed(body: bytes, secret: str = SECRET, **more: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"X-Gitea-Event": "push", "X-Hub-Signature-256": f"sha256={digest}", **named}


def push(*changed: str, ref: str = "refs/heads/main") -> bytes:
    commits = [{"added": list(changed), "modified": [], "removed": []}]
    repository = {"clone_url": "https://gitea.acme.io/acme/lib.git", "default_branch": "main"}
    sent = {"ref": ref, "before": "a" * 40, "after": "b" * 40, "commits": commits, "repository": repository}
    return json.dumps({**sent, "total_commits": 1}).encode()


def test_an_address_tells_receivers_apart_and_nothing_of_the_secret() -> None:
    assert re.fullmatch(r"/webhook/dockerhub/acme/gitops/hub/[0-9a-f]{64}", HUB)
    assert SECRET not in HUB
    others = {
        doors.token(*about)
        for about in (
            ("acme/gitops", "dockerhub", "hub", SECRET),
            ("acme/gitops", "dockerhub", "hub", SECRET + "x"),
            ("acme/gitops", "quay", "hub", SECRET),
            ("acme/gitops", "dockerhub", "hu", "b" + SECRET),
            ("acme/gitops2", "dockerhub", "hub", SECRET),
        )
    }
    assert len(others) == 5
    assert doors.token("Acme/GitOps", "dockerhub", "hub", SECRET) in others


async def test_news_wakes_exactly_the_warehouses_it_concerns(client: aiohttp.ClientSession, world: World) -> None:
    assert await post(client, HUB, PUSHED) == (202, "accepted")
    (taken,) = world.taken
    assert taken.warehouses == {REPOSITORY: frozenset({"service"})}
    assert (taken.event, taken.looks, taken.news) == ("receiver/dockerhub", (), ())


async def test_the_same_news_again_is_news_unless_the_sender_says_it_is_the_same_delivery(
    client: aiohttp.ClientSession, world: World
) -> None:
    for _ in range(2):
        assert await post(client, HUB, PUSHED) == (202, "accepted")
    assert world.taken[0].id != world.taken[1].id
    body = push("app/x")
    for name in ("1", "1", "2"):
        assert await post(client, FORGE, body, signed(body, X_Gitea_Delivery=name)) == (202, "accepted")
    ids = [one.id for one in world.taken[2:]]
    assert ids[0] == ids[1] != ids[2]
    assert all(re.fullmatch(r"[!-~]{1,100}", one.id) for one in world.taken)


NOTHING: list[tuple[str, bytes, str]] = [
    ("a tag the constraint refuses", json.dumps({**PUSHED, "push_data": {"tag": "0.9.0"}}).encode(), HUB),
    ("a tag that is no version", json.dumps({**PUSHED, "push_data": {"tag": "latest"}}).encode(), HUB),
    ("an image nobody watches", json.dumps({**PUSHED, "repository": {"repo_name": "acme/other"}}).encode(), HUB),
    ("nothing at all", b"{}", HUB),
    ("a branch nobody follows", push("app/x", ref="refs/heads/next"), FORGE),
    ("a path that does not count", push("docs/x"), FORGE),
    ("a tag, where a branch is followed", push(ref="refs/tags/v1"), FORGE),
]


@pytest.mark.parametrize(("what", "body", "path"), NOTHING)
async def test_what_concerns_nobody_is_acknowledged_and_forgotten(
    client: aiohttp.ClientSession, world: World, what: str, body: bytes, path: str
) -> None:
    assert await post(client, path, body, signed(body)) == (200, "nothing to do")
    assert world.taken == []


TOKEN = HUB.rpartition("/")[2]
UNKNOWN = [
    HUB[:-1] + ("0" if HUB[-1] != "0" else "1"),
    HUB.replace(TOKEN, "x"),
    HUB.replace(TOKEN, "%C3%A9"),
    HUB.replace("dockerhub", "quay"),
    HUB.replace("dockerhub", "nobody"),
    HUB.replace("/hub/", "/hob/"),
    HUB.replace("gitops", "other"),
    doors.path("acme/gitops", "dockerhub", "hub", "another secret"),
    doors.path("acme/gitops", "quay", "lost", ""),
    doors.path("acme/gitops", "quay", "bad", ""),
    doors.path("acme/gitops", "dockerhub", "unknown", ""),
]


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_address_that_is_none_is_told_nothing(client: aiohttp.ClientSession, world: World, path: str) -> None:
    assert await post(client, path, PUSHED) == (404, "there is no such receiver")
    assert world.taken == []


async def test_strangers_cause_no_reading_of_secrets_beyond_one_in_ten_seconds(
    client: aiohttp.ClientSession, world: World
) -> None:
    for _ in range(50):
        await post(client, HUB.replace(TOKEN, "x"), PUSHED)
        await post(client, HUB.replace("gitops", "other"), PUSHED)
    assert world.asked == [(REPOSITORY, "hub-secret", "secret")]


@pytest.mark.parametrize("headers", [{}, signed(b"other"), signed(push("app/x"), "another secret")])
async def test_a_delivery_that_is_not_the_senders_is_refused(
    client: aiohttp.ClientSession, world: World, headers: dict[str, str]
) -> None:
    status, message = await post(client, FORGE, push("app/x"), headers)
    assert status == 401
    assert "secret" in message
    assert world.taken == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
async def test_garbage_is_refused(client: aiohttp.ClientSession, world: World, body: bytes) -> None:
    status, message = await post(client, HUB, body)
    assert status == 400
    assert message
    assert world.taken == []


async def test_a_form_is_read_too(client: aiohttp.ClientSession, world: World) -> None:
    async with client.post(HUB, data={"payload": json.dumps(PUSHED)}) as response:
        assert response.status == 202
    assert len(world.taken) == 1


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 202), (MAX_BODY + 1, 413), (MAX_BODY * 4, 413)])
async def test_a_body_has_a_limit(client: aiohttp.ClientSession, world: World, size: int, status: int) -> None:
    raw = json.dumps(PUSHED).encode()
    assert (await post(client, HUB, raw + b" " * (size - len(raw))))[0] == status
    assert len(world.taken) == (status == 202)


async def test_too_many_deliveries_are_put_off(client: aiohttp.ClientSession, world: World) -> None:
    async def one() -> int:
        return (await post(client, HUB, PUSHED))[0]

    answers = [status for _ in range(6) for status in await asyncio.gather(*(one() for _ in range(50)))]
    assert set(answers) == {202, 429}
    assert answers.count(202) == len(world.taken) >= 200
    body = push("app/x")
    assert (await post(client, FORGE, body, signed(body)))[0] == 202  # the others' doors stay open


async def test_a_failure_of_ours_is_the_senders_to_try_again(
    client: aiohttp.ClientSession, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.failure = RuntimeError("the database is on fire")
    status, message = await post(client, HUB, PUSHED)
    assert status == 500
    assert "fire" not in message
    assert "the database is on fire" in caplog.text


async def test_no_address_and_no_secret_gets_into_the_log(
    client: aiohttp.ClientSession, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await post(client, HUB, PUSHED)
        await post(client, HUB, b"{")
        await post(client, FORGE, b"{}", {"X-Hub-Signature-256": "sha256=guess"})
        await post(client, HUB + "0", PUSHED)
    assert caplog.records
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text
    assert "guess" not in caplog.text


async def test_only_post_is_a_delivery(client: aiohttp.ClientSession) -> None:
    async with client.get(HUB) as response:
        assert response.status == 405


KINDS = sorted(BY_NAME)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    kind=st.sampled_from(KINDS),
    body=st.binary(max_size=60)
    | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5)).map(
        lambda data: json.dumps(data).encode()
    ),
    content_type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "x"]),
    proof=st.booleans(),
)
async def test_no_request_gets_500(
    client: aiohttp.ClientSession, world: World, kind: str, body: bytes, content_type: str, proof: bool
) -> None:
    every = Pipeline({}, {}, receivers=tuple(Receiver(f"x-{one}", one, "s") for one in KINDS))
    world.subscribers.take(RepositoryName("acme/every"), every)
    world.secrets.update({("s", sender.KEY): SECRET for sender in BY_NAME.values()})
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    proofs = {
        "X-Hub-Signature-256": f"sha256={digest}",
        "X-Hub-Signature": f"sha256={digest}",
        "X-Jfrog-Event-Auth": digest,
        "X-Gitlab-Token": SECRET,
        "Authorization": SECRET,
    }
    path = doors.path("acme/every", kind, f"x-{kind}", SECRET)
    status, _ = await post(client, path, body, {"Content-Type": content_type, **(proofs if proof else {})})
    assert status in ({200, 400, 429} if proof else {200, 400, 401, 429})
