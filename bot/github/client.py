"""One way to call GitHub's REST API: limits obeyed, answers remembered by ETag, and three outcomes only.

A call returns what GitHub answered, or raises `Retry` (limits, 5xx, network), or `Refused` (any other refusal).
gidgethub shapes requests and reads answers; what it leaves open (its 6.0 source) is closed here: it would send the
token to any absolute URL, takes a 429 for a plain mistake, and keeps one cache for all tokens.
"""

import http
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import aiohttp
from gidgethub import HTTPException, sansio
from gidgethub.aiohttp import GitHubAPI
from yarl import URL

from bot.contracts import Clock
from bot.errors import Broken, Retry
from bot.github.answers import Answers
from bot.github.limits import Pace, blocked_until, is_scarce
from bot.github.routes import GRAPHQL, Route

log = logging.getLogger(__name__)

# https://docs.github.com/en/rest/about-the-rest-api/api-versions
API_VERSION = "2022-11-28"
USER_AGENT = "towpath"
PER_PAGE = 100

_NOTHING = b""  # gidgethub's word for "no body"
_PAGES = 100
_REDIRECTS = 3
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
_TROUBLE = timedelta(seconds=30)
_LIMITED = timedelta(minutes=1)
_KNOWN_STATUS = frozenset(http.HTTPStatus)


class Refused(Broken):
    """GitHub said no, for good: `status` 4xx (limits excepted), `message` as GitHub put it."""

    def __init__(self, where: str, status: int, message: str, hint: str = "") -> None:
        super().__init__(f"{where}: GitHub answered {status}: {message}{f' ({hint})' if hint else ''}")
        self.status = status
        self.message = message


class Credentials(Protocol):
    """What a client signs in with."""

    async def token(self) -> str:
        """A token that is good now."""
        ...

    def refused(self, token: str) -> None:
        """GitHub didn't take this token: don't give it out again."""
        ...


class Calls:
    """How often which route was asked and with what status (0: no answer), retries included."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def count(self, route: Route, status: int) -> None:
        self._counts[route.name, status] += 1

    def by_route(self) -> Mapping[str, int]:
        """Calls by method and path, as in `GET /repos/{owner}/{repo}/pulls`."""
        total: Counter[str] = Counter()
        for (name, _), count in self._counts.items():
            total[name] += count
        return total

    def by_status(self) -> Mapping[int, int]:
        total: Counter[int] = Counter()
        for (_, status), count in self._counts.items():
            total[status] += count
        return total

    @property
    def total(self) -> int:
        return sum(self._counts.values())


def make_session() -> aiohttp.ClientSession:
    """The session all clients share. GitHub allows 100 requests at once for all of an App's installations."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=80), timeout=_TIMEOUT)


