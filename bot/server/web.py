"""The web server: webhooks in, nothing let past that GitHub did not sign, and 202 only once the work is durable."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.server.doors import ROUTE, Doors
from bot.server.events import translate
from bot.server.intake import Intake, read_payload, refuse, take

# GitHub doesn't send more: https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
MAX_BODY = 25 * 1024 * 1024
_MIB = 1024 * 1024
_TOKEN = re.compile(r"[!-~]{1,100}")

Ready = Callable[[], Awaitable[Sequence[str]]]


async def always_ready() -> Sequence[str]:
    return ()


def make_app(
    intake: Intake,
    secrets: Sequence[str],
    bot_login: str,
    ready: Ready = always_ready,
    doors: Doors | None = None,
) -> web.Application:
    """The application, without its pages.

    `intake` makes a delivery durable; when it returns, GitHub is told that it arrived. `secrets` are all tried.
    `bot_login` is our own account. `ready` names what keeps the process from working, and nothing if nothing does.
    `doors` are for senders other than the App's GitHub.
    """
    if not secrets:
        raise ValueError("without a secret anybody could send webhooks")
    receiver = _Receiver(intake, [secret.encode() for secret in secrets], bot_login)
    app = web.Application(client_max_size=MAX_BODY + _MIB)
    app.router.add_post("/webhook", receiver.receive)
    if doors is not None:
        app.router.add_post(ROUTE, doors.receive)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _answer_ready(ready))
    return app


def make_runner(app: web.Application) -> web.AppRunner:
    """A runner for the application. Bodies stay as they were signed: GitHub compresses none, and others may lie."""
    return web.AppRunner(app, access_log=None, shutdown_timeout=5, auto_decompress=False)


def signature_holds(secrets: Sequence[bytes], body: bytes, signature: str) -> bool:
    """Whether one of the secrets signed the body, in constant time. SHA-1 signatures count for nothing.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    given = signature.encode("utf-8", "surrogateescape")  # as bytes: compare_digest refuses text beyond ASCII
    expected = [b"sha256=" + hmac.digest(secret, body, hashlib.sha256).hex().encode() for secret in secrets]
    return any([hmac.compare_digest(given, one) for one in expected])  # noqa: C419  # all, in any case


class _Receiver:
    def __init__(self, intake: Intake, secrets: Sequence[bytes], bot_login: str) -> None:
        self._intake = intake
        self._secrets = secrets
        self._bot_login = bot_login

    async def receive(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.RequestPayloadError:
            return refuse(400, "the body can't be read")
        if len(body) > MAX_BODY:
            return refuse(413, "the body is over 25 MB")
        if not signature_holds(self._secrets, body, request.headers.get("X-Hub-Signature-256", "")):
            return refuse(401, "the X-Hub-Signature-256 header is missing or doesn't match the body")
        if request.content_type not in ("application/json", "application/x-www-form-urlencoded"):
            return refuse(415, "the content type wants to be application/json or application/x-www-form-urlencoded")
        event, delivery_id = request.headers.get("X-GitHub-Event", ""), request.headers.get("X-GitHub-Delivery", "")
        if not _TOKEN.fullmatch(event) or not _TOKEN.fullmatch(delivery_id):
            return refuse(400, "the X-GitHub-Event or X-GitHub-Delivery header is missing or malformed")
        try:
            payload = read_payload(request.content_type, body)
        except ValueError as error:
            return refuse(400, f"the body is not the JSON object it should be: {error}")
        return await take(self._intake, translate(event, delivery_id, payload, self._bot_login))


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _answer_ready(ready: Ready) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        problems = await ready()
        return web.Response(text="\n".join(problems or ["ready"]) + "\n", status=503 if problems else 200)

    return answer
