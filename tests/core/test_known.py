"""What all locks together say of freight: the last word counts, and a copy is nobody's word."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from bot.core.facts import CheckRun, CheckStatus, Conclusion
from bot.core.freight import alias_of
from bot.core.known import as_landed, known, named
from bot.core.lock import Lock, Way
from bot.core.model import CommitSha, StageName
from bot.core.notes import renamed
from bot.core.record import Record
from bot.core.snapshot import Landing, Proposal, Snapshot
from tests.core.world import REPOSITORY, SERVICE, START, World, freight, pipeline, stage

TEST, UAT, PROD = StageName("test"), StageName("uat"), StageName("prod")
ONE, TWO = freight("1.0.0"), freight("2.0.0")
HOUR = timedelta(hours=1)


def world() -> World:
    return World(pipeline(stage("test"), stage("uat", "test"), stage("prod", "uat")))


def landing(name: StageName, hours: int, *, of: Any = ONE, **notes: Any) -> Landing:
    lock = Lock(name, f"{name}.{hours}", of.id, (of,), "me", Way.COMMAND, **notes)
    return Landing(CommitSha(f"{hours:040x}"), START + hours * HOUR, lock)


def seen(*landings: Landing) -> Snapshot:
    made = world()
    for one in sorted(landings, key=lambda one: one.at, reverse=True):
        made.landings.setdefault(one.lock.stage, []).append(one)
    return made.snapshot()


def aliases(snapshot: Snapshot) -> dict[str, str]:
    return dict(known(named(snapshot)).aliases)


# --- metadata --------------------------------------------------------------------------------------------


def test_a_stage_has_the_metadata_of_its_lock() -> None:
    snapshot = seen(landing(TEST, 1, metadata={"runs": 1}), landing(TEST, 2, metadata={"runs": 2}), landing(UAT, 3))

    assert known(snapshot).stages == {"test": {"runs": 2}, "uat": {}}


def test_freight_has_key_by_key_what_was_set_last() -> None:
    snapshot = seen(
        landing(TEST, 1, freight_metadata={ONE.id: {"ticket": "A-1", "at": "test"}}),
        landing(UAT, 2, freight_metadata={ONE.id: {"at": "uat"}}, inherited={ONE.id: {"ticket": "A-1"}}),
        landing(TEST, 3, of=TWO, freight_metadata={TWO.id: {"at": "test"}}),
    )

    assert known(snapshot).freight == {ONE.id: {"ticket": "A-1", "at": "uat"}, TWO.id: {"at": "test"}}


def test_a_copy_that_lands_late_does_not_bring_back_what_has_changed_since() -> None:
    snapshot = seen(
        landing(TEST, 1, freight_metadata={ONE.id: {"ok": False}}),
        landing(TEST, 3, freight_metadata={ONE.id: {"ok": True}}),
        landing(UAT, 4, inherited={ONE.id: {"ok": False}}),  # rendered before the third
    )

    assert known(snapshot).freight == {ONE.id: {"ok": True}}


def test_a_copy_counts_where_the_lock_it_was_set_with_is_gone() -> None:
    assert known(seen(landing(UAT, 4, inherited={ONE.id: {"ok": True}}))).freight == {ONE.id: {"ok": True}}


def test_what_is_only_proposed_is_not_known() -> None:
    made = world()
    made.propose(TEST, ONE, Way.COMMAND, "me")
    proposal = made.proposals[TEST]
    assert proposal.lock is not None
    made.proposals[TEST] = replace(proposal, lock=replace(proposal.lock, freight_metadata={ONE.id: {"ok": True}}))

    assert known(made.snapshot()).freight == {}


# --- aliases ---------------------------------------------------------------------------------------------


def given(alias: str, name: StageName, hours: int) -> Landing:
    return landing(name, hours, of=renamed(ONE, alias), renamed=frozenset([ONE.id]))


def copied(alias: str, name: StageName, hours: int) -> Landing:
    return landing(name, hours, of=renamed(ONE, alias))


@pytest.mark.parametrize(
    ("landings", "alias"),
    [
        ([copied(ONE.alias, TEST, 1)], ONE.alias),
        ([copied(ONE.alias, TEST, 1), given("first", UAT, 2)], "first"),
        ([given("first", TEST, 1), copied(ONE.alias, UAT, 2)], "first"),
        ([given("first", TEST, 1), copied("first", UAT, 2), given("second", PROD, 3)], "second"),
        ([given("first", TEST, 1), given("second", TEST, 2), copied("first", UAT, 3)], "second"),
        ([given("first", TEST, 1), given(ONE.alias, UAT, 2)], ONE.alias),
        ([copied("first", PROD, 1)], "first"),
    ],
)
def test_freight_goes_by_the_alias_it_was_given_last(landings: list[Landing], alias: str) -> None:
    for order in permutations(landings):
        snapshot = named(seen(*order))

        assert aliases(snapshot) == {ONE.id: alias}
        assert {one.lock.freight.alias for facts in snapshot.stages.values() for one in facts.landings} == {alias}
        assert named(snapshot) == snapshot
        assert [one.alias for one in as_landed(snapshot, [ONE])] == [alias]


def test_freight_that_is_found_again_goes_by_its_alias() -> None:
    snapshot = replace(seen(given("first", TEST, 1)), discovered={SERVICE: (ONE, TWO)})

    assert [one.alias for one in named(snapshot).discovered[SERVICE]] == ["first", TWO.alias]


@pytest.mark.parametrize(("ours", "alias"), [(True, "first"), (False, alias_of(ONE.id))])
def test_of_what_is_proposed_only_our_own_word_counts(ours: bool, alias: str) -> None:
    called = renamed(ONE, "first")
    made = world()
    made.propose(TEST, called, Way.COMMAND, "me")
    proposal: Proposal = made.proposals[TEST]
    if not ours:
        record = Record(REPOSITORY, TEST, "another", ONE.id, (called,), "me", Way.COMMAND, "", CommitSha("f" * 40))
        made.proposals[TEST] = replace(proposal, record=record)

    snapshot = named(made.snapshot())

    assert aliases(snapshot) == {ONE.id: alias}
    assert as_landed(snapshot, [called]) == (ONE,)  # so that what is rendered anew begins as it began


# --- status ----------------------------------------------------------------------------------------------


def judged(one: Landing, *, well: bool = True, after: timedelta = timedelta(minutes=5)) -> Landing:
    check = CheckRun(
        f"verification/{one.lock.stage}", one.sha, CheckStatus.COMPLETED,
        Conclusion.SUCCESS if well else Conclusion.FAILURE, one.lock.content_id, completed_at=one.at + after,
    )  # fmt: skip
    return replace(one, check=check)


def test_the_status_of_freight_is_where_it_is_and_where_it_was_well() -> None:
    snapshot = seen(
        judged(landing(TEST, 1)), judged(landing(TEST, 3, of=TWO)), judged(landing(TEST, 4)),
        judged(landing(UAT, 2), well=False), landing(PROD, 5, of=TWO),
    )  # fmt: skip

    assert known(snapshot).status(ONE.id) == {
        "currentlyIn": {"test": {"since": "2026-01-01T04:00:00Z"}, "uat": {"since": "2026-01-01T02:00:00Z"}},
        "verifiedIn": {"test": {"verifiedAt": "2026-01-01T04:05:00Z", "longestSoak": "2h0m0s"}},
    }
    assert known(snapshot).status(TWO.id) == {
        "currentlyIn": {"prod": {"since": "2026-01-01T05:00:00Z"}},
        "verifiedIn": {"test": {"verifiedAt": "2026-01-01T03:05:00Z", "longestSoak": "1h0m0s"}},
    }


def test_freight_that_is_nowhere_yet_has_an_empty_status_and_what_is_unheard_of_none() -> None:
    made = world()
    made.discovered = ONE

    assert known(made.snapshot()).status(ONE.id) == {}
    assert known(made.snapshot()).status("0" * 40) is None
