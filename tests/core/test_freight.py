"""Freight ids are Kargo's, JSON comes back as it went, and people's words find the freight they mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.aliases import ADJECTIVES, ANIMALS
from bot.core.freight import (
    alias_of,
    artifact_to_json,
    describe,
    freight_id,
    from_json,
    make_freight,
    matches,
    to_json,
    version_of,
)
from bot.core.model import Chart, Commit, CommitSha, FreightId, Image, WarehouseName

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SHA = CommitSha("abc123def456abc123def456abc123def456abc123")
DIGEST = "sha256:" + "3f2a7bc" + "0" * 57
SERVICE = Image("ghcr.io/acme/service", "1.0.0", DIGEST)


def freight(*artifacts, origin="app"):
    return make_freight(WarehouseName(origin), artifacts, NOW)


@pytest.mark.parametrize(
    ("kind", "origin", "artifacts", "expected"),
    [
        (
            "fake-kind",
            "fake-name",
            [
                Commit("fake-git-repo", CommitSha("fake-commit-id")),
                Image("fake-image-repo", "fake-image-tag", ""),
                Chart("fake-chart-repo", "fake-chart", "fake-chart-version"),
            ],
            "2ef94c8c7020aa65825be992e9525f7703d15990",
        ),
        (
            "Warehouse",
            "guestbook",
            [Image("ghcr.io/akuity/guestbook", "v0.0.3", "sha256:deadbeef")],
            "a6ef815b837ec434a2146fcf9f68a89d8e030fad",
        ),
        (
            "Warehouse",
            "app",
            [
                Commit("https://github.com/example/repo", SHA),
                Image("public.ecr.aws/nginx/nginx", "1.29.0", "sha256:aaaa"),
                Chart("https://charts.example.com", "mychart", "1.0.0"),
            ],
            "dbf709d7f02b179988fb2cc56994a4276b4817d8",
        ),
        (
            "Warehouse",
            "app",
            [Commit("https://github.com/example/repo", SHA, tag="v1.0.0", subscription_name="my-sub")],
            "967d6f7902c93164b8620f4889aa0595cdaf67cd",
        ),
    ],
)
def test_ids_are_those_that_kargo_computes(kind, origin, artifacts, expected):
    assert freight_id(origin, artifacts, kind=kind) == expected


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
maybe = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
artifacts = st.lists(
    st.one_of(
        st.builds(Commit, texts, texts.map(CommitSha), maybe, maybe, maybe, maybe, maybe, maybe),
        st.builds(Image, texts, maybe, texts, st.dictionaries(texts, maybe, max_size=2), maybe),
        st.builds(Chart, texts, maybe, texts, maybe),
    ),
    max_size=4,
)


@given(texts, artifacts, st.permutations(range(4)))
def test_the_order_of_the_artifacts_does_not_matter(origin, items, order):
    shuffled = [items[index] for index in order if index < len(items)]
    assert freight(*items, origin=origin).id == freight(*shuffled, origin=origin).id


@given(texts, artifacts)
def test_freight_comes_back_from_json_as_it_went(origin, items):
    made = freight(*items, origin=origin)
    assert from_json(json.loads(json.dumps(to_json(made)))) == made


@given(texts, artifacts)
def test_freight_is_found_by_every_word_for_it(origin, items):
    made = freight(*items, origin=origin)
    assert all(matches(made, word) for word in (made.id, made.id[:7], made.id[:20], made.alias))


def test_when_it_was_discovered_is_no_part_of_the_identity():
    assert make_freight(WarehouseName("app"), [SERVICE], None).id == freight(SERVICE).id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "0" * 40}, "but its content makes"),
        ({"images": [{**artifact_to_json(SERVICE), "tag": "1.0.1"}]}, "but its content makes"),
        ({"origin": {"kind": "Warehouse", "name": "other"}}, "but its content makes"),
        ({"origin": {"kind": "Stage", "name": "app"}}, "origin.kind is 'Stage'"),
        ({"origin": "app"}, "origin is not an object"),
        ({"alias": "@everyone"}, "alias"),
        ({"alias": None}, "alias"),
        ({"images": {}}, "freight.images is not a list"),
        ({"images": ["x"]}, r"images\[0\] is not an object"),
        ({"images": [{"repoURL": "x", "tag": "1"}]}, r"images\[0\].digest is missing"),
        ({"images": [{"repoURL": "x", "tag": 1.2, "digest": "d"}]}, r"images\[0\].tag is not a text"),
        ({"images": [{"repoURL": "x", "digest": "d", "annotations": {"a": 1}}]}, "annotations has a value"),
        ({"images": [{"repoURL": "x", "digest": "d", "extra": "e"}]}, "'extra' that is not known"),
        ({"extra": 1}, "'extra' that is not known"),
        ({"discoveredAt": "yesterday"}, "yesterday"),
        ({"discoveredAt": "2026-11-20T09:30:00"}, "not a time with its zone"),
        ({"discoveredAt": 5}, "not a time with its zone"),
    ],
)
def test_json_that_is_not_what_it_says_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        from_json({**to_json(freight(SERVICE)), **change})


@pytest.mark.parametrize("data", [None, [], "x", 1, {}, {1: 2}])
def test_what_is_no_freight_at_all_is_refused(data):
    with pytest.raises(ValueError, match="is"):
        from_json(data)


def test_json_uses_kargos_names_and_leaves_out_what_is_empty():
    assert to_json(freight(replace(SERVICE, subscription_name="api"))) == {
        "id": freight(replace(SERVICE, subscription_name="api")).id,
        "alias": alias_of(freight(replace(SERVICE, subscription_name="api")).id),
        "origin": {"kind": "Warehouse", "name": "app"},
        "discoveredAt": "2026-11-20T09:30:00+00:00",
        "images": [
            {"repoURL": "ghcr.io/acme/service", "tag": "1.0.0", "digest": DIGEST, "subscriptionName": "api"},
        ],
    }


def test_aliases_are_two_known_words_always_the_same():
    names = {FreightId(f"{number * 7919:040x}") for number in range(3000)}
    aliases = [alias_of(name) for name in sorted(names)]
    assert aliases == [alias_of(name) for name in sorted(names)]
    for alias in aliases:
        adjective, animal = alias.split("-")
        assert adjective in ADJECTIVES
        assert animal in ANIMALS
    assert len(set(aliases)) > 2900
    assert len(set(ADJECTIVES)) == len(ADJECTIVES)
    assert len(set(ANIMALS)) == len(ANIMALS)


CHART = Chart("oci://ghcr.io/acme/chart", "", "0.3.1")
COMMIT = Commit("https://github.com/acme/gitops.git", SHA)
TAGGED = Commit("https://github.com/acme/gitops.git", SHA, tag="v2.0.0")
BLUE = Image("ghcr.io/acme/service", "1.0.0", DIGEST, subscription_name="blue")
GREEN = Image("ghcr.io/acme/service", "1.1.0", DIGEST, subscription_name="green")


@pytest.mark.parametrize(
    ("items", "described", "typed"),
    [
        ([SERVICE], "service 1.0.0", "1.0.0"),
        ([SERVICE, CHART], "service 1.0.0, chart 0.3.1", "service=1.0.0 chart=0.3.1"),
        ([COMMIT], "gitops abc123d", "abc123d"),
        ([TAGGED, SERVICE], "service 1.0.0, gitops v2.0.0", "service=1.0.0 gitops=v2.0.0"),
        ([BLUE, GREEN], "blue 1.0.0, green 1.1.0", "blue=1.0.0 green=1.1.0"),
        ([SERVICE, Image("ghcr.io/acme/worker", "1.0.0", DIGEST)], "service 1.0.0, worker 1.0.0", "1.0.0"),
        ([Image("ghcr.io/acme/service", "latest", DIGEST)], "service latest (3f2a7bc)", "latest"),
        ([Image("registry.com/service-image:1.0.0", "1.0.0", DIGEST)], "service-image 1.0.0", "1.0.0"),
        ([Chart("https://charts.acme.io", "service", "0.3.1")], "service 0.3.1", "0.3.1"),
        (
            [SERVICE, Image("quay.io/acme/service", "2.0.0", DIGEST)],
            "ghcr.io/acme/service 1.0.0, quay.io/acme/service 2.0.0",
            "ghcr.io/acme/service=1.0.0 quay.io/acme/service=2.0.0",
        ),
    ],
)
def test_freight_is_told_in_the_words_people_use_and_those_words_find_it(items, described, typed):
    made = freight(*items)
    assert describe(made) == described
    assert version_of(made) == typed
    assert matches(made, typed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.0.0", True),
        ("v1.0.0", True),
        ("1.0", False),
        ("1.0.1", False),
        ("service=1.0.0", True),
        ("Service=v1.0.0", True),
        ("ghcr.io/acme/service=1.0.0", True),
        ("other=1.0.0", False),
        ("service=", False),
        ("=1.0.0", False),
        ("service=1.0.0 chart=0.3.1", True),
        ("service=1.0.0 chart=0.3.2", False),
        (DIGEST, True),
        ("3f2a7bc", True),
        ("3f2a7b", False),
        ("abc123d", True),
        ("abc123", False),
        ("v2.0.0", True),
        ("gitops=abc123def", True),
        ("", False),
        ("  ", False),
    ],
)
def test_words_mean_this_freight_or_not(text, expected):
    assert matches(freight(SERVICE, CHART, TAGGED), text) is expected
