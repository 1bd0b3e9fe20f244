"""A record is believed only if it is ours, whole, and about this very stage."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lock import Way
from bot.core.model import CommitSha, RepositoryName, StageName
from bot.core.record import Record, seal, signing_key, unseal, without
from bot.expressions.values import Record as ExpressionRecord
from tests.core.world import freight

KEY = signing_key(b"-----BEGIN RSA PRIVATE KEY-----\n")
SHOP, TEST = RepositoryName("acme/shop"), StageName("test")
ONE = freight("1.0.0")
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
)


def test_a_record_survives_the_body_it_travels_in() -> None:
    body = f"What people read.\n\n{seal(RECORD, KEY)}\n"

    assert unseal(body, KEY, SHOP, TEST) == RECORD
    assert without(body) == "What people read."


def test_what_json_has_no_word_for_survives_as_text_or_by_its_fields() -> None:
    tag = ExpressionRecord("Image", {"Tag": "1.0.0", "Size": 3}, {"Tag": "tag"})
    when = datetime(2026, 1, 2, tzinfo=UTC)
    odd = replace(RECORD, vars={"image": tag, "at": [when]}, outputs={"parse": {"days": {when.date(): 1, 2: None}}})

    told = unseal(seal(odd, KEY), KEY, SHOP, TEST)

    assert told is not None
    assert told.vars == {"image": {"Tag": "1.0.0", "Size": 3}, "at": ["2026-01-02 00:00:00+00:00"]}
    assert told.outputs == {"parse": {"days": {"2026-01-02": 1, "2": None}}}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "nothing there"),
        (seal(RECORD, signing_key(b"another key")), "another App signed it"),
        (seal(replace(RECORD, stage=StageName("prod")), KEY), "it was copied from another stage"),
        (seal(replace(RECORD, repository=RepositoryName("acme/other")), KEY), "it was copied from another repository"),
        (seal(RECORD, KEY) + seal(RECORD, KEY), "there are two"),
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
