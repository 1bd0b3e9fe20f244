"""Being let in: anonymous, Basic or Bearer, with tokens kept until shortly before they lapse.

https://distribution.github.io/distribution/spec/auth/token/
"""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from weakref import WeakValueDictionary

from cachetools import LRUCache
from yarl import URL

from bot.core.urls import RegistryAddress
from bot.errors import UserError
from bot.registry.challenge import Challenge, challenges
from bot.registry.credentials import KEY, SECRET
from bot.registry.docker_config import Credentials
from bot.registry.transport import Answer, Request, Transport, is_loopback, reason

_DEFAULT_LIFE = timedelta(seconds=60)  # what the token specification says when `expires_in` is missing
_LONGEST_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Permission:
    header: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Entrance:
    """A repository, and what to log in with there; None is nobody in particular.

    `scopes` is what to ask a token service for; nothing is to read what the registry says.
    """

    address: RegistryAddress
    credentials: Credentials | None
    scopes: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """Whose eyes this is seen with: what is kept for one account is not for another."""
        return self.credentials.account if self.credentials else ""


class Refused(UserError):
    """The registry does not let this account do it."""


_Key = tuple[RegistryAddress, str, bool, tuple[str, ...]]


class Access:
    """Sends requests to registries as somebody who may."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._permissions: LRUCache[_Key, _Permission] = LRUCache(4096)
        self._asking: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def send(self, entrance: Entrance, request: Request) -> Answer:
        """The answer of a registry to a request for the account of `entrance`.

        Statuses 401 and 403 raise Refused with what to do about it.
        """
        key = (entrance.address, request.account, request.verify_tls, entrance.scopes)
        known = self._known(key)
        answer = await self._transport.send(request, known)
        if answer.status == 401:
            permission = await self._ask(key, entrance, request, answer, refused=known)
            answer = await self._transport.send(request, permission)
        if answer.status in {401, 403}:
            self._permissions.pop(key, None)
            raise _refusal(entrance, request, answer)
        return answer

    def _known(self, key: _Key) -> str:
        permission = self._permissions.get(key)
        return permission.header if permission and permission.until > self._transport.clock.now() else ""

    async def _ask(self, key: _Key, entrance: Entrance, request: Request, answer: Answer, refused: str) -> str:
        lock = self._asking.get(key) or asyncio.Lock()
        self._asking[key] = lock
        async with lock:
            known = self._known(key)
            if known and known != refused:  # somebody else asked while we waited
                return known
            permission = await self._permission(entrance, request, answer)
            self._permissions[key] = permission
            return permission.header

    async def _permission(self, entrance: Entrance, request: Request, answer: Answer) -> _Permission:
        credentials = entrance.credentials
        offered = challenges(answer.headers.getall("WWW-Authenticate", []))
        now = self._transport.clock.now()
        for challenge in offered:
            if challenge.scheme == "bearer":
                return await self._token(entrance, request, challenge)
            if challenge.scheme == "basic" and credentials and credentials.password:
                return _Permission(credentials.basic, now + _LONGEST_LIFE)
        if any(challenge.scheme == "basic" for challenge in offered):
            raise _refusal(entrance, request, answer)
        raise UserError(f"{request.about}: {entrance.address.host} wants a login of a kind that registries do not use")

    async def _token(self, entrance: Entrance, request: Request, challenge: Challenge) -> _Permission:
        host = entrance.address.host
        asking, authorization = _token_request(entrance, request, challenge)
        answer = await self._transport.send(asking, authorization)
        if answer.status in {400, 401, 403, 404}:
            raise _refusal(entrance, request, answer)
        try:
            data: Any = json.loads(answer.body) if answer.status == 200 else None
            token = str(data.get("token") or data["access_token"])
            life = timedelta(seconds=min(float(data.get("expires_in") or 0), _LONGEST_LIFE.total_seconds()))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise UserError(
                f"{request.about}: the token service {asking.host} of {host} gave no token (status {answer.status})"
            ) from error
        if not token.isascii() or not token.isprintable():
            raise UserError(f"{request.about}: the token service {asking.host} gave a token that can't be sent")
        return _Permission(f"Bearer {token}", self._transport.clock.now() + max(life, _DEFAULT_LIFE) * 0.9)


def _refusal(entrance: Entrance, request: Request, answer: Answer) -> Refused:
    host, what = entrance.address.host, "push to" if entrance.scopes else "read"
    said = f"{request.about}: {host} refuses to let us {what} it, status {answer.status}{reason(answer)}. "
    return Refused(said + advice(entrance))


def advice(entrance: Entrance) -> str:
    """What a person can do when a registry won't show a repository, or take what is pushed to it."""
    host, has_credentials = entrance.address.host, entrance.credentials is not None
    where = f"in the key {KEY} of this repository's secret {SECRET!r}"
    if host == "ghcr.io":
        # https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry
        taken = " (those it has are not taken)" if has_credentials else ""
        if entrance.scopes:
            return (
                "Nothing can be pushed to ghcr.io with a GitHub App's token: give Towpath a classic personal access "
                f"token with the scope write:packages as credentials{taken}, {where}."
            )
        return (
            "A private package of ghcr.io can't be read with a GitHub App's token: make the package public, or give "
            f"Towpath a classic personal access token with the scope read:packages as credentials{taken}, {where}."
        )
    if has_credentials:
        may = "push to" if entrance.scopes else "read"
        return f"Check the name, and that Towpath's credentials for {host} are right and may {may} it."
    if entrance.scopes:
        return f"Check the name, and give Towpath credentials for {host} that may push to it, {where}."
    return f"Check the name; if the repository is private, give Towpath credentials for {host}, {where}."


def _token_request(entrance: Entrance, request: Request, challenge: Challenge) -> tuple[Request, str]:
    """How to ask for a token, and the `Authorization` to ask with.

    An identity token is exchanged by POST: https://distribution.github.io/distribution/spec/auth/oauth/
    """
    address, credentials = entrance.address, entrance.credentials
    realm = _realm(address, request, challenge)
    scopes = entrance.scopes or (challenge.parameters.get("scope") or f"repository:{address.name}:pull",)
    query = {"scope": " ".join(scopes)}
    if service := challenge.parameters.get("service"):
        query["service"] = service
    asking = Request(
        realm,
        request.about,
        accept="application/json",
        verify_tls=request.verify_tls,
        account=request.account,
    )
    if credentials and credentials.identity_token:
        form = {
            **query,
            "grant_type": "refresh_token",
            "client_id": "towpath",
            "refresh_token": credentials.identity_token,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return replace(asking, method="POST", body=urlencode(form).encode(), headers=headers), ""
    in_address = {**query, "scope": list(scopes)}
    return replace(asking, url=realm.update_query(in_address)), credentials.basic if credentials else ""


def _realm(address: RegistryAddress, request: Request, challenge: Challenge) -> URL:
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
    return realm
