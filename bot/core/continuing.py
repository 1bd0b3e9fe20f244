"""Going on with a promotion that a person asked for and that waits before it has a pull request.

What automation began it begins again at every look by itself, as long as nothing newer takes its place.
"""

from collections.abc import Iterator
from datetime import datetime

from bot.core.actions import Promote
from bot.core.gates import verdict
from bot.core.lock import Way
from bot.core.record import Record
from bot.core.snapshot import Snapshot, StageFacts


def going_on(
    snapshot: Snapshot, facts: StageFacts, begun: Record | None, now: datetime
) -> Iterator[Promote | datetime]:
    """The promotion that is under way, as long as it may come; a time: when to look again. Nothing where none is.

    One that failed waits for nothing (`steps` is empty), and is begun again by whoever asks for it again.
    """
    if begun is None or not begun.steps or begun.way is Way.AUTOMATION or facts.has(begun.promoted):
        return
    answer = verdict(snapshot, facts.stage.name, begun.freight, now, begun.way)
    if answer.allowed:
        yield Promote(facts.stage.name, begun.freight, begun.actor, begun.way, begun.request)
    elif answer.until is not None:
        yield answer.until
