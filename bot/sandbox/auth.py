"""Who is calling: App JWTs, installation tokens and user tokens, as bearer or Basic credentials."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import jwt

from bot.sandbox.model.accounts import (
    Account,
    App,
    Installation,
    InstallationToken,
    Level,
    Permissions,
    UserToken,
)
from bot.sandbox.model.repos import Repo
from bot.sandbox.world import World

TOKEN_LIFE = timedelta(hours=1)
_JWT_LIFE = timedelta(minutes=10)
_SKEW = timedelta(seconds=60)


class ActorKind(StrEnum):
    """The four kinds of caller."""

    ANONYMOUS = "anonymous"
    USER = "user"
    APP = "app"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller. `account` is who its writes are by; `permissions` and `repositories` bound an installation."""

    kind: ActorKind
    account: Account | None = None
    app: App | None = None
    installation: Installation | None = None
    permissions: Permissions | None = None
    repositories: tuple[int, ...] | None = None
    token_id: int | None = None

    @property
    def name(self) -> str:
        """The login for logs; `-` for nobody."""
        return self.account.login if self.account else "-"

    def level(self, permission: str) -> Level | None:
        """How far an installation's `permission` goes; metadata may always be read."""
        given = (self.permissions or {}).get(permission)
        return given or (Level.READ if permission == "metadata" else None)

    def reaches(self, repo: Repo) -> bool:
        """Whether an installation's token covers `repo`."""
        if self.installation is None or repo.owner_id != self.installation.account_id:
            return False
        whole = self.installation.repositories
        return (whole is None or repo.id in whole) and (self.repositories is None or repo.id in self.repositories)


ANONYMOUS = Actor(ActorKind.ANONYMOUS)


class BadCredentials(Exception):
    """Credentials were sent and are wrong; the message is GitHub's."""


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def authenticate(world: World, header: str | None) -> Actor:
    """The caller that an `Authorization` header names; raises BadCredentials."""
    if not header:
        return ANONYMOUS
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        return of_token(world, _basic_password(value))
    if scheme.lower() not in ("bearer", "token") or not value:
        raise BadCredentials("Bad credentials")
    if value.count(".") == 2 and not value.startswith(("ghs_", "ghp_")):
        return _of_jwt(world, value)
    return of_token(world, value)


def of_token(world: World, token: str) -> Actor:
    """The caller an installation's or a user's token stands for; raises BadCredentials."""
    key = digest(token)
    for user_token in world.user_tokens.of(key):
        return Actor(ActorKind.USER, world.accounts[user_token.account_id])
    for row in world.installation_tokens.of(key):
        installation = world.installations.get(row.installation_id)
        if row.expires_at <= world.clock() or installation is None or installation.suspended_at:
            continue
        app = world.apps[installation.app_id]
        return Actor(
            ActorKind.INSTALLATION,
            world.accounts[app.bot_id],
            app,
            installation,
            row.permissions,
            row.repositories,
            row.id,
        )
    raise BadCredentials("Bad credentials")


def new_user_token(world: World, account: Account) -> str:
    """A new token for `account`; only its digest is kept."""
    token = f"ghp_{secrets.token_hex(18)}"
    world.user_tokens.put(UserToken(world.new_id(), account.id, digest(token)))
    return token


def new_installation_token(
    world: World,
    installation: Installation,
    permissions: Permissions,
    repositories: tuple[int, ...] | None,
) -> tuple[str, InstallationToken]:
    """A new installation token, of GitHub's long format with dots, and its record; lapsed ones are forgotten.

    https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/
    """
    now = world.now()
    for old in [row.id for row in world.installation_tokens if row.expires_at <= now]:
        world.installation_tokens.delete(old)
    parts = (secrets.token_urlsafe(size) for size in (30, 210, 128))
    token = f"ghs_{installation.app_id}_{'.'.join(parts)}"
    row = InstallationToken(world.new_id(), installation.id, digest(token), permissions, now + TOKEN_LIFE, repositories)
    return token, world.installation_tokens.put(row)


def _basic_password(value: str) -> str:
    """Git and curl send the token as the password, or as the user name with no password."""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadCredentials("Bad credentials") from error
    return user if password in ("", "x-oauth-basic") else password


def _of_jwt(world: World, token: str) -> Actor:
    """The App behind a JWT.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
    /generating-a-json-web-token-jwt-for-a-github-app
    """
    undecodable = "A JSON web token could not be decoded"
    try:
        claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise BadCredentials(undecodable) from error
    issuer = str(claims.get("iss"))
    app = world.apps.find(lambda row: issuer in (str(row.id), row.client_id))
    if app is None:
        raise BadCredentials("Integration not found")
    checks = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_sub"), False)
    try:
        jwt.decode(token, app.public_key, algorithms=["RS256"], options=checks)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise BadCredentials(undecodable) from error
    now = world.clock().timestamp()
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise BadCredentials(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time "
            "at which the assertion expires"
        )
    if expires > now + (_JWT_LIFE + _SKEW / 6).total_seconds():
        raise BadCredentials("'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(issued, int | float) or issued > now + _SKEW.total_seconds():
        raise BadCredentials(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    return Actor(ActorKind.APP, world.accounts[app.bot_id], app)
