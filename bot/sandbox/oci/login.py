"""The token service of the sandbox's registry, for those who want to try a registry that asks who is there.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from bot.sandbox.oci.storage import Refused

_SERVICE = "towpath-sandbox"
_LIFE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Login:
    """Who may do what: `accounts` (name to password) everything, all others pull, if `anonymous_pull`."""

    accounts: Mapping[str, str] = field(repr=False)
    anonymous_pull: bool = False
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    async def token(self, request: web.Request) -> web.Response:
        """`GET /v2/token`: a token for as much of the scopes asked for as the account may have."""
        known = self._known(request)
        scopes = [scope for value in request.query.getall("scope", []) for scope in value.split()]
        actions = {"pull", "push", "delete"} if known else {"pull"} if self.anonymous_pull else set()
        granted = {}
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, wanted = rest.rpartition(":")
            if kind == "repository":
                granted[name] = sorted(actions & set(wanted.split(",")))
        claims = {"access": granted, "until": time.time() + _LIFE_SECONDS}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        return web.json_response({"token": f"{payload}.{self._signature(payload)}", "expires_in": _LIFE_SECONDS})

    def check(self, request: web.Request, name: str, action: str) -> None:
        """Raises Refused unless the request may do `action` (pull, push, delete) in repository `name` ("": any)."""
        header = request.headers.get(hdrs.AUTHORIZATION, "")
        payload, _, signature = header.removeprefix("Bearer ").partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(payload).encode()):
            raise Refused(401, "UNAUTHORIZED", "a token is needed")
        claims = json.loads(base64.urlsafe_b64decode(payload))
        if claims["until"] < time.time():
            raise Refused(401, "UNAUTHORIZED", "the token has lapsed")
        if name and action not in claims["access"].get(name, ()):
            raise Refused(401, "DENIED", f"the token does not allow to {action} {name}")

    def challenge(self, request: web.Request, name: str, action: str) -> str:
        """What `WWW-Authenticate` says to one who is refused."""
        scope = f',scope="repository:{name}:{action}"' if name else ""
        return f'Bearer realm="{request.url.origin()}/v2/token",service="{_SERVICE}"{scope}'

    def _known(self, request: web.Request) -> bool:
        header = request.headers.get(hdrs.AUTHORIZATION)
        if header is None:
            return False
        scheme, _, encoded = header.partition(" ")
        try:
            login, _, given = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError as error:
            raise Refused(401, "UNAUTHORIZED", "the credentials can't be read") from error
        password = self.accounts.get(login, "")
        if scheme.lower() != "basic" or not password or not hmac.compare_digest(password.encode(), given.encode()):
            raise Refused(401, "UNAUTHORIZED", "the credentials are wrong")
        return True

    def _signature(self, payload: str) -> str:
        return hmac.new(self._key, payload.encode(), hashlib.sha256).hexdigest()
