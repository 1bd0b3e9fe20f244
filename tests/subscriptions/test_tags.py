"""Tags are filtered and ordered as Kargo does it."""

import pytest

from bot.errors import UserError
from bot.subscriptions.tags import TagRules

ORDER = {"SemVer": TagRules.by_version, "Lexical": TagRules.by_name, "NewestTag": lambda rules, tags: rules.named(tags)}


def chosen(case):
    """The tags of a case in the order its strategy gives, or "error"."""
    try:
        return ORDER[case["strategy"]](TagRules.read(case, case.get("constraint", "")), case["tags"])
    except UserError:
        return "error"


def test_every_selection_of_the_conformance_cases_is_made_as_in_kargo(cases):
    wrong = []
    found = cases("kargo_image_tags.json", "select", "filter") + cases("kargo_git.json", "select_tags")
    for case in found:
        expected = "error" if "expected_error" in case else case["expected"]
        result = chosen(case)
        if result != "error":
            result = result[: case.get("discoveryLimit")]
        if result != expected:
            wrong.append((case, result))
    assert wrong == []


def test_every_tag_of_the_conformance_cases_counts_as_in_kargo(cases):
    wrong = []
    tags = cases("kargo_image_tags.json", "matches_tag")
    refs = [case for case in cases("kargo_git.json", "matches_ref") if case["strategy"] != "NewestFromBranch"]
    for case in tags + refs:
        name = case["tag"] if "tag" in case else case["ref"].removeprefix("refs/tags/")
        if "ref" in case and not case["ref"].startswith("refs/tags/"):
            assert case["expected"] is False  # a ref that is no tag never gets here: the Git port tells them apart
            continue
        if bool(chosen({**case, "tags": [name]})) != case["expected"]:
            wrong.append(case)
    assert wrong == []


def test_versions_of_the_conformance_cases_are_told_from_other_tags_as_in_kargo(cases):
    wrong = [
        case
        for case in cases("kargo_image_tags.json", "parse_tag")
        if bool(chosen({"strategy": "SemVer", "strictSemvers": case["strict"], "tags": [case["tag"]]}))
        != (case["expected"] is not None)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["b", "a", "1.0.0"]),
        ({"allowTags": "^[a-z]$"}, ["b", "a"]),
        ({"allowTags": "a", "allowTagsRegexes": ["b"]}, ["b", "a"]),
        ({"ignoreTags": ["a"]}, ["b", "1.0.0"]),
        ({"ignoreTags": ["."], "ignoreTagsRegexes": ["^b$"]}, ["a", "1.0.0"]),
    ],
)
def test_old_spellings_are_understood(config, expected):
    assert TagRules.read(config, "").by_name(["1.0.0", "a", "b"]) == expected


@pytest.mark.parametrize(
    ("config", "constraint", "message"),
    [
        ({"allowTagsRegexes": ["["]}, "", r"'\[' is not a regular expression"),
        ({"ignoreTagsRegexes": ["(?<!a)"]}, "", "is not a regular expression"),
        ({"allowTagsRegexes": "x"}, "", "allowTagsRegexes must be a list of texts, not 'x'"),
        ({"allowTagsRegexes": [1]}, "", "allowTagsRegexes must be a list of texts"),
        ({"strictSemvers": "yes"}, "", "strictSemvers must be true or false, not 'yes'"),
        ({}, "one", "'one' is not a version range"),
    ],
)
def test_rules_that_cannot_be_read_are_refused_by_the_subscriptions_name(config, constraint, message):
    with pytest.raises(UserError, match=rf"subscription to ghcr.io/acme/x: .*{message}"):
        TagRules.read({"repoURL": "ghcr.io/acme/x", **config}, constraint)
