"""GitHub's limits, as arithmetic: when may we ask again, and how far apart must writes be?

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_LEAST = timedelta(minutes=1)
_MOST = timedelta(hours=1)
_GRACE = timedelta(seconds=1)  # resets are told in whole seconds


def blocked_until(
    status: int, headers: Mapping[str, str], message: str, *, now: datetime, strikes: int
) -> datetime | None:
    """When to ask again after an answer that says we asked too much; None if it says something else.

    `strikes` counts such answers in a row, this one included: without a time from GitHub the wait doubles.
    """
    if status not in (403, 429):
        return None
    if (seconds := _number(headers.get("retry-after"))) is not None:
        return now + timedelta(seconds=seconds) + _GRACE
    if headers.get("x-ratelimit-remaining", "").strip() == "0":
        reset = _number(headers.get("x-ratelimit-reset"))
        if reset is not None:
            return max(datetime.fromtimestamp(reset, UTC), now) + _GRACE
        return now + _LEAST
    words = message.lower()
    if status == 429 or "secondary rate limit" in words or "abuse" in words or "rate limit exceeded" in words:
        return now + min(_LEAST * (1 << min(strikes - 1, 10)), _MOST)
    return None


def is_scarce(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that less than a fifth is left of what may be asked in this hour."""
    limit, left = _number(headers.get("x-ratelimit-limit")), _number(headers.get("x-ratelimit-remaining"))
    return limit is not None and left is not None and left * 5 < limit


def _number(text: str | None) -> int | None:
    """A count of seconds; None for what is none, and for what is beyond all reason."""
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 11 else None


class Pace:
    """Keeps the writes of one installation apart by at least `interval`."""

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval.total_seconds()
        self._next = 0.0
        self._line = asyncio.Lock()

    async def turn(self) -> None:
        """Return when the next write may be sent. Those who wait are served in the order they came."""
        if not self._interval:
            return
        async with self._line:
            wait = self._next - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._next = time.monotonic() + self._interval
