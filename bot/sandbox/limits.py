"""The primary rate limit: a count per caller and hour, told in headers.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.auth import Actor, ActorKind

WINDOW = 3600
ANONYMOUS_LIMIT = 60_000  # GitHub says 60; a browser on the sandbox's pages should not run out


@dataclass(slots=True)
class _Count:
    used: int
    reset: int


@dataclass(slots=True)
class Limits:
    """Counts by caller; `limit` is for everybody who signs in."""

    limit: int = 5000
    counts: dict[str, _Count] = field(default_factory=dict)

    def spend(self, actor: Actor, now: float, cost: int = 1) -> dict[str, str]:
        """Count a call (`cost` 0 only looks); the `x-ratelimit-*` headers after it."""
        count = self._count(actor, now)
        count.used += cost
        limit = self._limit(actor)
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(limit - count.used, 0)),
            "x-ratelimit-reset": str(count.reset),
            "x-ratelimit-used": str(count.used),
            "x-ratelimit-resource": "core",
        }

    def exhausted(self, actor: Actor, now: float) -> bool:
        """Whether this caller has nothing left in this hour."""
        return self._count(actor, now).used >= self._limit(actor)

    def _limit(self, actor: Actor) -> int:
        return ANONYMOUS_LIMIT if actor.kind is ActorKind.ANONYMOUS else self.limit

    def _count(self, actor: Actor, now: float) -> _Count:
        key = f"{actor.kind}:{actor.installation.id if actor.installation else actor.name}"
        count = self.counts.get(key)
        if count is None or count.reset <= now:
            count = self.counts[key] = _Count(0, int(now) + WINDOW)
        return count
