"""Whose promotion is gone on with while it has no pull request."""

from dataclasses import replace

import pytest

from bot.core.actions import Promote
from bot.core.continuing import going_on
from bot.core.lock import Way
from bot.core.model import CommitSha
from bot.core.record import Record
from tests.core.world import REPOSITORY, START, World, freight, pipeline, stage

ONE = freight("1.0.0")
TEST = stage("test")
BEGUN = Record(
    REPOSITORY, TEST.name, "test.01", ONE.id, (ONE,), "maintainer", Way.COMMAND, "acme/shop#comment-1/1",
    CommitSha(""), steps=({"uses": "http"},),
)  # fmt: skip


@pytest.mark.parametrize(
    ("begun", "goes_on", "why"),
    [
        (BEGUN, True, "somebody asked for it"),
        (None, False, "nothing is under way"),
        (replace(BEGUN, steps=()), False, "it failed: only what it did once is remembered"),
        (replace(BEGUN, way=Way.AUTOMATION), False, "automation begins it again by itself, or something newer"),
    ],
)
def test_what_somebody_asked_for_goes_on(begun: Record | None, goes_on: bool, why: str) -> None:
    world = World(pipeline(TEST), discovered=ONE)
    snapshot = world.snapshot()

    found = list(going_on(snapshot, snapshot.stages[TEST.name], begun, START))

    wanted = [Promote(TEST.name, ONE, "maintainer", Way.COMMAND, "acme/shop#comment-1/1")]
    assert found == (wanted if goes_on else []), why


def test_a_gate_that_has_closed_stops_it() -> None:
    world = World(pipeline(TEST, stage("uat", "test")), discovered=ONE)
    snapshot = world.snapshot()

    found = list(going_on(snapshot, snapshot.stages[stage("uat").name], BEGUN, START))

    assert found == [], "it was never verified in test"


def test_what_has_landed_is_not_gone_on_with() -> None:
    world = World(pipeline(TEST), discovered=ONE)
    world.propose(TEST.name, ONE, Way.COMMAND, "maintainer")
    world.merge(TEST.name)
    snapshot = world.snapshot()

    assert list(going_on(snapshot, snapshot.stages[TEST.name], BEGUN, START)) == []
