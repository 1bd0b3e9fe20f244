"""Being let in: anonymous, Basic or Bearer, with tokens kept until shortly before they lapse.

https://distribution.github.io/distribution/spec/auth/token/
"""

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cachetools import LRUCache
from yarl import URL

from bot.core.urls import RegistryAddress
from bot.errors import UserError
from bot.registry.challenge import Challenge, challenges
from bot.registry.transport import Answer, Request, Transport, is_loopback, reason

_DEFAULT_LIFE = timedelta(seconds=60)  # what the token specification says when `expires_in` is missing
_LONGEST_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password or token for a registry."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


FindCredentials = Callable[[RegistryAddress], Awaitable[Credentials | None]]


@dataclass(frozen=True, slots=True)
class _Permission:
    header: str = field(repr=False)
    until: datetime


class Access:
    """Sends requests to registries as somebody who may."""

    def __init__(self, transport: Transport, credentials: FindCredentials) -> None:
        self._transport, self._credentials = transport, credentials
        self._permissions: LRUCache[tuple[RegistryAddress, bool], _Permission] = LRUCache(4096)
        self._asking: defaultdict[RegistryAddress, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def send(self, address: RegistryAddress, request: Request) -> Answer:
        """The answer of a registry; statuses 401 and 403 raise UserError with what to do about it."""
        known = self._known(address, request)
        answer = await self._transport.send(request, known)
        if answer.status == 401:
            permission = await self._ask(address, request, answer, refused=known)
            answer = await self._transport.send(request, permission)
        if answer.status in {401, 403}:
            self._permissions.pop((address, request.verify_tls), None)
            raise await self._refusal(address, request, answer)
        return answer

    def _known(self, address: RegistryAddress, request: Request) -> str:
        permission = self._permissions.get((address, request.verify_tls))
        return permission.header if permission and permission.until > self._transport.clock.now() else ""

    async def _ask(self, address: RegistryAddress, request: Request, answer: Answer, refused: str) -> str:
        async with self._asking[address]:
            known = self._known(address, request)
            if known and known != refused:  # somebody else asked while we waited
                return known
            permission = await self._permission(address, request, answer)
            self._permissions[address, request.verify_tls] = permission
            return permission.header

    async def _permission(self, address: RegistryAddress, request: Request, answer: Answer) -> _Permission:
        credentials = await self._credentials(address)
        offered = challenges(answer.headers.getall("WWW-Authenticate", []))
        now = self._transport.clock.now()
        for challenge in offered:
            if challenge.scheme == "bearer":
                return await self._token(address, request, challenge, credentials)
            if challenge.scheme == "basic" and credentials:
                return _Permission(credentials.basic, now + _LONGEST_LIFE)
        if any(challenge.scheme == "basic" for challenge in offered):
            raise await self._refusal(address, request, answer)
        raise UserError(f"{request.about}: {address.host} wants a login of a kind that registries do not use")

    async def _token(
        self, address: RegistryAddress, request: Request, challenge: Challenge, credentials: Credentials | None
    ) -> _Permission:
        asking = replace(request, url=_token_url(address, request, challenge), method="GET", accept="application/json")
        answer = await self._transport.send(replace(asking, limit=1 << 20), credentials.basic if credentials else "")
        if answer.status in {400, 401, 403, 404}:
            raise await self._refusal(address, request, answer)
        try:
            data: Any = json.loads(answer.body) if answer.status == 200 else None
            token = str(data.get("token") or data["access_token"])
            life = timedelta(seconds=min(float(data.get("expires_in") or 0), _LONGEST_LIFE.total_seconds()))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"{request.about}: the token service {asking.host} of {address.host} gave no token "
                f"(status {answer.status})"
            ) from error
        if not token.isascii() or not token.isprintable():
            raise UserError(f"{request.about}: the token service {asking.host} gave a token that can't be sent")
        return _Permission(f"Bearer {token}", self._transport.clock.now() + max(life, _DEFAULT_LIFE) * 0.9)

    async def _refusal(self, address: RegistryAddress, request: Request, answer: Answer) -> UserError:
        has_credentials = await self._credentials(address) is not None
        said = f"{request.about}: {address.host} refuses to let us read it, status {answer.status}{reason(answer)}. "
        return UserError(said + advice(address, has_credentials))


def advice(address: RegistryAddress, has_credentials: bool) -> str:
    """What a person can do when a registry won't show a repository."""
    if address.host == "ghcr.io":
        # https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry
        return (
            "A private package of ghcr.io can't be read with a GitHub App's token: make the package public, or give "
            "Towpath a classic personal access token with the scope read:packages as credentials for ghcr.io."
        )
    if has_credentials:
        return f"Check the name, and that Towpath's credentials for {address.host} are right and may read it."
    return f"Check the name; if the repository is private, give Towpath credentials for {address.host}."


def _token_url(address: RegistryAddress, request: Request, challenge: Challenge) -> URL:
    try:
        realm = URL(challenge.parameters.get("realm", ""))
        safe = realm.host and (realm.scheme == "https" or (address.is_loopback and is_loopback(realm)))
    except ValueError:
        safe = False
    if not safe:
        raise UserError(
            f"{request.about}: {address.host} sends us for a token to a place that is not an https address, "
            "where credentials would be seen by others"
        )
    query = {"scope": challenge.parameters.get("scope") or f"repository:{address.name}:pull"}
    if service := challenge.parameters.get("service"):
        query["service"] = service
    return realm.update_query(query)
