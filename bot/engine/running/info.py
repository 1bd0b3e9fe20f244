"""What steps are told of the promotion they run for."""

from collections.abc import Sequence

from bot.contracts import PromotionInfo
from bot.core import lock, messages
from bot.core.lock import Lock, Way
from bot.core.promotion import Scene
from bot.core.snapshot import StageFacts, promotion_branch


def promotion_info(scene: Scene, facts: StageFacts, way: Way, request: str) -> PromotionInfo:
    stage = facts.stage.name

    def lock_text(paths: Sequence[str]) -> str:
        held = Lock(
            stage=stage,
            promotion=scene.promotion,
            promoted=scene.promoted.id,
            collection=scene.collection,
            actor=scene.actor,
            way=way,
            paths=tuple(sorted(paths)),
            request=request,
        )
        return lock.write(held)

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
