"""One request to a registry, with everything that may go wrong told apart: refusal, limit, outage, a lie.

Credentials go to the registry that they are for and to the token service it names, nowhere else.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from weakref import WeakValueDictionary

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from bot.contracts.clock import Clock
from bot.core.urls import RegistryAddress
from bot.errors import Retry, UserError
from bot.registry.limits import Guest, Limits, retry_after

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_WHEN_DOWN = timedelta(seconds=30)
_ERROR_LIMIT = 1 << 20  # bytes of what is said instead of what was asked for
_PIECE = 1 << 19

Receive = Callable[[bytes], Awaitable[None]]
"""Takes what is too large to be held, piece by piece."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `url` is where it came from at last, after redirects."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: URL


@dataclass(frozen=True, slots=True)
class Request:
    """`about` names what this is for in messages: the repository as the user wrote it. `limit` is in bytes.

    `account` is the one that the registry will know us by; `is_pull` says that registries which count, count this.
    `file` is sent instead of `body`; `receive` takes the body of an answer 200 instead of the answer. `seconds` is for
    the whole of it; None is what is usual.
    """

    url: URL
    about: str
    method: str = "GET"
    accept: str = "*/*"
    limit: int = 1 << 20
    verify_tls: bool = True
    headers: Mapping[str, str] | None = None
    body: bytes | None = field(default=None, repr=False)
    account: str = ""
    is_pull: bool = False
    file: Path | None = None
    receive: Receive | None = None
    seconds: float | None = None

    @property
    def host(self) -> str:
        return self.url.authority

    @property
    def guest(self) -> Guest:
        return (self.host, self.account)


