"""Puts the steps of one promotion into a folder of their own, with all they may touch."""

from collections.abc import Sequence

from bot.contracts import DescribePull, PromotionInfo, RepositoryInfo, StepContext
from bot.core.known import known
from bot.core.lock import Lock, Way
from bot.core.model import StepSpec
from bot.core.promotion import Scene
from bot.core.record import Record
from bot.core.snapshot import Snapshot, StageFacts
from bot.engine.description import Progress
from bot.engine.ports import Ports, Site
from bot.engine.running.journal import Journal
from bot.engine.running.steps import Ran, Steps
from bot.engine.running.workdir import workdir


def scene_of(site: Site, snapshot: Snapshot, facts: StageFacts, held: Lock | Record) -> Scene:
    """What expressions see of a promotion that has landed or is proposed."""
    return Scene(
        repository=snapshot.repository,
        repository_url=snapshot.url,
        stage=facts.stage,
        promotion=held.promotion,
        promoted=held.freight,
        collection=held.collection,
        actor=held.actor,
        rollback=held.way is Way.ROLLBACK,
        secrets=site.secrets.named,
        known=known(snapshot),
    )


async def run_steps(
    ports: Ports,
    site: Site,
    snapshot: Snapshot,
    progress: Progress,
    info: PromotionInfo,
    steps: Sequence[StepSpec],
    describe: DescribePull,
    notes: Journal,
) -> Ran:
    """Run them in a fresh folder, which is gone afterwards."""
    async with workdir(ports.workdirs) as folder:
        context = StepContext(
            workdir=folder,
            repository=RepositoryInfo(snapshot.repository, snapshot.url, snapshot.default_branch),
            promotion=info,
            git=site.git,
            github=site.github,
            identity=site.identity,
            programs=ports.programs,
            clock=ports.clock,
            http=ports.http,
            artifacts=site.registry.artifacts,
            secrets=site.secrets,
            describe_pull=describe,
            forges=site.forges,
            outputs=progress.outputs,
            previous={},
        )
        return await Steps(ports.plugins.steps, context, progress, notes, site.secrets.mask).run(steps)
