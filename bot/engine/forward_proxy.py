"""A forward proxy on this machine that holds the rules of egress for programs that connect by themselves.

helm, kustomize and git are told of it by their environment. What it judges is what it connects to, so that a name that
changes its mind gains nothing. https://www.rfc-editor.org/rfc/rfc9110#name-connect
"""

import asyncio
import base64
import hmac
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from bot.core.egress import EgressRules
from bot.engine.egress import GuardedResolver, literal_refusal
from bot.errors import UserError

log = logging.getLogger(__name__)

_HEAD_LIMIT = 64 * 1024
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 15.0
_IDLE_SECONDS = 300.0
_CHUNK = 64 * 1024
_NAME = "towpath"
# Those that are between two neighbours only: https://www.rfc-editor.org/rfc/rfc9110#name-connection
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade")
)


class Refused(Exception):
    """The answer instead of a connection."""

    def __init__(self, status: int, because: str, *more: str) -> None:
        super().__init__(because)
        self.status = status
        self.headers = more


class ForwardProxy:
    """Where it listens, and what those who may use it are given."""

    def __init__(self, rules: EgressRules, resolver: AbstractResolver) -> None:
        self._rules = rules
        self._resolver = GuardedResolver(resolver, rules)
        self._password = secrets.token_urlsafe(24)
        self.port = 0

    def environment(self, *direct: str) -> Mapping[str, str]:
        """The variables that programs take a proxy from; `direct` are hosts they ask without it."""
        url = f"http://{_NAME}:{self._password}@127.0.0.1:{self.port}"
        pairs = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": ",".join(direct)}
        return {name: value for key, value in pairs.items() for name in (key, key.lower())}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            await self._serve(reader, writer)
        except Refused as refused:
            log.info("the proxy refuses a request", extra={"because": str(refused)})
            text = f"{refused}\n".encode()
            head = [f"HTTP/1.1 {refused.status} Refused", *refused.headers, "Content-Type: text/plain; charset=utf-8"]
            with suppress(OSError):
                writer.write(_head([*head, f"Content-Length: {len(text)}", "Connection: close"]) + text)
                await writer.drain()
        except (OSError, EOFError, TimeoutError):
            pass  # either side went away: the other learns of it by the end of its connection
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            raise Refused(431, "the request's head is too large") from None
        lines = head.split("\r\n")[:-2]
        headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        self._authenticate({name.lower(): value for name, value in headers}.get("proxy-authorization", ""))
        try:
            method, target, _ = lines[0].split(" ")
            parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
            host, port = parts.hostname or "", parts.port or (443 if method == "CONNECT" else 80)
        except ValueError:
            raise Refused(400, "this is no request to a proxy") from None
        if not host or (method != "CONNECT" and parts.scheme != "http"):
            raise Refused(400, "this is no request to a proxy")
        there, back = await self._connect(host, port)
        try:
            if method == "CONNECT":
                writer.write(_head(["HTTP/1.1 200 Connection established"]))
                await _both_ways((reader, back), (there, writer))
            else:
                await self._forward(lines[0], parts.path, parts.query, parts.netloc, headers, reader, back)
                await _copy(there, writer)
        finally:
            back.close()

    def _authenticate(self, given: str) -> None:
        wanted = "Basic " + base64.b64encode(f"{_NAME}:{self._password}".encode()).decode()
        if not hmac.compare_digest(given.encode("latin-1"), wanted.encode()):
            raise Refused(407, "this proxy is for Towpath's own programs", f'Proxy-Authenticate: Basic realm="{_NAME}"')

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to one of the addresses that were judged."""
        if because := literal_refusal(self._rules, host):
            raise Refused(403, f'requests to "{host}" are refused: it {because}')
        try:
            found = await self._resolver.resolve(host, port)
        except UserError as error:
            raise Refused(403, str(error)) from error
        except OSError as error:
            raise Refused(502, f'no address is known for "{host}"') from error
        for result in found:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        result["host"], port, family=result["family"], flags=socket.AI_NUMERICHOST
                    )
        raise Refused(502, f'can\'t connect to "{host}"')

    async def _forward(
        self,
        request: str,
        path: str,
        query: str,
        netloc: str,
        headers: list[tuple[str, str]],
        reader: asyncio.StreamReader,
        there: asyncio.StreamWriter,
    ) -> None:
        """The request as the server itself is asked, and the body that goes with it; nothing after it."""
        told = {name.lower(): value for name, value in headers}
        if "transfer-encoding" in told or not told.get("content-length", "0").isdigit():
            raise Refused(501, "bodies of unknown length can't be sent through this proxy")
        target = f"{path or '/'}{f'?{query}' if query else ''}"
        kept = [f"{name}: {value}" for name, value in headers if name.lower() not in {*_HOP_BY_HOP, "host"}]
        host = f"Host: {netloc.rpartition('@')[2]}"
        there.write(_head([f"{request.split(' ', maxsplit=1)[0]} {target} HTTP/1.1", host, *kept, "Connection: close"]))
        left = int(told.get("content-length", "0"))
        while left:
            async with asyncio.timeout(_IDLE_SECONDS):
                part = await reader.read(min(left, _CHUNK))
            if not part:
                raise EOFError
            left -= len(part)
            there.write(part)
            await there.drain()


@asynccontextmanager
async def forward_proxy(rules: EgressRules, resolver: AbstractResolver | None = None) -> AsyncIterator[ForwardProxy]:
    """A proxy that listens on this machine only, until this is left."""
    proxy = ForwardProxy(rules, resolver or aiohttp.ThreadedResolver())
    under_way: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(proxy.serve(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=_HEAD_LIMIT)
    try:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await server.wait_closed()


async def _both_ways(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for reader, writer in ways:
            tasks.create_task(_copy(reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All of it until its end, which is passed on, too."""
    with suppress(OSError, TimeoutError):
        while True:
            async with asyncio.timeout(_IDLE_SECONDS):
                part = await reader.read(_CHUNK)
            if not part:
                break
            writer.write(part)
            await writer.drain()
    with suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()


def _head(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
