"""The steps of a promotion, run one after the other: Kargo's rules, retries, limits, and what is kept."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.contracts import Schema, StepContext, StepResult, StepStatus
from bot.contracts.steps import LONGEST_RUN, default_timeout, longest_run
from bot.core.model import StepSpec, Variable
from bot.core.promotion import Scene, Severity, variables
from bot.core.snapshot import StageFacts
from bot.core.step_runs import StepRun, fingerprint
from bot.engine.description import Progress
from bot.engine.running.info import promotion_info
from bot.engine.running.journal import Journal
from bot.engine.running.steps import Ran, Steps
from bot.errors import Retry, UserError
from bot.steps import BY_NAME
from bot.steps.rendering import programs
from tests.core.world import REPOSITORY, freight, stage

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE = freight("1.0.0")
SCENE = Scene(REPOSITORY, "https://git.example.com/acme/shop.git", stage("test"), "test.01", ONE, (ONE,), "me", False)


@dataclass
class Clock:
    """Stands still, but for what a step takes."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


@dataclass
class Scripted:
    """A step that gives the results it was given, in order, the last of them again and again."""

    results: list[StepResult | Exception]
    NAME: str = "scripted"
    HELP: str = "Does as it is told."
    SCHEMA: Schema = field(default_factory=dict)
    seen: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = field(default_factory=list)  # previous, config
    takes: timedelta = timedelta(0)

    async def run(self, context: StepContext, config: Mapping[str, Any]) -> StepResult:
        self.seen.append((context.previous, config))
        cast(Clock, context.clock).time += self.takes
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result


@dataclass
class Hanging(Scripted):
    TIMEOUT: timedelta = timedelta(milliseconds=50)

    async def run(self, context: StepContext, config: Mapping[str, Any]) -> StepResult:
        await asyncio.sleep(60)
        raise AssertionError("nobody stopped it")


@dataclass
class Notes:
    """Remembers what it was given to keep, and what had ended by then."""

    kept: list[list[str]] = field(default_factory=list)
    waited: list[tuple[StepRun, bool]] = field(default_factory=list)
    written: bool = False
    notes_landing_by: str = ""

    async def keep(self, progress: Progress) -> None:
        self.kept.append([f"{run.alias} {run.status.name}" for run in progress.everything()])

    async def waits(self, progress: Progress, run: StepRun, at: datetime | None, *, intent: bool) -> None:
        self.waited.append((run, intent))


@dataclass
class Stage:
    """Runs steps as the engine does, with `scripted` ones by name."""

    plugins: dict[str, Any]
    clock: Clock = field(default_factory=Clock)
    notes: Notes = field(default_factory=Notes)
    progress: Progress = field(default_factory=lambda: Progress(SCENE, {}))
    elsewhere: bool = False

    async def __call__(self, *steps: StepSpec, prior: Sequence[StepRun] = ()) -> Ran:
        self.progress = Progress(SCENE, {"who": "audience"}, prior={one.alias: one for one in prior})
        self.progress.elsewhere = self.elsewhere
        info = promotion_info(SCENE, StageFacts(SCENE.stage, "main"), cast(Any, None))
        context = StepContext(
            workdir=Path("/nonexistent"), repository=cast(Any, None), promotion=info, git=cast(Any, None),
            github=cast(Any, None), identity=cast(Any, None), programs=cast(Any, None), clock=self.clock,
            http=cast(Any, None), artifacts=cast(Any, None), secrets=cast(Any, None), describe_pull=cast(Any, None),
            forges=cast(Any, None),
            outputs=self.progress.outputs, previous={},
        )  # fmt: skip
        notes = cast(Journal, self.notes)
        return await Steps({**BY_NAME, **self.plugins}, context, self.progress, notes, lambda data: data).run(steps)

    def results(self) -> dict[str, str]:
        return {run.alias: run.status.name for run in self.progress.runs.values()}


def well(**output: Any) -> StepResult:
    return StepResult(StepStatus.SUCCEEDED, output)


def errored(message: str = "503") -> StepResult:
    return StepResult(StepStatus.ERRORED, message=message)


def running(at: datetime | None = None, **output: Any) -> StepResult:
    return StepResult(StepStatus.RUNNING, output, "not yet", at)


# --- the rules (reference/kargo.md §2.1) -----------------------------------------------------------------

GOOD, BAD = "compose-output", "fail"


def step(alias: str, uses: str = GOOD, **more: Any) -> StepSpec:
    config = {"alias": alias} if uses == GOOD else {"message": "no good"} if uses == BAD else {}
    return StepSpec(uses, alias, more.pop("config", config), **more)


