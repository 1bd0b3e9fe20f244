"""What steps are told of the promotion they run for."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.contracts import PromotionInfo
from bot.core import lock, messages
from bot.core.lock import Lock, Way
from bot.core.promotion import Scene
from bot.core.snapshot import StageFacts, promotion_branch
from bot.errors import UserError


def promotion_info(scene: Scene, facts: StageFacts, held: Callable[[], Lock]) -> PromotionInfo:
    """`held` gives the lock as it is to be when it is written, but for the paths."""
    stage = facts.stage.name

    def lock_text(paths: Sequence[str]) -> str:
        text = lock.write(replace(held(), paths=tuple(sorted(paths))))
        if len(text) > lock.LARGEST:
            raise UserError(
                f"the lock of `{stage}` would have {len(text):,} characters, and {lock.LARGEST:,} can be read again; "
                "set less metadata, or have git-commit commit one folder in place of many files"
            )
        return text

    return PromotionInfo(
        id=scene.promotion,
        stage=stage,
        freight=scene.promoted,
        collection=scene.collection,
        actor=scene.actor,
        rollback=scene.rollback,
        branch=promotion_branch(stage),
        branch_head=facts.branch_head,
        trailers=messages.commit_trailers(facts.stage, scene.collection, scene.promotion, scene.actor),
        lock_path=lock.path(stage),
        lock_text=lock_text,
    )


def lock_of(scene: Scene, way: Way, request: str) -> Lock:
    """The lock of what is promoted, with what its steps have noted so far and what was known before."""
    known, notes = scene.known, scene.notes
    own = {one.id: notes.freight[one.id] for one in scene.collection if one.id in notes.freight}
    copied = {
        one.id: {key: value for key, value in known.freight.get(one.id, {}).items() if key not in own.get(one.id, {})}
        for one in scene.collection
    }
    return Lock(
        stage=scene.stage.name,
        promotion=scene.promotion,
        promoted=scene.promoted.id,
        collection=scene.collection,
        actor=scene.actor,
        way=way,
        request=request,
        metadata=known.stages.get(scene.stage.name, {}),
        freight_metadata=own,
        inherited={name: values for name, values in copied.items() if values},
        renamed=frozenset(one.id for one in scene.collection if one.id in notes.aliases),
    )
