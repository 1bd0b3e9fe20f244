"""Outbound connections under rules, held when a name has been resolved: what is judged is what is connected to."""

import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.core.egress import EgressRules
from bot.errors import UserError


class GuardedResolver(AbstractResolver):
    """Resolves names with another resolver and refuses a name of which any address is refused."""

    def __init__(self, resolver: AbstractResolver, rules: EgressRules) -> None:
        self._resolver = resolver
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises UserError for a refused address, OSError for a name that has none."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if because := self._rules.refusal(host, result["host"]):
                raise UserError(f'requests to "{host}" are refused: its address {result["host"]} {because}')
        return found

    async def close(self) -> None:
        await self._resolver.close()


def literal_refusal(rules: EgressRules, host: str) -> str | None:
    """Why a host that is written as an address is refused: such never reach a resolver. None for names."""
    address = host.strip("[]")
    return rules.refusal(address, address) if ":" in address or address.replace(".", "").isdigit() else None


def guarded_session(
    rules: EgressRules, resolver: AbstractResolver | None = None, **options: Any
) -> aiohttp.ClientSession:
    """A session that connects only where the rules allow, redirects included, and keeps no cookies.

    Its requests raise UserError where they don't.
    """

    async def judge(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        host = request.url.host or ""
        if because := literal_refusal(rules, host):
            raise UserError(f'requests to "{host}" are refused: it {because}')
        return await handler(request)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=GuardedResolver(resolver or aiohttp.ThreadedResolver(), rules)),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(judge,),
        **options,
    )


class Egress:
    """The same rules for programs that connect by themselves: asked before they are run."""

    def __init__(
        self, rules: EgressRules, always: tuple[str, ...] = (), resolver: AbstractResolver | None = None
    ) -> None:
        """`always` are addresses (URLs) of servers that may be asked whatever the rules say: GitHub's own."""
        self._rules = rules
        self._always = frozenset(_server(url) for url in always)
        self._resolver = resolver or aiohttp.ThreadedResolver()

    async def check(self, url: str) -> None:
        """Raises UserError where the server of the URL may not be asked. One that isn't known is none of our concern:
        the program will say so."""
        scheme, host, port = _server(url)
        if (scheme, host, port) not in self._always:
            await self.addresses(url)

    async def addresses(self, url: str) -> tuple[str, ...]:
        """The addresses that the server of the URL has, as the resolver orders them; none where it isn't known.

        For programs that are told the address, so that what is judged is what they connect to. Raises UserError.
        """
        _, host, port = _server(url)
        if because := literal_refusal(self._rules, host):
            raise UserError(f'requests to "{host}" are refused: it {because}')
        try:
            found = await GuardedResolver(self._resolver, self._rules).resolve(host, port)
        except OSError:
            return ()
        return tuple(result["host"] for result in found)


def _server(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "ssh": 22}.get(parts.scheme, 443)