class Client(GitHubAPI):
    """Calls as one identity: the App itself, or one installation. `name` says in messages which."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        *,
        name: str,
        base_url: str,
        pace: Pace,
        clock: Clock,
        calls: Calls,
        retry_delays: Sequence[float],
    ) -> None:
        super().__init__(session, USER_AGENT, base_url=base_url.rstrip("/"), cache=Answers())
        self._credentials = credentials
        self._name = name
        self._pace = pace
        self._clock = clock
        self._calls = calls
        self._retry_delays = tuple(retry_delays)
        self._blocked_until: datetime | None = None
        self._strikes = 0
        self._scarce = False
        # Of api.github.com /graphql, of an enterprise server at /api/v3 /api/graphql.
        self._graphql = f"{self.base_url.removesuffix('/v3')}/graphql"

    @property
    def is_scarce(self) -> bool:
        """Whether what need not be asked had better not be: little is left to ask this hour, or nothing."""
        return self._scarce or (self._blocked_until is not None and self._blocked_until > self._clock.now())

    async def call(self, route: Route, data: Any = _NOTHING, /, **values: Any) -> Any:
        """Send one request; `values` fill the route's path. Raises Retry or Refused."""
        answer, _ = await self._send(route, self._fill(route, values), data)
        return answer

    async def pages(
        self, route: Route, key: str = "", /, enough: Callable[[list[Any]], bool] = lambda _: False, **values: Any
    ) -> list[Any]:
        """All items of a list, from as many pages as it takes, or until there are `enough`.

        `key` names the list within each answer. Raises Retry or Refused.
        """
        first = url = self._fill(route, {"per_page": PER_PAGE, **values})
        items: list[Any] = []
        for _ in range(_PAGES):
            answer, more = await self._send(route, url, _NOTHING)
            page = answer.get(key) if key and isinstance(answer, dict) else answer
            if not isinstance(page, list):
                raise Broken(f"{route.name}: GitHub's answer holds no list")
            items += page
            if more is None or enough(items):
                return items
            # Only the query is taken from the link, so that it can lead nowhere else.
            url = urlsplit(first)._replace(query=urlsplit(more).query).geturl()
        log.warning("%s as %s: more than %d pages; the rest is left out", route.name, self._name, _PAGES)
        return items

    async def ask(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Send one GraphQL query; its `data`. Raises Retry or Refused.

        https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
        """
        answer, _ = await self._send(GRAPHQL, self._graphql, {"query": query, "variables": dict(variables)})
        errors = answer.get("errors") or ()
        if any(error.get("type") == "RATE_LIMITED" for error in errors):
            raise Retry(self._clock.now() + _LIMITED, f"GitHub's limit for {self._name} is used up")
        if errors:
            raise Refused("POST /graphql", 422, "; ".join(str(error.get("message")) for error in errors))
        return answer["data"]

    def _fill(self, route: Route, values: Mapping[str, Any]) -> str:
        given = {name: value for name, value in values.items() if value is not None}
        return sansio.format_url(route.path, given, base_url=self.base_url)

    async def _send(self, route: Route, url: str, data: Any) -> tuple[Any, str | None]:
        where = f"{route.method} {urlsplit(url).path}"
        renewed = False
        delays = iter(self._retry_delays)
        while True:
            self._stop_if_blocked()
            if route.writes:
                await self._pace.turn()
                self._stop_if_blocked()  # those further up in the line may have met a limit
            token = await self._credentials.token()
            sent = True
            try:
                answer = await self._attempt(route, url, data, token)
            except HTTPException as refusal:
                status = int(refusal.status_code)
                self._obey_limits(refusal, where)
                if status == 401 and not renewed:
                    renewed = True
                    self._credentials.refused(token)
                    continue
                if status < 500:
                    hint = refusal.headers.get("x-accepted-github-permissions", "") if status == 403 else ""
                    raise Refused(where, status, str(refusal), hint and f"it wants the permission {hint}") from refusal
                trouble: Exception = refusal
                because = f"{where}: GitHub answered {status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                trouble, because = error, f"{where}: no answer from GitHub: {str(error) or type(error).__name__}"
                sent = not isinstance(error, aiohttp.ClientConnectorError)
            except (ValueError, LookupError, RecursionError) as error:
                trouble, because = error, f"{where}: GitHub's answer can't be read"
            else:
                self._strikes = 0
                return answer
            delay = next(delays, None) if route.repeatable or not sent else None
            if delay is None:
                raise Retry(self._clock.now() + _TROUBLE, because) from trouble
            log.info("%s; trying again in %s s", because, delay)
            await self.sleep(delay)

    async def _attempt(self, route: Route, url: str, data: Any, token: str) -> tuple[Any, str | None]:
        headers = {"authorization": f"Bearer {token}", "x-github-api-version": API_VERSION}
        status = 0
        try:
            answer, more, status = await self._make_request(
                route.method, url, None, data, sansio.accept_format(), extra_headers=headers
            )
        except HTTPException as refusal:
            status = int(refusal.status_code)
            raise
        finally:
            self._calls.count(route, status)
        return answer, more

    def _stop_if_blocked(self) -> None:
        if self._blocked_until and self._blocked_until > self._clock.now():
            raise Retry(self._blocked_until, f"GitHub has asked {self._name} to wait")

    def _obey_limits(self, refusal: HTTPException, where: str) -> None:
        now = self._clock.now()
        until = blocked_until(
            int(refusal.status_code), refusal.headers, str(refusal), now=now, strikes=self._strikes + 1
        )
        if until is not None:
            # Whoever goes on asking may be banned, so nobody of this identity asks before then.
            self._strikes += 1
            self._blocked_until = until
            raise Retry(until, f"{where}: GitHub's limit for {self._name} is used up") from refusal

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send and follow redirects (a renamed repository), with the same method and never away from the API."""
        for _ in range(_REDIRECTS + 1):
            self._refuse_to_leave(url)
            async with self._session.request(
                method, URL(url, encoded=True), headers=headers, data=body, allow_redirects=False, timeout=_TIMEOUT
            ) as response:
                content = await response.read()
                status = response.status
                self._scarce = is_scarce(response.headers)
                if status not in (301, 302, 307, 308) or "location" not in response.headers:
                    # A proxy may answer 520 and the like, which gidgethub has no name for.
                    return (status if status in _KNOWN_STATUS else status // 100 * 100), response.headers, content
                url = urljoin(url, response.headers["location"])
        raise Broken(f"{method} {urlsplit(url).path}: GitHub redirects more than {_REDIRECTS} times")

    def _refuse_to_leave(self, url: str) -> None:
        steps = urlsplit(url).path.lower().replace("%2e", ".").split("/")
        if not (url == self._graphql or url.startswith(f"{self.base_url}/")) or ".." in steps or "." in steps:
            raise Broken(f"{url!r} leads away from {self.base_url}: no token is sent there")
