"""How long a step waits for an answer, when it asks again, and how often."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.contracts.steps import StepContext
from bot.core.durations import parse_duration

LONGEST_ANSWER = timedelta(minutes=30)  # meanwhile nothing else happens in the repository
_SOONEST = timedelta(seconds=1)
_ATTEMPTS, _MOST_ATTEMPTS = 10, 100


def ask_again_at(context: StepContext, config: Mapping[str, Any], default: str) -> datetime:
    """When to look again, as `pollInterval` says, but never at once: that would be a loop without a pause."""
    return context.clock.now() + max(parse_duration(config.get("pollInterval", default)), _SOONEST)


def seconds_to_wait(config: Mapping[str, Any], default: str) -> float:
    """How long an answer may take, as `timeout` says, but not for ever: nothing at all is, as in Go, no limit."""
    return min(parse_duration(config.get("timeout", default)) or LONGEST_ANSWER, LONGEST_ANSWER).total_seconds()


def most_attempts(config: Mapping[str, Any]) -> int:
    """How often a push is tried while others push to the same branch, as `maxAttempts` says."""
    return int(min(config.get("maxAttempts", _ATTEMPTS), _MOST_ATTEMPTS))