class Transport:
    """Sends requests, at most `concurrency` at once to one registry, and none to one that asked for a pause."""

    def __init__(
        self, session: aiohttp.ClientSession, clock: Clock, *, concurrency: int = 16, timeout_seconds: float = 60
    ) -> None:
        self._session, self.clock = session, clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=10, sock_read=30)
        self._concurrency = concurrency
        self._gates: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._limits = Limits()

    async def send(self, request: Request, authorization: str = "") -> Answer:
        """The answer, whatever its status, but for 429 and 5xx, which raise Retry, as does an outage.

        Raises UserError for an answer over the limit, a redirect that can't be followed, and a certificate that
        does not hold.
        """
        gate = self._gates.get(request.host) or asyncio.Semaphore(self._concurrency)
        self._gates[request.host] = gate
        async with gate:
            self._wait_if_told(request)
            try:
                answer = await self._follow(request, authorization)
            except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as error:
                raise UserError(
                    f"{request.about}: the certificate of {request.host} is not trusted ({_plain(str(error))}). "
                    "Use a registry with a valid certificate, or set insecureSkipTLSVerify."
                ) from error
            except TimeoutError as error:
                raise self._later(f"{request.about}: {request.host} did not answer in time") from error
            except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
                raise UserError(f"{request.about}: {_plain(str(request.url))} is not an address") from error
            except aiohttp.ClientError as error:
                raise self._later(f"{request.about}: {request.host} can't be reached ({_plain(str(error))})") from error
        self._raise_for_trouble(request, answer)
        return answer

    def _wait_if_told(self, request: Request) -> None:
        now = self.clock.now()
        if (pause := self._limits.pause(request.guest)) and pause > now:
            raise Retry(pause, f"{request.about}: {request.host} limits requests")
        if request.is_pull and (told := self._limits.next_pull(request.guest)) and told[0] > now:
            left, whose = told[1], "this account" if request.account else "this address"
            raise Retry(
                told[0],
                f"{request.about}: {request.host} allows {whose} {left.remaining} more of {left.limit} pulls "
                f"in {left.window.total_seconds() / 3600:g} h, so new images are looked at slowly; "
                "credentials of an account with a higher limit help",
            )

    async def _follow(self, request: Request, authorization: str) -> Answer:
        url = request.url
        for _ in range(_MAX_REDIRECTS + 1):
            headers = {"Accept": request.accept, **(request.headers or {})}
            if authorization and url.origin() == request.url.origin():
                headers["Authorization"] = authorization
            async with await self._request(request, url, headers) as response:
                target = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not target:
                    body = b"" if request.method == "HEAD" else await _read(response, request)
                    return Answer(response.status, response.headers, body, url)
                if request.body is not None:
                    raise UserError(f"{request.about}: {request.host} redirects what may hold a secret")
                if request.method not in {"GET", "HEAD"}:
                    raise UserError(f"{request.about}: {request.host} wants what is pushed to it sent elsewhere")
                url = self._redirected(request, url, target)
        raise UserError(f"{request.about}: {request.host} redirects in circles")

    async def _request(self, request: Request, url: URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        try:
            return await self._session.request(
                request.method,
                url,
                headers=headers,
                data=_pieces(request.file) if request.file else request.body,
                allow_redirects=False,
                timeout=self._patience(request),
                ssl=request.verify_tls,
            )
        except UserError as error:  # the session connects where it may, and nowhere else
            raise UserError(f"{request.about}: {error}") from error

    def _patience(self, request: Request) -> aiohttp.ClientTimeout:
        if request.seconds is None:
            return self._timeout
        # A registry may take its time to check what it was sent before it answers.
        silence = 30 if request.method in {"GET", "HEAD"} else 300
        return aiohttp.ClientTimeout(total=request.seconds, sock_connect=10, sock_read=min(silence, request.seconds))

    def _redirected(self, request: Request, url: URL, target: str) -> URL:
        try:
            there = url.join(URL(target, encoded=True))
            allowed = there.scheme == "https" or (there.scheme == "http" and request.url.scheme == "http")
        except ValueError:
            allowed = False
        if not allowed or not there.host or (there.scheme == "http" and not is_loopback(there)):
            raise UserError(
                f"{request.about}: {request.host} redirects to {_plain(target)}, which is not a safe address to follow"
            )
        return there

    def _raise_for_trouble(self, request: Request, answer: Answer) -> None:
        now = self.clock.now()
        self._limits.note(request.guest, answer.headers, now)
        if answer.status == 429:
            pause = self._limits.limited(request.guest, answer.headers, now)
            raise Retry(pause, f"{request.about}: {request.host} limits requests{reason(answer)}")
        if answer.status >= 500:
            because = f"{request.about}: {request.host} answered {answer.status}{reason(answer)}"
            raise Retry(retry_after(answer.headers, now, _WHEN_DOWN), because)

    def _later(self, because: str) -> Retry:
        return Retry(self.clock.now() + _WHEN_DOWN, because)


async def _read(response: aiohttp.ClientResponse, request: Request) -> bytes:
    receive = request.receive if response.status == 200 else None
    limit = request.limit if receive or request.receive is None else _ERROR_LIMIT
    body, size = bytearray(), 0
    async for chunk in response.content.iter_chunked(_PIECE if receive else 1 << 16):
        size += len(chunk)
        if size > limit:
            raise UserError(
                f"{request.about}: an answer of {request.host} is larger than {limit:,} bytes, "
                "so it is not what it should be"
            )
        if receive:
            await receive(chunk)
        else:
            body += chunk
    return bytes(body)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    """The content of a file. It is opened for each piece: whoever is cancelled while it opens could not close it."""

    def read(start: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(_PIECE)

    position = 0
    while piece := await asyncio.to_thread(read, position):
        position += len(piece)
        yield piece


def is_loopback(url: URL) -> bool:
    """Whether an address is on this machine."""
    return RegistryAddress(url.authority, "").is_loopback


def reason(answer: Answer) -> str:
    """What the registry says of an error, as ` (CODE: text)`, harmless wherever it is shown; or nothing."""
    code = re.search(rb'"code"\s*:\s*"([A-Z_]{1,40})"', answer.body[:4096])
    text = re.search(rb'"(?:message|details)"\s*:\s*"([^"\\]{1,200})"', answer.body[:4096])
    said = ": ".join(_plain(found[1].decode("utf-8", "replace")) for found in (code, text) if found)
    return f" ({said})" if said else ""


def _plain(text: str) -> str:
    """Foreign text without what Markdown or a mention could be made of."""
    return " ".join(re.sub(r"[^A-Za-z0-9.,:;/_='()-]+", " ", text).split())[:200]
