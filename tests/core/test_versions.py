"""Versions, ranges and the choice among tags."""

from contextlib import suppress
from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.versions import Constraint, Version, VersionError, newest, semver_diff

numbers = st.integers(min_value=0, max_value=20)
identifiers = st.from_regex(r"(0|[1-9][0-9]{0,2}|[a-z][0-9a-z-]{0,3})", fullmatch=True)
versions = st.builds(
    lambda major, minor, patch, pre: f"{major}.{minor}.{patch}" + (f"-{'.'.join(pre)}" if pre else ""),
    numbers,
    numbers,
    numbers,
    st.lists(identifiers, max_size=3),
)
operands = st.from_regex(r"v?([0-9]|x|\*)(\.([0-9]|x|\*)){0,2}(-[a-z0-9]{1,3})?", fullmatch=True)
comparisons = st.builds("{}{}".format, st.sampled_from(["", "=", "!=", ">", "<", ">=", "=<", "~", "~>", "^"]), operands)
ranges = st.lists(st.lists(comparisons, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=2).map(" || ".join)


@pytest.mark.parametrize(
    ("text", "release", "prerelease"),
    [
        ("*", True, False),
        (">=0.0.0", True, False),
        (">=0.0.0-0", True, True),
        ("1.x || >=2-0", True, False),
        ("^1.2.0", True, False),
    ],
)
def test_prereleases_count_only_where_an_operand_of_the_group_has_one(text, release, prerelease):
    constraint = Constraint(text)

    assert constraint.allows("1.5.0") is release
    assert constraint.allows("1.5.0-rc.1") is prerelease
    assert constraint.allows("1.5.0-rc.1", include_prerelease=True) is True


@pytest.mark.parametrize("text", ["", "  ", ">= bar", "1.2.3.4", "1.0.0 -", "é", "1||", "^^1", "1.0.0-01", "x" * 5000])
def test_what_is_no_range_is_refused_with_the_text_quoted(text):
    with pytest.raises(VersionError, match="is not a version range"):
        Constraint(text)


def test_a_long_range_is_refused_at_once():
    with pytest.raises(VersionError):
        Constraint("1  " * 20_000 + "!")


@pytest.mark.parametrize(
    "text", ["", "v", "1.2.3.4", "1.2.3-", "1.2.3-01", "1.2.3+", "1" * 30, "vv1", "1.2.3 ", "\u0661.\u0662.\u0663"]
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(VersionError, match="is not a semantic version"):
        Version.parse(text)


def test_a_strict_version_is_complete():
    assert Version.strict("1.2.3-rc.1+b") == Version.parse("v1.2.3-rc.1")
    for text in ("v1.2.3", "1.2", "01.2.3"):
        with pytest.raises(VersionError):
            Version.strict(text)


def test_the_original_text_is_kept_and_the_canonical_one_printed():
    version = Version.parse("v1.2-rc.1+build.5")

    assert version.original == "v1.2-rc.1+build.5"
    assert str(version) == "1.2.0-rc.1+build.5"


def test_tags_of_equal_precedence_stand_by_their_text_descending():
    assert newest(["1.0", "v1.0.0", "1.0.0"], strict=False) == ["v1.0.0", "1.0.0", "1.0"]


def test_without_a_constraint_a_prerelease_can_be_newest():
    tags = ["1.0.0", "2.0.0-rc.1", "latest", "1.5"]

    assert newest(tags) == ["2.0.0-rc.1", "1.0.0"]
    assert newest(tags, "") == newest(tags)
    assert newest(tags, "*") == ["1.0.0"]
    assert newest(tags, "*", strict=False) == ["1.5", "1.0.0"]


def test_what_is_ignored_is_out_whatever_is_allowed():
    tags = ["v1.0.0", "v1.1.0", "v2.0.0"]

    assert newest(tags, allow=["^v1", "^v2"], ignore=[r"\.1\.0$"]) == ["v2.0.0", "v1.0.0"]


def test_a_bad_expression_says_which_it_is():
    with pytest.raises(VersionError, match=r"'\[' is not a regular expression"):
        newest(["1.0.0"], allow=["["])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1.0.0", "2.0.0", "Major"),
        ("1.0.0", "1.1.0", "Minor"),
        ("1.0.0", "1.0.1", "Patch"),
        ("1.0.0-rc.1", "1.0.0", "Prerelease"),
        ("1.0.0+a", "1.0.0+b", "Metadata"),
        ("v1", "1.0.0", "None"),
        ("x", "1.0.0", "Incomparable"),
    ],
)
def test_the_difference_is_the_largest_part_that_differs(a, b, expected):
    assert semver_diff(a, b) == expected


def test_the_next_version_of_a_prerelease_is_its_release():
    version = Version.parse("v1.2.3-rc.1+b")

    assert [str(v) for v in (version.next_patch(), version.next_minor(), version.next_major())] == [
        "1.2.3",
        "1.3.0",
        "2.0.0",
    ]
    assert version.next_patch().original == "v1.2.3"


@given(st.lists(versions, max_size=6))
def test_order_is_total(texts):
    ordered = sorted(map(Version.parse, texts))

    for earlier, later in pairwise(ordered):
        assert earlier <= later
        assert not later < earlier
    assert sorted(ordered, key=cmp_to_key(lambda a, b: (a > b) - (a < b))) == ordered


@given(versions)
def test_a_version_read_back_is_the_same(text):
    assert str(Version.parse(text)) == text
    assert Version.strict(text) == Version.parse("v" + text)


@given(ranges, versions)
def test_asking_for_prereleases_only_adds_versions(text, version):
    try:
        constraint = Constraint(text)
    except VersionError:
        return
    if constraint.allows(version):
        assert constraint.allows(version, include_prerelease=True)


@given(st.text(max_size=60))
def test_no_text_fails_but_with_its_own_error(text):
    for read in (Version.parse, Version.strict, Constraint):
        with suppress(VersionError):
            read(text)
    newest([text])
