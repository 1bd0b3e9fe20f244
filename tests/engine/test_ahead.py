"""What comes next is prepared while an earlier step runs; the steps themselves never notice."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.contracts import Step, StepContext, StepResult, StepStatus
from bot.contracts.schema import Schema
from bot.core.model import StepSpec
from bot.engine.ahead import looking_ahead
from bot.errors import Retry, UserError
from bot.expressions import ExpressionError
from tests.engine.desk import until

CONTEXT = cast(StepContext, None)
ANYTHING: Schema = {}


class Renders:
    """A step that can be prepared; notes for what it was, and fails as it is told to."""

    NAME, HELP = "renders", ""
    SCHEMA = ANYTHING

    def __init__(self, error: Exception | None = None) -> None:
        self.prepared: list[Any] = []
        self.cancelled = 0
        self._error = error

    async def run(self, _context: StepContext, _config: Mapping[str, Any]) -> StepResult:
        return StepResult(StepStatus.SUCCEEDED)

    async def prepare(self, _context: StepContext, config: Mapping[str, Any]) -> None:
        self.prepared.append(config["n"])
        if self._error:
            raise self._error
        if config["n"] == "forever":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise


class Writes:
    NAME, HELP = "writes", ""
    SCHEMA = ANYTHING

    async def run(self, _context: StepContext, _config: Mapping[str, Any]) -> StepResult:
        return StepResult(StepStatus.SUCCEEDED)


def step(uses: str, n: object, condition: str | None = None) -> StepSpec:
    return StepSpec(uses, f"{uses}-{n}", {"n": n}, condition)


def config_of(spec: StepSpec) -> Mapping[str, Any]:
    if spec.config["n"] == "broken":
        raise ExpressionError("no such name", 0)
    return spec.config


async def prepared(*steps: StepSpec, error: Exception | None = None, patience: float = 0.0) -> Renders:
    """Goes through the steps as the runner does, and gives what is prepared each time to begin."""
    renders = Renders(error)
    plugins: dict[str, Step] = {"renders": renders, "writes": Writes()}
    async with looking_ahead(CONTEXT, plugins, config_of, patience=patience) as look:
        for place in range(len(steps)):
            look(steps[place:])
            for _ in range(5):
                await asyncio.sleep(0)
    return renders


@pytest.mark.parametrize(
    ("steps", "ahead"),
    [
        ([], []),
        ([step("renders", 1)], []),
        ([step("renders", 1), step("renders", 2), step("renders", 3)], [2, 3]),
        ([step("writes", 1), step("renders", 2), step("renders", 3)], [3]),
        ([step("renders", 1), step("writes", 2), step("renders", 3)], []),
        ([step("renders", 1), step("renders", 2, "${{ always() }}"), step("renders", 3), step("renders", 4)], [4]),
        ([step("renders", 1), step("unknown", 2), step("renders", 3)], []),
        ([step("renders", 1), step("renders", "broken"), step("renders", 3)], [3]),
    ],
)
async def test_an_unbroken_row_is_prepared_but_for_its_first(steps: list[StepSpec], ahead: list[int]) -> None:
    assert (await prepared(*steps)).prepared == ahead


async def test_steps_that_are_done_at_once_are_not_worth_looking_past() -> None:
    assert (await prepared(*(step("renders", n) for n in range(20)), patience=60)).prepared == []


async def test_it_begins_once_a_step_takes_its_time() -> None:
    renders = Renders()
    async with looking_ahead(CONTEXT, {"renders": renders}, config_of, patience=0.001) as look:
        look([step("renders", n) for n in range(100)])
        await until(lambda: len(renders.prepared) == 99)
    assert renders.prepared == [*range(1, 100)]


async def test_no_more_begin_than_the_cores_have_use_for() -> None:
    renders, most = Renders(), 2 * len(os.sched_getaffinity(0))
    async with looking_ahead(CONTEXT, {"renders": renders}, config_of, patience=0) as look:
        look([step("renders", 0), *(step("renders", "forever") for _ in range(50))])
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(renders.prepared) == most


@pytest.mark.parametrize("error", [UserError("a"), Retry(datetime(2026, 1, 1, tzinfo=UTC), "b")])
async def test_mistakes_are_left_for_the_step_to_find(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    assert (await prepared(step("renders", 1), step("renders", 2), error=error)).prepared == [2]
    assert caplog.text == ""


async def test_a_mistake_of_ours_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await prepared(step("renders", 1), step("renders", 2), error=KeyError("ours"))
    assert "ours" in caplog.text


async def test_what_is_not_needed_any_more_is_cancelled() -> None:
    assert (await prepared(step("renders", 1), step("renders", "forever"))).cancelled == 1
