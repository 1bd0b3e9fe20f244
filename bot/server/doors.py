"""Doors for senders other than the App's GitHub: `/webhook/<sender>/<owner>/<repository>/<receiver>/<token>`.

The address is checked before anything is read of a body, against receivers this process already knows. So whoever
knows none causes no look, no fetch and no answer that tells one unknown address from another.
"""

import asyncio
import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from cachetools import TTLCache

from bot.contracts import Message, Sender
from bot.core.doors import token
from bot.core.model import Receiver, RepositoryName
from bot.engine.subscribers import Subscribers
from bot.errors import UserError
from bot.server.events import Delivery
from bot.server.intake import Intake, read_payload, refuse, take

log = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024
ROUTE = "/webhook/{sender}/{owner}/{repository}/{name}/{token}"
_BODY_WITHIN = 30.0  # seconds
_SECRETS_FOR = 10.0  # seconds: a secret that changed counts after that
_AT_ONCE, _PER_SECOND = 200.0, 5.0  # deliveries of one receiver
_NAME = re.compile(r"[!-~]{1,200}")

Secrets = Callable[[RepositoryName, str, str], str | None]
"""One value of a repository's secret, by the secret's name and key. Raises UserError."""


@dataclass(slots=True)
class _Allowance:
    """How many deliveries may still come now: what is over that waits for the sender's next attempt, or the poll."""

    at: float
    left: float = field(default=_AT_ONCE)

    def take(self, now: float) -> bool:
        self.left = min(_AT_ONCE, self.left + (now - self.at) * _PER_SECOND)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Doors:
    """The receivers of all repositories. `intake` makes a delivery durable before it is acknowledged."""

    def __init__(
        self, intake: Intake, senders: Mapping[str, Sender], subscribers: Subscribers, secrets: Secrets
    ) -> None:
        self._intake = intake
        self._senders = senders
        self._subscribers = subscribers
        self._secrets = secrets
        self._read: TTLCache[tuple[RepositoryName, str, str], str] = TTLCache(10_000, _SECRETS_FOR)
        self._allowances: TTLCache[tuple[RepositoryName, str], _Allowance] = TTLCache(10_000, 3600.0)

    async def receive(self, request: web.Request) -> web.Response:
        kind, given = request.match_info["sender"], request.match_info["token"]
        repository = f"{request.match_info['owner']}/{request.match_info['repository']}"
        found = self._subscribers.receiver(repository, kind, request.match_info["name"])
        sender = self._senders.get(kind)
        secret = self._secret(*found, sender) if found and sender else ""
        wanted = token(repository, kind, request.match_info["name"], secret)
        known = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())
        if not (found and sender and secret and known):
            return web.json_response({"message": "there is no such receiver"}, status=404)
        try:
            body = await _body(request)
        except (TimeoutError, web.RequestPayloadError, ConnectionError):
            return refuse(400, "the body can't be read")
        if body is None:
            return refuse(413, "the body is over 2 MB")
        message = Message({name.lower(): value for name, value in request.headers.items()}, body)
        if not sender.authentic(message, secret):
            return refuse(401, "the delivery does not prove that it is the sender's: check the secret on both sides")
        return await self._take(found, sender, message, request.content_type)

    async def _take(
        self, found: tuple[RepositoryName, Receiver], sender: Sender, message: Message, content_type: str
    ) -> web.Response:
        repository, receiver = found
        now = asyncio.get_running_loop().time()
        allowance = self._allowances.setdefault((repository, receiver.name), _Allowance(now))
        if not allowance.take(now):
            return refuse(429, "too many deliveries; the rest is found later", **{"Retry-After": "60"})
        try:
            told = sender.read(message, read_payload(content_type, message.body), receiver.config)
        except ValueError as error:
            return refuse(400, f"the body is not what it should be: {str(error)[:200]}")
        concerned = self._subscribers.of_one(repository, told)
        delivery = Delivery(_id(found, sender.delivery(message)), f"receiver/{sender.NAME}")
        if concerned:
            delivery = Delivery(delivery.id, delivery.event, warehouses={repository: concerned})
        return await take(self._intake, delivery, nothing=200)

    def _secret(self, repository: RepositoryName, receiver: Receiver, sender: Sender) -> str:
        """The value; empty where there is none, or it can't be read: there is no door then."""
        key = (repository, receiver.secret, sender.KEY)
        known = self._read.get(key)
        if known is None:
            try:
                known = self._secrets(*key) or ""
            except UserError as error:
                log.warning("a receiver's secret can't be read: %s", error)
                known = ""
            self._read[key] = known
        return known


async def _body(request: web.Request) -> bytes | None:
    """The body as it was signed; None when it is too large."""
    body = bytearray()
    async with asyncio.timeout(_BODY_WITHIN):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    return bytes(body)


def _id(found: tuple[RepositoryName, Receiver], name: str) -> str:
    """What the delivery is known by. A sender without names for them may say the same twice and mean it."""
    own = name if _NAME.fullmatch(name) else uuid.uuid4().hex
    repository, receiver = found
    about = "\n".join((repository.lower(), receiver.kind, receiver.name, own))
    return f"receiver-{hashlib.sha256(about.encode()).hexdigest()[:40]}"
