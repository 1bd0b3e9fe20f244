"""What changed under a proposal since it was rendered."""

from bot.contracts import Git
from bot.core import lock
from bot.core.record import Record
from bot.core.snapshot import Snapshot, StageFacts


async def outdated(
    git: Git, snapshot: Snapshot, facts: StageFacts, told: Record, others: tuple[str, ...]
) -> tuple[str, ...]:
    """Paths that changed, apart from what `others`, the other stages' promotions, write.

    What this stage's own promotions write counts: changed by another hand, it would be in the merge's way.
    """
    proposed = {one.origin: one.id for one in told.collection if one.id != told.promoted}
    if any(proposed.get(one.origin, one.id) != one.id for one in facts.holds):
        return (lock.path(facts.stage.name),)
    if not told.base or told.base == snapshot.head:
        return ()
    changed = await git.changed_paths(snapshot.url, told.base, snapshot.head)
    return tuple(path for path in changed if not _is_output(path, others))


def written(facts: StageFacts) -> tuple[str, ...]:
    """Files and folders that promotions into this stage write, now or lately."""
    paths = [path.strip("/") for landing in facts.landings[:3] for path in landing.lock.paths]
    return (lock.path(facts.stage.name), *(path for path in paths if path not in {"", "."}))


def _is_output(path: str, written: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in written)
