"""What steps note is kept key by key, within bounds, and only where the lock of their stage can say it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import StageName
from bot.core.notes import LARGEST, Known, Metadata, Notes, added, checked, is_alias, together
from bot.core.promotion import Scene, noted
from bot.errors import UserError
from tests.core.world import REPOSITORY, freight, stage

TEST = StageName("test")
ONE, TWO = freight("1.0.0"), freight("2.0.0")
KNOWN = Known(
    stages={"test": {"owner": "web", "runs": 1}},
    freight={ONE.id: {"ticket": "A-1"}},
    aliases={ONE.id: ONE.alias, TWO.id: "taken"},
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
metadata = st.dictionaries(texts, json_values, max_size=4)


def after(notes: Notes, known: Known = KNOWN) -> Known:
    return added(known, notes, TEST, [ONE])


def test_new_values_stand_beside_the_old_and_in_place_of_those_of_their_key() -> None:
    known = after(Notes(stages={"test": {"runs": 2, "last": None}}, freight={ONE.id: {"ok": [True]}}))

    assert known.stages == {"test": {"owner": "web", "runs": 2, "last": None}}
    assert known.freight == {ONE.id: {"ticket": "A-1", "ok": [True]}}


def test_freight_goes_by_its_new_alias() -> None:
    scene = Scene(REPOSITORY, "", stage("test"), "test.01", ONE, (ONE, TWO), "me", rollback=False, known=KNOWN)

    after_it = noted(scene, Notes(aliases={ONE.id: "v1.0.0_Final"}))

    assert [one.alias for one in after_it.collection] == ["v1.0.0_Final", TWO.alias]
    assert (after_it.promoted.alias, after_it.promoted.id) == ("v1.0.0_Final", ONE.id)
    assert noted(after_it, Notes(aliases={ONE.id: "v1.0.0_Final"})) == after_it


@pytest.mark.parametrize(
    ("notes", "why"),
    [
        (Notes(stages={"prod": {"a": 1}}), "the lock of its own stage, `test`.*in a step of that stage"),
        (Notes(freight={TWO.id: {"a": 1}}), r"is not the id of freight that this promotion brings"),
        (Notes(freight={ONE.alias: {"a": 1}}), rf"which is {ONE.id[:7]} \({ONE.alias}\).*ctx.targetFreight.name"),
        (Notes(aliases={TWO.id: "mine"}), "is not the id of freight"),
        (Notes(aliases={ONE.id: "taken"}), f"the alias of freight {TWO.id[:7]} already"),
        (Notes(aliases={ONE.id: "TAKEN"}), "already"),
        (Notes(aliases={ONE.id: TWO.id[:9]}), "the id of other freight begins"),
        (Notes(aliases={ONE.id: "with blank"}), "can't be an alias: at most 63"),
        (Notes(aliases={ONE.id: ""}), "can't be an alias"),
        (Notes(stages={"test": {"a": float("inf")}}), "of stage `test` can't be kept: a is the number inf"),
        (Notes(stages={"test": {"a": [{"b": 2**63}]}}), r"a\[0\].b is the number 9223372036854775808"),
        (Notes(stages={"test": {"a": b"x"}}), "a is no text, number"),
        (Notes(stages={"test": {"a": {1: 2}}}), "a has a key 1"),
        (Notes(stages={"test": {"a": "\ud800"}}), "a is half a character"),
        (Notes(stages={"test": {"\ud800": 1}}), "is half a character"),
        (Notes(freight={ONE.id: {"a": "x" * LARGEST}}), f"of freight {ONE.id[:7]} would take 16,.* 16,384 are kept"),
    ],
)
def test_what_cannot_be_noted_is_refused_with_a_reason(notes: Notes, why: str) -> None:
    with pytest.raises(UserError, match=why):
        after(notes)


def test_values_are_nested_within_reason() -> None:
    deep: Any = 1
    for _ in range(30):
        deep = [deep]

    with pytest.raises(UserError, match="nested more than 20 levels deep"):
        after(Notes(stages={"test": {"a": deep}}))


def test_size_counts_with_what_is_there_already() -> None:
    half = Notes(stages={"test": {"a": "x" * (LARGEST // 2)}})
    other = Notes(stages={"test": {"b": "x" * (LARGEST // 2)}})

    with pytest.raises(UserError, match="keep less"):
        after(other, after(half))
    assert after(half, after(half)) == after(half)


@pytest.mark.parametrize(
    ("alias", "is_one"),
    [
        ("brisk-heron", True), ("1.2.3", True), ("V1_final.x", True), ("a", True), ("x" * 63, True),
        ("x" * 64, False), ("-a", False), ("a.", False), ("a b", False), ("a=b", False), ("@all", False),
        ("a/b", False), ("`a`", False), ("a\n", False), ("ä", False), ("", False),
    ],
)  # fmt: skip
def test_an_alias_is_what_kubernetes_takes_as_the_value_of_a_label(alias: str, is_one: bool) -> None:
    assert is_alias(alias) is is_one


@given(metadata, metadata)
def test_noting_twice_comes_to_the_same_as_noting_both_at_once(first: Metadata, second: Metadata) -> None:
    one, two = Notes(stages={"test": first}), Notes(stages={"test": second})

    assert after(two, after(one)).stages == after(together(one, two)).stages
    assert after(one, after(one)).stages == after(one).stages


@given(metadata)
def test_the_size_is_that_of_the_json(values: Metadata) -> None:
    assert checked(values) == len(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())