@pytest.mark.parametrize(
    ("steps", "results", "outcome"),
    [
        ([], "", "Succeeded"),
        ([step("a"), step("b")], "a Succeeded, b Succeeded", "Succeeded"),
        ([step("a", BAD), step("b")], "a Failed, b Skipped", "Failed"),
        ([step("a", BAD, continue_on_error=True), step("b")], "a Failed, b Succeeded", "Succeeded"),
        ([step("a", BAD), step("b", condition="${{ always() }}")], "a Failed, b Succeeded", "Failed"),
        ([step("a", BAD), step("b", condition="${{ failure() }}")], "a Failed, b Succeeded", "Failed"),
        ([step("a"), step("b", condition="${{ failure() }}")], "a Succeeded, b Skipped", "Succeeded"),
        ([step("a", BAD), step("b", condition="${{ success() }}")], "a Failed, b Skipped", "Failed"),
        (
            [step("a", BAD, continue_on_error=True), step("b", condition="${{ failure() }}")],
            "a Failed, b Skipped",
            "Succeeded",
        ),
        (
            [step("a", BAD, continue_on_error=True), step("b", condition="${{ status('a') == 'Failed' }}")],
            "a Failed, b Succeeded",
            "Succeeded",
        ),
        ([step("a", condition="${{ status('never') == '' }}")], "a Succeeded", "Succeeded"),
        ([step("a", condition="${{ false }}"), step("b")], "a Skipped, b Succeeded", "Succeeded"),
        ([step("a", condition="${{ false }}")], "a Skipped", "Succeeded"),
        ([step("a", condition="${{ 1 }}")], "a Errored", "Errored"),
        ([step("a", "unheard-of")], "a Errored", "Errored"),
        ([step("a", config={"x": "${{ nothing.there }}"})], "a Errored", "Errored"),
        ([step("a", BAD), step("b", "unheard-of", condition="${{ always() }}")], "a Failed, b Errored", "Errored"),
    ],
)
async def test_kargos_rules(steps: list[StepSpec], results: str, outcome: str) -> None:
    stage = Stage({})

    ran = await stage(*steps)

    assert ", ".join(f"{alias} {how}" for alias, how in stage.results().items()) == results
    assert ran.outcome.name == outcome


async def test_variables_of_a_step_see_and_override_the_stages() -> None:
    stage = Stage({"scripted": (seen := Scripted([well()]))})

    await stage(
        step("first", config={"id": 7}),
        StepSpec(
            "scripted",
            "second",
            {"text": "${{ vars.text }}", "id": "${{ outputs.first.id }}"},
            vars=(Variable("who", "Hello ${{ vars.who }}"), Variable("text", "${{ vars.who }}!")),
        ),
        StepSpec("scripted", "third", {"text": "${{ vars.who }}"}),
    )

    assert [config for _, config in seen.seen] == [{"text": "Hello audience!", "id": 7}, {"text": "audience"}]


async def test_a_tasks_steps_see_one_another_and_what_it_composes_is_its_own() -> None:
    stage = Stage({"scripted": (seen := Scripted([well(sha="abc")]))})
    inside = {"sha": "${{ task.outputs.push.sha }}", "how": "${{ status('push') }}"}

    await stage(
        StepSpec("scripted", "deploy::push", task="deploy"),
        StepSpec(GOOD, "deploy::out", inside, task="deploy"),
        StepSpec(
            "scripted", "after", {"sha": "${{ outputs.deploy.sha }}", "same": "${{ outputs['deploy::push'].sha }}"}
        ),
    )

    assert seen.seen[-1][1] == {"sha": "abc", "same": "abc"}
    assert stage.progress.outputs["deploy"] == {"sha": "abc", "how": "Succeeded"}


async def test_what_a_later_step_has_settled_is_not_done_again() -> None:
    noting = StepSpec("set-metadata", "note", {"updates": [{"kind": "Stage", "name": "test", "values": {"a": 1}}]})
    steps = (StepSpec("scripted", "push"), noting, StepSpec("opening", "open"), StepSpec("waiting", "wait"))
    first = Stage(
        {
            "scripted": Scripted([well(commit="abc")]),
            "opening": Scripted([StepResult(StepStatus.SUCCEEDED, {"id": 7}, settles=True)]),
            "waiting": Scripted([running()]),
        },
        elsewhere=True,
    )
    await first(*steps)

    assert first.notes.kept == [["push Succeeded", "note Succeeded", "open Succeeded"]]
    before = [run for run in first.progress.runs.values() if run.stays]
    assert [run.alias for run in before] == ["push", "open", "wait"]  # what is noted is nowhere else yet

    waiting = Scripted([well()])
    again = Stage({"scripted": Scripted([]), "opening": Scripted([]), "waiting": waiting}, elsewhere=True)
    ran = await again(*steps, prior=before)

    assert ran.outcome is Severity.Succeeded
    assert again.progress.outputs["push"] == {"commit": "abc"}
    assert again.progress.scene.notes.stages == {"test": {"a": 1}}


