"""A record is believed only if it is ours, whole, and about this very stage."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lock import Way
from bot.core.model import CommitSha, RepositoryName, StageName, Variable
from bot.core.promotion import Severity
from bot.core.record import Kind, Record, exchanged, newest, seal, signing_key, unseal, without
from bot.core.step_runs import StepRun
from bot.expressions.values import Record as ExpressionRecord
from tests.core.world import freight

KEY = signing_key(b"-----BEGIN RSA PRIVATE KEY-----\n")
SHOP, TEST = RepositoryName("acme/shop"), StageName("test")
ONE = freight("1.0.0")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RECORD = Record(
    repository=SHOP,
    stage=TEST,
    promotion="test.01",
    promoted=ONE.id,
    collection=(ONE,),
    actor="maintainer",
    way=Way.COMMAND,
    request="acme/shop#comment-1/1",
    base=CommitSha("a" * 40),
    outputs={"push": {"branch": "promotion/test"}},
    opened_by="open-pr",
    steps=({"uses": "git-wait-for-pr"},),
    ran=(StepRun("sent", "http", "f" * 16, Severity.Succeeded, NOW, NOW, output={"id": 7}, kept=True),),
    noted=NOW,
)


def test_a_record_survives_the_body_it_travels_in() -> None:
    body = f"What people read.\n\n{seal(RECORD, KEY)}\n"

    assert unseal(body, KEY, SHOP, TEST) == RECORD
    assert without(body) == "What people read."


def test_what_json_has_no_word_for_survives_as_text_or_by_its_fields() -> None:
    tag = ExpressionRecord("Image", {"Tag": "1.0.0", "Size": 3}, {"Tag": "tag"})
    when = datetime(2026, 1, 2, tzinfo=UTC)
    odd = replace(
        RECORD,
        vars=(Variable("image", tag), Variable("at", [when])),
        outputs={"parse": {"days": {when.date(): 1, 2: None}}},
    )

    told = unseal(seal(odd, KEY), KEY, SHOP, TEST)

    assert told is not None
    assert told.vars == (
        Variable("image", {"Tag": "1.0.0", "Size": 3}),
        Variable("at", ["2026-01-02 00:00:00+00:00"]),
    )
    assert told.outputs == {"parse": {"days": {"2026-01-02": 1, "2": None}}}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "nothing there"),
        (seal(RECORD, signing_key(b"another key")), "another App signed it"),
        (seal(replace(RECORD, stage=StageName("prod")), KEY), "it was copied from another stage"),
        (seal(replace(RECORD, repository=RepositoryName("acme/other")), KEY), "it was copied from another repository"),
        (seal(RECORD, KEY) + seal(RECORD, KEY), "there are two"),
        (seal(RECORD, KEY, Kind.UNDER_WAY), "it is from the branch of what is under way"),
        (seal(RECORD, KEY)[:-20] + " -->", "it is cut"),
    ],
)
def test_a_record_that_is_not_ours_is_not_believed(body: str, why: str) -> None:
    assert unseal(body, KEY, SHOP, TEST) is None, why


@given(place=st.integers(24, len(seal(RECORD, KEY)) - 5), character=st.sampled_from("AZaz09-_"))
def test_no_change_of_one_character_is_believed(place: int, character: str) -> None:
    sealed = seal(RECORD, KEY)
    changed = sealed[:place] + character + sealed[place + 1 :]

    found = unseal(changed, KEY, SHOP, TEST)

    assert found is None or found == RECORD  # the last digit of base64 has bits that count for nothing


@given(st.text())
def test_no_body_breaks_the_reader(body: str) -> None:
    assert unseal(body, KEY, SHOP, TEST) is None


def test_a_record_from_a_pull_request_is_none_of_what_is_under_way() -> None:
    assert unseal(seal(RECORD, KEY), KEY, SHOP, TEST, Kind.UNDER_WAY) is None
    assert unseal(seal(RECORD, KEY, Kind.UNDER_WAY), KEY, SHOP, TEST, Kind.UNDER_WAY) == RECORD


def test_a_record_takes_the_place_of_the_one_before() -> None:
    later = replace(RECORD, outputs={"push": {"branch": "another"}})
    body = f"Above.\n\n{seal(RECORD, KEY)}\n\nBelow."

    changed = exchanged(body, later, KEY)

    assert unseal(changed, KEY, SHOP, TEST) == later
    assert without(changed) == "Above.\n\n\n\nBelow."
    assert unseal(exchanged("Nothing.", later, KEY), KEY, SHOP, TEST) == later


def test_what_was_noted_last_is_the_newest() -> None:
    later = replace(RECORD, noted=NOW.replace(year=2027))

    assert newest(RECORD, None, later) == later
    assert newest(replace(RECORD, noted=None), RECORD) == RECORD
    assert newest(None) is None


def test_what_steps_put_out_is_masked_before_anybody_can_read_it() -> None:
    def mask(data: object) -> object:
        return json.loads(json.dumps(data).replace("hunter2", "***"))

    told = replace(RECORD, outputs={"ask": {"token": "hunter2"}}, ran=(replace(RECORD.ran[0], message="hunter2"),))

    read = unseal(seal(told, KEY, mask=mask), KEY, SHOP, TEST)

    assert read is not None
    assert (read.outputs["ask"], read.ran[0].message) == ({"token": "***"}, "***")
