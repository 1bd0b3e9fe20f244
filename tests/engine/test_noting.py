"""What steps have noted is seen by those that come later, and comes with the lock or is refused, never lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.contracts import Schema, StepContext, StepResult, StepStatus
from bot.core import lock
from bot.core.lock import Lock, Way
from bot.core.model import StageName, StepSpec
from bot.core.notes import LARGEST, Known
from bot.core.promotion import Scene, Severity
from bot.core.snapshot import StageFacts
from bot.core.step_runs import StepRun, fingerprint
from bot.engine.description import Progress
from bot.engine.running.info import lock_of, promotion_info
from bot.engine.running.journal import Journal
from bot.engine.running.steps import Ran, Steps
from bot.steps import BY_NAME
from tests.core.world import REPOSITORY, freight, stage
from tests.engine.test_steps import NOW, Clock, Notes, Scripted, running, well

ONE, TWO = freight("1.0.0"), freight("2.0.0")
TEST = stage("test")
KNOWN = Known(
    stages={"test": {"runs": 1}}, freight={ONE.id: {"ticket": "A-1"}}, aliases={ONE.id: ONE.alias, TWO.id: TWO.alias}
)
SCENE = Scene(REPOSITORY, "https://git.example.com/acme/shop.git", TEST, "test.01", ONE, (ONE,), "me", False)
SECRET = "hunter2-and-more"


@dataclass
class Committing:
    """Writes the lock as git-commit does, unless it is told not to."""

    writes: bool = True
    NAME: str = "git-commit"
    HELP: str = "Commits."
    SCHEMA: Schema = field(default_factory=dict)
    locks: list[Lock] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)

    async def run(self, context: StepContext, config: Mapping[str, Any]) -> StepResult:
        self.aliases.append(context.promotion.freight.alias)
        if self.writes:
            self.locks.append(lock.read(context.promotion.lock_text(["out"])))
        return well(commit="1" * 40)


@dataclass
class Run:
    commit: Committing = field(default_factory=Committing)
    opened: Scripted = field(default_factory=lambda: Scripted([well(pr={"id": 7})]))
    plugins: dict[str, Any] = field(default_factory=dict)
    prior: tuple[StepRun, ...] = ()
    landed: bool = False
    elsewhere: bool = False
    scene: Scene = field(default_factory=lambda: replace(SCENE, known=KNOWN))

    async def __call__(self, *steps: StepSpec) -> Ran:
        self.progress = Progress(
            self.scene, {}, prior={one.alias: one for one in self.prior}, landed=self.landed,
            openers=frozenset({"open"}), elsewhere=self.elsewhere,
        )  # fmt: skip
        info = promotion_info(
            self.scene, StageFacts(TEST, "main"), lambda: lock_of(self.progress.scene, Way.COMMAND, "")
        )
        context = StepContext(
            workdir=Path("/nonexistent"), repository=cast(Any, None), promotion=info, git=cast(Any, None),
            github=cast(Any, None), identity=cast(Any, None), programs=cast(Any, None), clock=Clock(),
            http=cast(Any, None), secrets=cast(Any, None), describe_pull=cast(Any, None),
            forges=cast(Any, None),
            outputs=self.progress.outputs, previous={}, artifacts=cast(Any, None),
        )  # fmt: skip
        plugins = {**BY_NAME, "git-commit": self.commit, "git-open-pr": self.opened, **self.plugins}
        return await Steps(plugins, context, self.progress, cast(Journal, Notes()), masked).run(steps)


def masked(data: Any) -> Any:
    match data:
        case str():
            return data.replace(SECRET, "***")
        case Mapping():
            return {masked(key): masked(value) for key, value in data.items()}
        case list():
            return [masked(value) for value in data]
    return data


def setting(kind: str = "Stage", name: str = "test", **values: Any) -> StepSpec:
    return StepSpec("set-metadata", f"set-{kind}", {"updates": [{"kind": kind, "name": name, "values": values}]})


def calling(alias: str) -> StepSpec:
    return StepSpec("set-freight-alias", "call", {"name": "${{ ctx.targetFreight.name }}", "alias": alias})


COMMIT, OPEN = StepSpec("git-commit", "commit"), StepSpec("git-open-pr", "open")


async def test_what_was_noted_comes_with_the_lock() -> None:
    run = Run()

    ran = await run(
        setting(last="${{ ctx.targetFreight.alias }}"), setting("Freight", ONE.id, ok=True), calling("v1"), COMMIT, OPEN
    )

    assert ran.outcome is Severity.Succeeded
    (written,) = run.commit.locks
    assert written.metadata == {"runs": 1, "last": ONE.alias}
    assert written.freight_metadata == {ONE.id: {"ok": True}}
    assert written.inherited == {ONE.id: {"ticket": "A-1"}}
    assert (written.freight.alias, written.renamed) == ("v1", {ONE.id})
    assert run.commit.aliases == ["v1"]
    assert run.progress.scene.promoted.alias == "v1"  # the pull request's text goes by it


async def test_without_notes_the_lock_says_what_was_known() -> None:
    run = Run()

    await run(COMMIT)

    (written,) = run.commit.locks
    assert (written.metadata, written.inherited) == ({"runs": 1}, {ONE.id: {"ticket": "A-1"}})
    assert (written.freight_metadata, written.renamed) == ({}, frozenset())


async def test_later_steps_read_what_was_noted() -> None:
    read = Scripted([well()])
    run = Run(plugins={"read": read})
    config = {
        "runs": "${{ stageMetadata(ctx.stage).runs }}",
        "freight": "${{ freightMetadata(ctx.targetFreight.name) }}",
        "alias": "${{ ctx.targetFreight.alias }}",
    }

    await run(
        setting(runs="${{ stageMetadata('test').runs + 1 }}"), setting("Freight", ONE.id, ok=True), calling("v1"),
        StepSpec("read", "read", config), COMMIT,
    )  # fmt: skip

    assert read.seen[0][1] == {"runs": 2, "freight": {"ticket": "A-1", "ok": True}, "alias": "v1"}


async def test_another_run_from_the_start_comes_to_the_same() -> None:
    run = Run()
    steps = (setting(runs="${{ stageMetadata('test').runs + 1 }}"), calling("v1"), COMMIT, OPEN)

    await run(*steps)
    await run(*steps)

    assert run.commit.locks[0] == run.commit.locks[1]


async def test_what_was_noted_by_a_step_that_had_waited_is_noted_again() -> None:
    noting = await BY_NAME["set-metadata"].run(cast(Any, None), setting(a=1).config)
    patient = Scripted([running(NOW), replace(noting, status=StepStatus.SUCCEEDED)])
    spec = StepSpec("patient", "patient")
    waits = StepRun("patient", "patient", fingerprint(spec), Severity.Running, NOW)
    run = Run(plugins={"patient": patient}, prior=(waits,))

    await run(spec)  # it waits again
    await run(spec, COMMIT)

    assert not run.progress.runs["patient"].kept
    assert run.commit.locks[0].metadata == {"runs": 1, "a": 1}


async def test_secrets_are_masked_and_make_no_alias() -> None:
    run = Run()

    await run(setting(**{"a": [SECRET], f"b{SECRET}": 1}), COMMIT)
    ran = await run(calling(SECRET), COMMIT)

    assert run.commit.locks[0].metadata == {"runs": 1, "a": ["***"], "b***": 1}
    assert (ran.outcome, ran.step) == (Severity.Errored, "call")
    assert "can't be made from a secret" in ran.message
    assert SECRET not in ran.message


@pytest.mark.parametrize(
    ("steps", "landed"),
    [
        ((COMMIT, setting(a=1), OPEN), False),
        ((COMMIT, OPEN, setting(a=1), replace(COMMIT, alias="again")), False),
        ((COMMIT, OPEN, calling("v1")), False),
        ((setting(a=1), replace(COMMIT, alias="again")), True),
    ],
)
async def test_what_comes_too_late_is_said(steps: tuple[StepSpec, ...], landed: bool) -> None:
    ran = await Run(landed=landed)(*steps)

    assert (ran.outcome, ran.step) == (Severity.Errored, next(one.alias for one in steps if one.uses.startswith("set")))
    assert "comes too late" in ran.message
    assert "put it before `git-commit`" in ran.message


@pytest.mark.parametrize("commit", [COMMIT, replace(COMMIT, condition="${{ false }}")])
async def test_nothing_is_proposed_without_what_was_noted(commit: StepSpec) -> None:
    run = Run(Committing(writes=False))

    ran = await run(setting(a=1), commit, OPEN)

    assert (ran.outcome, ran.step) == (Severity.Errored, "open")
    assert "what the step `set-Stage` sets is in no commit" in ran.message
    assert not run.opened.seen


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (setting(name="uat", a=1), "set that in a step of that stage"),
        (setting("Freight", TWO.id, a=1), "is not the id of freight"),
        (setting(a="x" * LARGEST), "keep less"),
        (calling(TWO.alias), "already; choose another"),
        (calling("not one"), "can't be an alias"),
    ],
)
async def test_what_cannot_be_noted_ends_the_promotion(step: StepSpec, why: str) -> None:
    run = Run()

    ran = await run(step, COMMIT, OPEN)

    assert (ran.outcome, ran.step) == (Severity.Errored, step.alias)
    assert why in ran.message
    assert not run.opened.seen
    assert run.commit.locks == []


async def test_a_step_that_failed_has_noted_nothing() -> None:
    noted = await BY_NAME["set-metadata"].run(cast(Any, None), setting(a=1).config)
    run = Run(plugins={"failing": Scripted([replace(noted, status=StepStatus.FAILED)])})

    await run(StepSpec("failing", "failing", continue_on_error=True), COMMIT)

    assert run.commit.locks[0].metadata == {"runs": 1}


async def test_a_lock_that_nobody_could_read_again_is_not_written() -> None:
    run = Run()
    text = "x" * 1_000

    class Wide(Committing):
        async def run(self, context: StepContext, config: Mapping[str, Any]) -> StepResult:
            context.promotion.lock_text([f"{text}{number}" for number in range(1_000)])
            return well()

    ran = await Run(plugins={"git-commit": Wide()})(COMMIT)

    assert ran.outcome is Severity.Errored
    assert "the lock of `test` would have" in ran.message
    assert run.scene.stage.name == StageName("test")


async def test_where_towpath_keeps_the_lock_no_commit_need_follow() -> None:
    run = Run(elsewhere=True)

    ran = await run(setting(last="${{ ctx.targetFreight.alias }}"))

    assert ran.outcome is Severity.Succeeded
    assert lock_of(run.progress.scene, Way.COMMAND, "").metadata == {"runs": 1, "last": ONE.alias}
