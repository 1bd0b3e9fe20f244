"""How often a registry lets us ask: pauses that it asked for, and pulls that it counts.

https://docs.docker.com/docker-hub/usage/pulls/: a pull is a GET of a manifest, a HEAD is none, and answers tell in
`ratelimit-limit: 100;w=21600` how many there may be in so many seconds, in `ratelimit-remaining` how many are left.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cachetools import LRUCache

_WHEN_LIMITED = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_RESERVE = 10  # the part of a limit, one in so many, that is left to others behind the same address or account
_ALLOWANCE = re.compile(r"\s*(\d{1,9})\s*(?:;\s*w\s*=\s*(\d{1,9}))?")

Guest = tuple[str, str]
"""A registry's host, and the account that it knows us by there; "" for nobody in particular."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many pulls are left of `limit` in `window`."""

    remaining: int
    limit: int
    window: timedelta

    @property
    def pause(self) -> timedelta:
        """How long to wait with the next pull so that the rest lasts; zero while there are enough."""
        if self.remaining * _RESERVE > self.limit:
            return timedelta(0)
        return min(max(self.window / max(self.limit, 1), timedelta(seconds=1)), _LONGEST_WAIT)


class Limits:
    """What registries said of limits, of the latest 4,096 guests."""

    def __init__(self) -> None:
        self._pauses: LRUCache[Guest, datetime] = LRUCache(4096)
        self._pulls: LRUCache[Guest, tuple[datetime, Allowance]] = LRUCache(4096)

    def pause(self, guest: Guest) -> datetime | None:
        """Until when the registry wants no request at all; it may be past."""
        return self._pauses.get(guest)

    def next_pull(self, guest: Guest) -> tuple[datetime, Allowance] | None:
        """When the next pull may be, where they are nearly used up; it may be past."""
        return self._pulls.get(guest)

    def limited(self, guest: Guest, headers: Mapping[str, str], now: datetime) -> datetime:
        """The registry asked for a pause; until when."""
        allowance = read_allowance(headers)
        wait = max(_WHEN_LIMITED, allowance.pause) if allowance else _WHEN_LIMITED
        self._pauses[guest] = until = retry_after(headers, now, wait)
        return until

    def note(self, guest: Guest, headers: Mapping[str, str], now: datetime) -> None:
        """Remember how many pulls an answer says are left."""
        if allowance := read_allowance(headers):
            if allowance.pause:
                self._pulls[guest] = (now + allowance.pause, allowance)
            else:
                self._pulls.pop(guest, None)


def read_allowance(headers: Mapping[str, str]) -> Allowance | None:
    """What `ratelimit-limit` and `ratelimit-remaining` tell; None where they tell nothing that makes sense."""
    limit = _ALLOWANCE.match(headers.get("ratelimit-limit", ""))
    remaining = _ALLOWANCE.match(headers.get("ratelimit-remaining", ""))
    if limit is None or remaining is None:
        return None
    seconds = int(remaining[2] or limit[2] or 0)
    return (
        Allowance(int(remaining[1]), int(limit[1]), timedelta(seconds=seconds)) if seconds and int(limit[1]) else None
    )


def retry_after(headers: Mapping[str, str], now: datetime, default: timedelta) -> datetime:
    """The time that `Retry-After` names, in seconds or as a date (RFC 9110, 10.2.3), within reason."""
    text = headers.get("Retry-After", "").strip()
    wait = default
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait = timedelta(seconds=int(text))
    elif text:
        try:
            date = parsedate_to_datetime(text)
            wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
        except ValueError:
            wait = default
    return now + min(max(wait, timedelta(seconds=1)), _LONGEST_WAIT)
