"""The labels of promotion pull requests: which stage, and how far."""

from collections.abc import Iterable
from enum import StrEnum

from bot.core.model import StageName

PROMOTION = "promotion"


class State(StrEnum):
    """How far a promotion is: exactly one of these is on its pull request."""

    AWAITING_MERGE = "promotion/awaiting-merge"
    SYNCING = "promotion/syncing"
    VERIFYING = "promotion/verifying"
    VERIFIED = "promotion/verified"
    FAILED = "promotion/failed"
    SUPERSEDED = "promotion/superseded"
    ABORTED = "promotion/aborted"
    HELD = "promotion/held"


STATES = frozenset(State)
FINAL = frozenset({State.VERIFIED, State.FAILED, State.SUPERSEDED, State.ABORTED})


def stage_label(stage: StageName) -> str:
    """GitHub's limit for a label's name is 50 characters; a longer stage name is cut."""
    return f"stage/{stage}"[:50]


def change(present: Iterable[str], stage: StageName, state: State) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels to add and labels to remove, so that these and no others of ours are there."""
    have = frozenset(present)
    wanted = (PROMOTION, stage_label(stage), state.value)
    stale = sorted(have & {other.value for other in STATES} - {state.value})
    return tuple(label for label in wanted if label not in have), tuple(stale)