# --- again, and again ------------------------------------------------------------------------------------


async def test_errors_are_tried_again_as_often_as_the_template_says() -> None:
    scripted = Scripted([errored(), errored(), well(id=7)])
    stage = Stage({"scripted": scripted})

    ran = await stage(StepSpec("scripted", "ask", error_threshold=3))

    assert (ran.outcome, len(scripted.seen), stage.progress.outputs["ask"]) == (Severity.Succeeded, 3, {"id": 7})


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (UserError("no such file"), "a mistake is not mended by trying"),
        (RuntimeError("ours"), "nor is one of ours"),
        (StepResult(StepStatus.FAILED, message="closed"), "an answer is an answer"),
    ],
)
async def test_what_stays_wrong_is_not_tried_again(result: StepResult | Exception, why: str) -> None:
    scripted = Scripted([result])

    ran = await Stage({"scripted": scripted})(StepSpec("scripted", "ask", error_threshold=9))

    assert ran.outcome >= Severity.Failed
    assert len(scripted.seen) == 1, why


async def test_long_waits_between_errors_end_the_run_and_the_next_goes_on_counting() -> None:
    scripted = Scripted([errored()])
    stage = Stage({"scripted": scripted})
    asking = StepSpec("scripted", "ask", error_threshold=12)
    before = StepRun("ask", "scripted", fingerprint(asking), Severity.Running, NOW, errors=7)

    ran = await stage(asking, prior=[before])

    assert ran.outcome is Severity.Running
    assert ran.retry_at is not None
    assert timedelta(seconds=64) <= ran.retry_at - NOW <= timedelta(seconds=128)
    assert [(run.errors, run.started) for run, _ in stage.notes.waited] == [(8, NOW)]


async def test_without_limits_one_error_ends_a_step() -> None:
    scripted = Scripted([errored("503")])

    ran = await Stage({"scripted": scripted})(StepSpec("scripted", "ask"))

    assert (ran.outcome, ran.step, ran.message, len(scripted.seen)) == (Severity.Errored, "ask", "503", 1)


async def test_what_passes_by_itself_stops_the_whole_run() -> None:
    later = Retry(NOW, "GitHub is busy")

    with pytest.raises(Retry):
        await Stage({"scripted": Scripted([later])})(StepSpec("scripted", "ask", error_threshold=9))


async def test_a_step_that_hangs_is_stopped() -> None:
    ran = await Stage({"hanging": Hanging([])})(StepSpec("hanging", "wait"))

    assert (ran.outcome, ran.message) == (Severity.Errored, "It took longer than 50ms, and was stopped.")


async def test_the_time_of_all_runs_together_is_limited() -> None:
    waiting = StepSpec("scripted", "wait", timeout=timedelta(minutes=5))
    stage = Stage({"scripted": Scripted([running(NOW + timedelta(hours=1))])})

    first = await stage(waiting)
    assert (first.outcome, first.retry_at) == (Severity.Running, NOW + timedelta(minutes=5))

    stage.clock.time = NOW + timedelta(minutes=5)
    second = await stage(waiting, prior=first.runs)
    assert second.outcome is Severity.Errored
    assert "has not come to its end within 5m0s (`retry.timeout`). It last said: not yet" in second.message


def test_limits_of_plug_ins_are_theirs_to_say() -> None:
    @dataclass
    class Patient(Scripted):
        DEFAULT_TIMEOUT: timedelta = timedelta(minutes=5)

    assert (longest_run(Scripted([])), default_timeout(Scripted([]))) == (LONGEST_RUN, None)
    assert longest_run(Hanging([])) == timedelta(milliseconds=50)
    assert default_timeout(Patient([])) == timedelta(minutes=5)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_step_has_sensible_limits(name: str) -> None:
    longest, total = longest_run(BY_NAME[name]), default_timeout(BY_NAME[name])

    assert timedelta(0) < longest <= timedelta(hours=1)
    assert total is None or total > timedelta(0)


# --- what is kept ----------------------------------------------------------------------------------------


async def test_a_step_is_given_what_it_put_out_last() -> None:
    scripted = Scripted([running(NOW + timedelta(minutes=1), polls=1), errored(), running(None)])
    stage = Stage({"scripted": scripted})
    waiting = StepSpec("scripted", "wait", error_threshold=2)

    first = await stage(waiting)
    await stage(waiting, prior=first.runs)

    assert [dict(previous) for previous, _ in scripted.seen] == [{}, {"polls": 1}, {"polls": 1}]


