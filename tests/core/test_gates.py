"""May this freight enter this stage? Kargo's table of availability, and what Towpath asks besides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.gates import Verdict, longest_stay, verdict
from bot.core.lock import Way
from bot.core.model import Availability, FreightRequest, Stage, StageName, WarehouseName
from tests.core.world import SERVICE, START, World, freight, pipeline, stage

TEST, UAT, PROD = StageName("test"), StageName("uat"), StageName("prod")
ONE = freight("1.0.0")
HOUR = timedelta(hours=1)


def world(*, bad: bool = False, settle: bool = True, prod: Stage | None = None) -> World:
    """1.0.0 has landed in test, and was verified there unless it is bad."""
    made = World(pipeline(stage("test", auto=True, merge="auto"), stage("uat", "test"), prod or stage("prod", "uat")))
    made.discovered = ONE
    if bad:
        made.bad.add(ONE.id)
    if settle:
        made.settle()
    return made


def ask(made: World, name: StageName, way: Way = Way.COMMAND) -> Verdict:
    return verdict(made.snapshot(), name, ONE, made.now, way)


def reasons(answer: Verdict) -> list[str]:
    return [gate.because for gate in answer.closed]


def test_a_stage_takes_freight_straight_from_its_warehouse() -> None:
    assert ask(world(settle=False), TEST).allowed


def test_what_is_verified_upstream_may_come() -> None:
    assert ask(world(), UAT).allowed


def test_what_has_not_been_upstream_may_not() -> None:
    answer = ask(world(settle=False), UAT)

    assert reasons(answer) == ["service 1.0.0 has not been in test"]
    assert "`/promote test 1.0.0`" in answer.closed[0].remedy


def test_what_failed_upstream_may_not() -> None:
    assert reasons(ask(world(bad=True), UAT)) == ["verification of service 1.0.0 in test failed (judged)"]


def test_what_is_being_verified_upstream_waits() -> None:
    made = world(settle=False)
    made.propose(TEST, ONE, Way.AUTOMATION, "automation")
    made.merge(TEST)

    answer = ask(made, UAT)

    assert reasons(answer) == ["test is still verifying service 1.0.0"]
    assert answer.waiting
    assert answer.until is None


def test_freight_of_another_warehouse_is_refused_by_name() -> None:
    made = world()
    foreign = replace(ONE, origin=WarehouseName("other"))

    answer = verdict(made.snapshot(), UAT, foreign, made.now, Way.COMMAND)

    assert reasons(answer) == ["uat takes freight of `service`, not of `other`"]


@pytest.mark.parametrize(("waited", "allowed"), [(59, False), (60, True), (61, True)])
def test_soak_counts_from_entry_to_the_second(waited: int, allowed: bool) -> None:
    made = world()
    request = FreightRequest(SERVICE, stages=(TEST,), required_soak=timedelta(seconds=60))
    made.pipeline = pipeline(
        *[replace(s, requests=(request,)) if s.name == UAT else s for s in made.pipeline.stages.values()]
    )
    made.now += timedelta(seconds=waited)

    answer = ask(made, UAT)

    assert answer.allowed is allowed
    assert allowed or answer.until == START + timedelta(seconds=60)


def test_a_stage_that_is_being_verified_is_left_alone_but_can_be_rolled_back() -> None:
    made = world()
    made.propose(UAT, ONE, Way.COMMAND, "maintainer")
    made.merge(UAT)
    made.settle()
    two = freight("1.1.0")
    made.propose(UAT, two, Way.COMMAND, "maintainer")
    made.merge(UAT)

    assert "uat is still verifying service 1.1.0" in reasons(ask(made, UAT))
    assert ask(made, UAT, Way.ROLLBACK).allowed


def test_there_is_no_rollback_to_what_was_never_verified_here() -> None:
    answer = ask(world(), UAT, Way.ROLLBACK)

    assert reasons(answer) == ["service 1.0.0 was never verified in uat, so there is no going back to it"]


def test_a_broken_configuration_closes_every_stage() -> None:
    made = world()
    made.valid = False

    assert reasons(ask(made, UAT)) == ["`.promotion.yaml` on `main` has 1 problem"]
    assert not ask(made, TEST, Way.ROLLBACK).allowed


@pytest.mark.parametrize(
    ("availability", "verified_in", "allowed"),
    [
        (Availability.ONE_OF, ["test"], True),
        (Availability.ONE_OF, ["uat"], True),
        (Availability.ONE_OF, [], False),
        (Availability.ALL, ["test"], False),
        (Availability.ALL, ["test", "uat"], True),
    ],
)
def test_one_upstream_is_enough_unless_all_are_asked_for(
    availability: Availability, verified_in: list[str], allowed: bool
) -> None:
    request = FreightRequest(SERVICE, stages=(TEST, UAT), availability=availability)
    made = world(settle=False, prod=replace(stage("prod", "uat"), requests=(request,)))
    for name in verified_in:
        made.propose(StageName(name), ONE, Way.COMMAND, "maintainer")
        made.merge(StageName(name))
    made.discovered = None
    made.settle()

    assert ask(made, PROD).allowed is allowed


def test_freight_passes_a_junction_once_it_might_enter_it() -> None:
    junction = Stage(StageName("gate"), (FreightRequest(SERVICE, stages=(TEST,)),))
    made = world()
    made.pipeline = pipeline(made.pipeline.stages[TEST], junction, replace(stage("prod", "gate"), name=PROD))

    assert ask(made, PROD).allowed

    made = world(bad=True)
    made.pipeline = pipeline(made.pipeline.stages[TEST], junction, replace(stage("prod", "gate"), name=PROD))

    assert reasons(ask(made, PROD)) == ["verification of service 1.0.0 in test failed (judged)"]


def test_the_longest_stay_is_found_over_visits_and_promotions_of_other_freight() -> None:
    made = world()
    landing = made.landings[TEST][0]
    two = freight("1.1.0")
    other = replace(landing.lock, promoted=two.id, collection=(two,))
    made.landings[TEST] = [
        replace(landing, at=START + 10 * HOUR),
        replace(landing, at=START + 5 * HOUR, lock=other),
        replace(landing, at=START + 1 * HOUR),
        replace(landing, at=START),
    ]

    longest, since = longest_stay(made.snapshot().stages[TEST], ONE, START + 12 * HOUR)

    assert (longest, since) == (5 * HOUR, START + 10 * HOUR)
