"""Faults on demand: answers that fail, come late or get lost, and webhooks that are lost, doubled or shuffled."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(slots=True)
class HttpFault:
    """What happens to the next `times` requests whose method and whole path match.

    `status` of None only delays. With `after`, the request takes effect and its answer is then replaced:
    the caller cannot know. `seconds` is the delay; whoever runs the sandbox may have it last `until` they say so.
    """

    method: re.Pattern[str]
    path: re.Pattern[str]
    times: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    after: bool = False
    until: asyncio.Event | None = None


class HookFaultKind(StrEnum):
    """What can go wrong with a webhook."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"


@dataclass(slots=True)
class HookFault:
    """What happens to the next `times` deliveries whose event matches.

    `reorder` holds them until there are `size`, or `seconds` have passed, and sends them backwards;
    `delay` holds each for `seconds` while later ones overtake it.
    """

    kind: HookFaultKind
    event: re.Pattern[str]
    times: int
    seconds: float = 1.0
    size: int = 0


@dataclass(slots=True)
class Faults:
    """What is still to go wrong."""

    http: list[HttpFault] = field(default_factory=list)
    hooks: list[HookFault] = field(default_factory=list)

    def take_http(self, method: str, path: str) -> HttpFault | None:
        """The fault for this request, used up once."""
        for fault in self.http:
            if fault.times > 0 and fault.method.fullmatch(method) and fault.path.search(path):
                fault.times -= 1
                return fault
        return None

    def take_hook(self, event: str) -> HookFault | None:
        """The fault for this delivery, used up once."""
        for fault in self.hooks:
            if fault.times > 0 and fault.event.fullmatch(event):
                fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.http.clear()
        self.hooks.clear()


def secondary_limit(method: str, path: str, times: int, retry_after: int) -> HttpFault:
    """GitHub's secondary rate limit.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
    """
    return HttpFault(
        re.compile(method),
        re.compile(path),
        times,
        403,
        {"retry-after": str(retry_after)},
        {
            "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
            "#about-secondary-rate-limits",
        },
    )
