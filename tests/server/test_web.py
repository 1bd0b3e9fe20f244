"""Webhooks over HTTP: what gets in, what is turned away and how, and that nothing bad makes us stumble."""

import asyncio
import gzip
import hashlib
import hmac
import io
import json
import logging
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.server.events import translate
from bot.server.intake import read_payload
from bot.server.web import MAX_BODY, make_app, make_runner, signature_holds

BOT = "towpath[bot]"
PUSH = {"ref": "refs/heads/main", "repository": {"full_name": "acme/shop"}, "sender": {"login": "maintainer"}}


def sign(body, secret="new"):  # noqa: S107
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(body, **changes):
    base = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": sign(body),
    }
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**base, **named}.items() if value is not None}


class Intake:
    """Takes deliveries, or fails to."""

    def __init__(self):
        self.taken = []
        self.failure = None
        self.problems = []

    async def __call__(self, delivery):
        if self.failure:
            raise self.failure
        self.taken.append(delivery)

    async def ready(self):
        return self.problems


@pytest.fixture
def intake():
    return Intake()


@pytest.fixture
async def port(intake):
    runner = make_runner(make_app(intake, ("new", "öld"), BOT, intake.ready))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture
async def client(port):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session


async def post(client, body, **changes):
    async with client.post("/webhook", data=io.BytesIO(body), headers=headers(body, **changes)) as response:
        return response.status, (await response.json())["message"]


BODY = json.dumps(PUSH).encode()
FORM = urlencode({"payload": BODY.decode()}).encode()


def test_githubs_own_example_of_a_signature():
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    secret = b"It's a Secret to Everybody"
    assert signature_holds([b"other", secret], b"Hello, World!", signature)
    assert not signature_holds([secret], b"Hello, World?", signature)
    assert not signature_holds([b"other"], b"Hello, World!", signature)


async def test_a_signed_webhook_is_taken_before_it_is_acknowledged(client, intake):
    assert await post(client, BODY) == (202, "accepted")
    assert intake.taken == [translate("push", "72d3162e-cc78-11e3-81ab-4c9367dc0958", PUSH, BOT)]


async def test_an_older_secret_still_counts(client, intake):
    assert await post(client, BODY, X_Hub_Signature_256=sign(BODY, "öld")) == (202, "accepted")
    assert len(intake.taken) == 1


async def test_forms_are_read_too(client, intake):
    assert await post(client, FORM, Content_Type="application/x-www-form-urlencoded") == (202, "accepted")
    assert intake.taken[0].looks == ("acme/shop",)


async def test_what_asks_for_nothing_is_acknowledged_and_forgotten(client, intake):
    body = b'{"zen": "Keep it logically awesome."}'
    assert await post(client, body, X_GitHub_Event="ping") == (202, "nothing to do")
    assert intake.taken == []


SHA1 = "sha1=" + hmac.new(b"new", BODY, hashlib.sha1).hexdigest()
REFUSED = [
    (BODY, {"X_Hub_Signature_256": None}, 401),
    (BODY, {"X_Hub_Signature_256": ""}, 401),
    (BODY, {"X_Hub_Signature_256": "sha256="}, 401),
    (BODY, {"X_Hub_Signature_256": sign(BODY, "stolen")}, 401),
    (BODY, {"X_Hub_Signature_256": sign(BODY).removeprefix("sha256=")}, 401),
    (BODY, {"X_Hub_Signature_256": sign(BODY).upper()}, 401),
    (BODY, {"X_Hub_Signature_256": sign(BODY + b" ")}, 401),
    (BODY, {"X_Hub_Signature_256": "sha256=é" + "0" * 62}, 401),
    (BODY, {"X_Hub_Signature_256": SHA1}, 401),
    (BODY, {"X_Hub_Signature_256": None, "X_Hub_Signature": SHA1}, 401),
    (BODY, {"Content_Type": "text/plain"}, 415),
    (BODY, {"X_GitHub_Event": None}, 400),
    (BODY, {"X_GitHub_Delivery": None}, 400),
    (BODY, {"X_GitHub_Delivery": "x" * 101}, 400),
    (BODY, {"X_GitHub_Delivery": "é"}, 400),
    (BODY, {"Content_Type": "application/x-www-form-urlencoded"}, 400),
    (FORM, {"Content_Type": "application/json"}, 400),
    (FORM + b"&" + FORM, {"Content_Type": "application/x-www-form-urlencoded"}, 400),
    (b"payload=%ff", {"Content_Type": "application/x-www-form-urlencoded"}, 400),
    (b"\xff", {"Content_Type": "application/x-www-form-urlencoded"}, 400),
    (b"", {}, 400),
    (b"{", {}, 400),
    (b"[]", {}, 400),
    (b'"push"', {}, 400),
    (b"\xff\xfe", {}, 400),
    (b'{"a": ' + b"9" * 5000 + b"}", {}, 400),
    (b"[" * 100_000, {}, 400),
]


