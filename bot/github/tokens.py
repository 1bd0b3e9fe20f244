"""What Towpath signs in with: the App's own JWT, and one short-lived token per installation."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from cachetools import TLRUCache
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.contracts import Clock
from bot.errors import Broken, UserError

# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
_JWT_BACKDATED = timedelta(seconds=60)  # our clock may be ahead of GitHub's
_JWT_LIFE = timedelta(minutes=9)  # GitHub takes at most 10, by its own clock
_JWT_RENEWED = timedelta(minutes=5)

_TOKEN_MARGIN = timedelta(minutes=5)  # so that a long push doesn't begin with a token about to lapse
_TOKENS = 10_000


class AppJwt:
    """The App's JWT: signed when first needed, and again well before it lapses."""

    def __init__(self, app_id: str, private_key: str, clock: Clock) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._clock = clock
        self._token = ""
        self._renew_at: datetime | None = None

    async def token(self) -> str:
        now = self._clock.now()
        if self._renew_at is None or now >= self._renew_at:
            claims = {
                "iat": int((now - _JWT_BACKDATED).timestamp()),
                "exp": int((now + _JWT_LIFE).timestamp()),
                "iss": self._app_id,
            }
            self._token = jwt.encode(claims, self._key(), algorithm="RS256")
            self._renew_at = now + _JWT_RENEWED
        return self._token

    def refused(self, token: str) -> None:
        if token == self._token:
            self._renew_at = None

    def _key(self) -> RSAPrivateKey:
        """The settings have judged it; to do so again for each JWT would hold everything up for 40 ms."""
        key = load_pem_private_key(self._private_key.encode(), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey):
            raise Broken("the App's private key is no RSA key")
        return key


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """An installation's token, opaque: its shape and length change without notice."""

    text: str = field(repr=False)
    expires_at: datetime


class InstallationTokens:
    """One token per installation, kept until shortly before it expires; however many ask, GitHub is asked once.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
    """

    def __init__(self, fetch: Callable[[int], Awaitable[InstallationToken]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._asking: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._kept: TLRUCache[int, InstallationToken] = TLRUCache(_TOKENS, _usable_until, timer=self._now)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def token(self, installation: int) -> str:
        """A token that is good for some minutes more. Raises what `fetch` raises."""
        async with self._asking[installation]:
            kept = self._kept.get(installation)
            if kept is None:
                kept = await self._fetch(installation)
                self._kept[installation] = kept
            return kept.text

    def refused(self, installation: int, token: str) -> None:
        kept = self._kept.get(installation)
        if kept is not None and kept.text == token:
            del self._kept[installation]


def _usable_until(_installation: int, token: InstallationToken, now: float) -> float:
    """By GitHub's clock and ours both: at least half of a short life is used."""
    life = token.expires_at.timestamp() - now
    return now + max(life - _TOKEN_MARGIN.total_seconds(), life / 2)


class OneInstallation:
    """The credentials of one installation, out of the tokens of all."""

    def __init__(self, installation: int, tokens: InstallationTokens) -> None:
        self._installation = installation
        self._tokens = tokens

    async def token(self) -> str:
        return await self._tokens.token(self._installation)

    def refused(self, token: str) -> None:
        self._tokens.refused(self._installation, token)


class NotInstalled(UserError):
    """The App isn't installed on a repository, or may not work there any more."""
