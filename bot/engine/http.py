"""Outbound HTTP under rules: where it may go, how long it may take, how much it may bring back.

Error texts name the host, never the path, query, headers or credentials: those may hold secrets.
"""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from bot.contracts import HttpAnswer
from bot.contracts.metrics import Unreachable
from bot.core.egress import EgressRules
from bot.engine.egress import guarded_session, literal_refusal
from bot.errors import UserError

_MEBIBYTE = 1024 * 1024
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
# The only headers that go along to another party: a header of any other name may be a credential.
_HARMLESS = frozenset(("accept", "accept-language", "content-type", "user-agent"))


class OutboundHttp:
    """The `Http` port. Enter it as an asynchronous context: it owns its connections.

    `rules` say where it may go; link-local and metadata addresses are refused whatever they say.
    """

    def __init__(
        self,
        *,
        rules: EgressRules,
        size_limit: int = 10 * _MEBIBYTE,
        redirect_limit: int = 10,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._rules = rules
        self._size_limit = size_limit
        self._redirect_limit = redirect_limit
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = guarded_session(
            self._rules,
            self._resolver,
            timeout=aiohttp.ClientTimeout(total=None),  # `request` bounds the whole, redirects and body included
            headers={"User-Agent": "towpath"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        timeout_seconds: float = 10.0,
        insecure: bool = False,
        size_limit: int | None = None,
    ) -> HttpAnswer:
        """Ask, follow redirects, read the whole answer. Raises UserError on refusal or failure, not for a status."""
        target = _parsed(url)
        try:
            async with asyncio.timeout(timeout_seconds):
                limit = self._size_limit if size_limit is None else size_limit
                return await self._follow(method, target, CIMultiDict(headers), body, insecure, limit)
        except TimeoutError as error:
            raise Unreachable(f"{_where(method, target)}: no answer within {timeout_seconds:g} s") from error

    async def _follow(
        self, method: str, url: URL, headers: CIMultiDict[str], body: bytes | None, insecure: bool, limit: int
    ) -> HttpAnswer:
        for _ in range(self._redirect_limit + 1):
            answer = await self._ask(method, url, headers, body, insecure, limit)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            # Methods and bodies as browsers and Go do it: https://fetch.spec.whatwg.org/#http-redirect-fetch
            if answer.status in (301, 302, 303) and method not in ("GET", "HEAD"):
                method, body = "GET", None
                headers.popall("Content-Type", None)
            before, url = url, url.join(_parsed(location, relative_to=url))
            if not same_party(before, url):
                if body is not None:
                    raise UserError(
                        f"{_where(method, before)} redirects to {_origin(url)}: a request with a body is not repeated "
                        "to another host; use the address it redirects to"
                    )
                headers = CIMultiDict((name, value) for name, value in headers.items() if name.lower() in _HARMLESS)
        raise UserError(f"{_where(method, url)}: more than {self._redirect_limit} redirects")

    async def _ask(
        self, method: str, url: URL, headers: CIMultiDict[str], body: bytes | None, insecure: bool, limit: int
    ) -> HttpAnswer:
        if self._session is None:
            raise RuntimeError("OutboundHttp was used before it was entered or after it was left")
        where = _where(method, url)
        self._check(url, where)
        try:
            async with self._session.request(
                method,
                url.with_user(None) if "Authorization" in headers else url,
                headers=headers,
                data=None if body is None else BytesIO(body),  # aiohttp warns of large ones given as they are
                allow_redirects=False,
                ssl=not insecure,
            ) as response:
                return HttpAnswer(response.status, response.headers, await self._read(response, where, limit))
        except aiohttp.ClientConnectorCertificateError as error:
            raise UserError(f"{where}: its certificate is not trusted: {error.certificate_error}") from error
        except aiohttp.ClientConnectorDNSError as error:
            raise Unreachable(f"{where}: no address is known for this host") from error
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"{where}: can't connect: {error.os_error.strerror or error.os_error}") from error
        except aiohttp.ClientResponseError as error:
            raise UserError(f"{where}: the answer is not HTTP as it should be: {error.message}") from error
        except aiohttp.ClientError as error:
            raise Unreachable(f"{where}: the connection broke ({type(error).__name__})") from error
        except ValueError as error:  # aiohttp's word for a method or header that can't be sent
            raise UserError(f"{where}: the request can't be sent; look for line breaks in headers") from error

    def _check(self, url: URL, where: str) -> None:
        """Addresses written as such never reach the resolver, so they are judged here."""
        host = url.host or ""
        if because := literal_refusal(self._rules, host):
            raise UserError(f"{where} is refused: {host} {because}")

    async def _read(self, response: aiohttp.ClientResponse, where: str, limit: int) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > limit:
                raise UserError(f"{where}: the answer is larger than {limit // 1024} KiB")
        return bytes(body)


def same_party(before: URL, after: URL) -> bool:
    """Whether what may be told to the one address may be told to the other: same origin, or the step up to https."""
    here, there = ((url.scheme, url.host, url.port) for url in (before, after))
    return there == here or (here == ("http", before.host, 80) and there == ("https", before.host, 443))


def _parsed(text: str, *, relative_to: URL | None = None) -> URL:
    try:
        url = URL(text)
        complete = relative_to.join(url) if relative_to else url
        if complete.scheme not in ("http", "https") or not complete.host:
            raise UserError(f"only http:// and https:// addresses can be asked, not {_origin(complete)}")
        if complete.port is not None and not 0 < complete.port < 65536:
            raise ValueError(complete.port)
    except ValueError as error:
        raise UserError("this is no web address: it can't be read as a URL") from error
    return url


def _where(method: str, url: URL) -> str:
    return f"{method} {_origin(url)}"


def _origin(url: URL) -> str:
    """Scheme, host and port, as far as there are any."""
    return str(url.origin()) if url.absolute and url.host else f'"{url.scheme or "no scheme"}:"'
