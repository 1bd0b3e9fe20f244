"""One way to call GitLab's REST API: an answer, `Retry` (limits, 5xx, network), or `Refused` (any other refusal).

https://docs.gitlab.com/api/rest/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.contracts import Clock, Http, HttpAnswer
from bot.contracts.git import Credential, Credentials
from bot.contracts.metrics import Unreachable
from bot.errors import Broken, Retry, UserError
from bot.gitlab.address import Address

_TIMEOUT_SECONDS = 30.0
_SIZE_LIMIT = 64 * 1024 * 1024  # a description may have a million characters, and a list many of them
_PER_PAGE = 20
_PAGES = 20
# GitLab's own work on what a push brought may be in the way of ours: its `lib/api/api.rb` answers 409 with this.
_LOCKED = "Resource lock"
_SHORTLY = timedelta(seconds=5)
_TROUBLE = timedelta(seconds=30)
_LIMITED = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
_SAID_CHARACTERS = 400


class Refused(Broken):
    """GitLab said no, for good: `status` 4xx (limits excepted), `message` as GitLab put it."""

    def __init__(self, where: str, status: int, message: str, error: str = "") -> None:
        super().__init__(f"{where}: GitLab answered {status}: {message}")
        self.status = status
        self.message = message
        self.error = error  # OAuth's word for it, as `insufficient_scope`


@dataclass(frozen=True, slots=True)
class Client:
    """Calls for one project, with the token of its repository.

    `Authorization: Bearer` is what personal, project, group and OAuth access tokens all work with:
    https://docs.gitlab.com/api/rest/authentication/
    """

    http: Http
    address: Address
    credentials: Credentials
    clock: Clock

    async def get(self, path: str, **query: str | int) -> Any:
        return (await self._ask("GET", path, None, query))[0]

    async def send(self, method: str, path: str, data: Mapping[str, Any]) -> Any:
        return (await self._ask(method, path, data, {}))[0]

    async def pages(self, path: str, **query: str | int) -> list[Any]:
        """All items of a list: https://docs.gitlab.com/api/rest/#offset-based-pagination"""
        items: list[Any] = []
        number = "1"
        for _ in range(_PAGES):
            found, number = await self._ask("GET", path, None, {**query, "per_page": _PER_PAGE, "page": number})
            if not isinstance(found, list):
                raise Broken(f"GET {path}: GitLab's answer holds no list")
            items += found
            if not number:
                break
        return items

    async def _ask(
        self, method: str, path: str, data: Mapping[str, Any] | None, query: Mapping[str, str | int]
    ) -> tuple[Any, str]:
        token = await self._token()
        url = f"{self.address.api}{path}{'?' if query else ''}{urlencode(query)}"
        where = f"{method} {self.address.api}{path}"
        headers = [("Authorization", f"Bearer {token}"), ("Accept", "application/json")]
        if data is not None:
            headers.append(("Content-Type", "application/json"))
        try:
            answer = await self.http.request(
                method,
                url,
                headers=headers,
                body=None if data is None else json.dumps(data).encode(),
                timeout_seconds=_TIMEOUT_SECONDS,
                size_limit=_SIZE_LIMIT,
            )
        except Unreachable as trouble:
            raise Retry(self.clock.now() + _TROUBLE, str(trouble)) from trouble
        self._obey_limits(answer, where)
        if answer.status >= 400:
            refusal = _refusal(where, answer, token)
            if refusal.status == 409 and _LOCKED in refusal.message:
                raise Retry(self.clock.now() + _SHORTLY, f"{where}: {refusal.message}")
            raise refusal
        return self._read(answer, where), answer.headers.get("X-Next-Page", "").strip()

    async def _token(self) -> str:
        held = await self.credentials(self.address.url)
        if not isinstance(held, Credential) or not held.password:
            host = urlsplit(self.address.origin).netloc
            raise UserError(
                f"there is no token for {self.address.url}; put a line https://oauth2:TOKEN@{host} into the key "
                "`.git-credentials` of the repository's secret `git`, TOKEN being an access token with the scope `api`"
            )
        return held.password

    def _obey_limits(self, answer: HttpAnswer, where: str) -> None:
        """https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers"""
        if answer.status != 429 and answer.status < 500:
            return
        now = self.clock.now()
        wait = _LIMITED if answer.status == 429 else _TROUBLE
        if (seconds := _number(answer.headers.get("Retry-After"))) is not None:
            wait = timedelta(seconds=seconds)
        elif answer.status == 429 and (reset := _number(answer.headers.get("RateLimit-Reset"))) is not None:
            wait = datetime.fromtimestamp(reset, UTC) - now
        because = f"GitLab's limit at {self.address.origin} is used up" if answer.status == 429 else ""
        at = now + min(max(wait, timedelta(seconds=1)), _LONGEST)
        raise Retry(at, because or f"{where}: GitLab answered {answer.status}")

    def _read(self, answer: HttpAnswer, where: str) -> Any:
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"{where}: what answers there is not GitLab's API ({answer.status}, and no JSON); correct repoURL"
            ) from error


def _number(text: str | None) -> int | None:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 11 else None


def _refusal(where: str, answer: HttpAnswer, token: str) -> Refused:
    """https://docs.gitlab.com/api/rest/troubleshooting/#response-body"""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Refused(where, answer.status, "no reason was given")
    error = said.get("error")
    text = _flat(said.get("message") or said.get("error_description") or error or "no reason was given")
    short = text if len(text) <= _SAID_CHARACTERS else f"{text[: _SAID_CHARACTERS - 1]}…"
    return Refused(where, answer.status, short.replace(token, "***"), error if isinstance(error, str) else "")


def _flat(said: Any) -> str:
    """A text, a list of them, or lists of them by the field they are about."""
    if isinstance(said, dict):
        return "; ".join(f"{name} {_flat(texts)}" for name, texts in said.items())
    if isinstance(said, list):
        return "; ".join(_flat(one) for one in said)
    return " ".join(str(said).split())