@pytest.mark.parametrize(("body", "changes", "status"), REFUSED)
async def test_what_is_not_githubs_or_not_what_it_says_is_refused(client, intake, body, changes, status):
    answer, message = await post(client, body, **changes)
    assert answer == status
    assert message
    assert intake.taken == []


async def test_a_signature_that_is_no_text_at_all_is_refused(port):
    """As raw bytes, as no client library would send it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"X-GitHub-Event: push\r\nX-GitHub-Delivery: 1\r\nX-Hub-Signature-256: sha256=\xff\xfe\x80\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "body", [BODY, gzip.compress(BODY, mtime=0), gzip.compress(BODY, mtime=0)[:-9]], ids=["plain", "gzip", "cut short"]
)
async def test_a_body_is_taken_as_it_was_signed_whatever_encoding_it_claims(client, intake, body):
    changes = {"Content_Encoding": "gzip", "X_Hub_Signature_256": sign(body)}
    status, _ = await post(client, body, **changes)
    assert (status, len(intake.taken)) == ((202, 1) if body == BODY else (400, 0))


@pytest.mark.parametrize("size", [MAX_BODY + 1, MAX_BODY + 2 * 1024 * 1024])
async def test_a_body_over_25_mb_is_refused(client, size):
    body = b" " * size
    async with client.post("/webhook", data=io.BytesIO(body), headers=headers(body)) as response:
        assert response.status == 413


async def test_a_body_of_25_mb_is_taken(client, intake):
    body = BODY + b" " * (MAX_BODY - len(BODY))
    assert await post(client, body) == (202, "accepted")


async def test_a_failure_of_ours_has_a_number_and_its_cause_in_the_log_only(client, intake, caplog):
    intake.failure = RuntimeError("the database is on fire")
    with caplog.at_level(logging.ERROR):
        status, message = await post(client, BODY)
    assert status == 500
    assert "fire" not in message
    assert message.split()[-1] in caplog.text
    assert "the database is on fire" in caplog.text


async def test_no_secret_and_no_body_gets_into_the_log(client, intake, caplog):
    with caplog.at_level(logging.DEBUG):
        await post(client, b'{"token": "hunter2"}')
        await post(client, b'hunter2 {"')
    assert caplog.records
    assert "hunter2" not in caplog.text


async def test_only_post_is_a_webhook(client):
    async with client.get("/webhook") as response:
        assert response.status == 405


async def test_health_and_readiness(client, intake):
    async with client.get("/healthz") as response:
        assert (response.status, await response.text()) == (200, "alive\n")
    async with client.get("/readyz") as response:
        assert (response.status, await response.text()) == (200, "ready\n")
    intake.problems = ["the database can't be reached"]
    async with client.get("/readyz") as response:
        assert (response.status, await response.text()) == (503, "the database can't be reached\n")


def test_a_server_without_secrets_does_not_start(intake):
    with pytest.raises(ValueError, match="without a secret"):
        make_app(intake, (), BOT)


words = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
bodies = (
    st.binary(max_size=100)
    | st.dictionaries(st.text(max_size=10), st.integers() | st.text(), max_size=5).map(lambda d: json.dumps(d).encode())
    | st.text(max_size=50).map(lambda text: urlencode({"payload": text}).encode())
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    body=bodies,
    event=st.sampled_from(["push", "issue_comment", "ping"]) | words,
    delivery=words,
    content_type=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "application/json; charset=x"]
    )
    | words,
    signature=st.none() | words,
)
async def test_no_request_gets_500(client, intake, body, event, delivery, content_type, signature):
    changes = {
        "X_GitHub_Event": event.strip(),
        "X_GitHub_Delivery": delivery.strip(),
        "Content_Type": content_type.strip(),
        "X_Hub_Signature_256": sign(body) if signature is None else signature.strip(),
    }
    status, _ = await post(client, body, **changes)
    assert status in (202, 400, 401, 415)
    assert (status == 401) == (signature is not None)


@given(st.binary())
def test_any_body_is_an_object_or_a_value_error(body):
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        try:
            payload = read_payload(content_type, body)
        except ValueError:
            continue
        assert isinstance(payload, dict)