async def test_an_intent_is_kept_before_it_is_acted_on() -> None:
    scripted = Scripted([running(NOW, nonce="7"), StepResult(StepStatus.SUCCEEDED, {"id": 1}, once=True)])
    stage = Stage({"scripted": scripted})

    ran = await stage(StepSpec("scripted", "send"), step("after"))

    assert ran.outcome is Severity.Succeeded
    assert [(dict(run.output), intent) for run, intent in stage.notes.waited] == [({"nonce": "7"}, True)]
    assert [dict(previous) for previous, _ in scripted.seen] == [{}, {"nonce": "7"}]
    assert stage.notes.kept == [["send Succeeded"]]


async def test_a_step_with_nothing_but_intents_does_not_run_for_ever() -> None:
    scripted = Scripted([running(NOW, nonce="7")])

    ran = await Stage({"scripted": scripted})(StepSpec("scripted", "send"))

    assert ran.outcome is Severity.Running
    assert ran.retry_at is not None
    assert ran.retry_at > NOW
    assert len(scripted.seen) < 10


async def test_what_was_done_once_is_not_done_again_and_its_output_is_there() -> None:
    scripted = Scripted([StepResult(StepStatus.SUCCEEDED, {"id": 7}, once=True)])
    stage = Stage({"scripted": scripted})
    send, after = StepSpec("scripted", "send"), step("after", config={"id": "${{ outputs.send.id }}"})

    first = await stage(send, after)
    second = await stage(send, after, prior=[run for run in first.runs if run.kept])

    assert second.outcome is Severity.Succeeded
    assert len(scripted.seen) == 1
    assert stage.progress.outputs["after"] == {"id": 7}
    assert stage.notes.kept == [["send Succeeded"]]


async def test_a_step_that_was_configured_otherwise_since_is_done() -> None:
    scripted = Scripted([StepResult(StepStatus.SUCCEEDED, {"id": 7}, once=True)])
    stage = Stage({"scripted": scripted})

    first = await stage(StepSpec("scripted", "send", {"to": "a"}))
    await stage(StepSpec("scripted", "send", {"to": "b"}), prior=first.runs)

    assert [config for _, config in scripted.seen] == [{"to": "a"}, {"to": "b"}]


async def test_what_has_waited_is_not_waited_for_again() -> None:
    """Its condition is evaluated once, before it first starts."""
    scripted = Scripted([running(NOW + timedelta(minutes=1)), well(id=7)])
    stage = Stage({"scripted": scripted})
    waiting = StepSpec("scripted", "wait", condition="${{ status('wait') == '' }}")

    first = await stage(waiting)
    second = await stage(waiting, prior=first.runs)
    third = await stage(waiting, prior=second.runs)

    assert [first.outcome.name, second.outcome.name, third.outcome.name] == ["Running", "Succeeded", "Succeeded"]
    assert len(scripted.seen) == 2


# --- the end of it ---------------------------------------------------------------------------------------


@dataclass
class Program(Scripted):
    """A step that starts a program, and says which."""

    started: "asyncio.Queue[int]" = field(default_factory=asyncio.Queue)
    folder: Path = Path()

    async def run(self, context: StepContext, config: Mapping[str, Any]) -> StepResult:
        told = self.folder / "pid"
        code = f"import os,time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        running = asyncio.create_task(programs.run([sys.executable], "-c", code, folder=self.folder, environment={}))
        try:
            while not told.exists() or not told.read_text():  # noqa: ASYNC110 -- another process writes it
                await asyncio.sleep(0.01)
            self.started.put_nowait(int(told.read_text()))
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        raise AssertionError("nobody ended it")


@pytest.mark.parametrize("how", ["cancelled", "too long"])
async def test_a_step_that_is_ended_takes_its_programs_with_it(tmp_path: Path, how: str) -> None:
    program = Program([], folder=tmp_path)
    stage = Stage({"program": program})
    limit = timedelta(seconds=1.5) if how == "too long" else None
    look = asyncio.create_task(stage(StepSpec("program", "render", timeout=limit)))
    async with asyncio.timeout(60):
        pid = await program.started.get()

        if how == "cancelled":
            look.cancel()
            with pytest.raises(asyncio.CancelledError):
                await look
        else:
            assert (await look).message.startswith("It took longer than 1.5s, and was stopped.")

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_variables_are_evaluated_in_order() -> None:
    found = variables([(Variable("a", "1"), Variable("b", "${{ vars.a }}2")), (Variable("a", "3"),)], {})

    assert found == {"a": "3", "b": "12"}
