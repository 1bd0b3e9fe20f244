"""Paths are included and excluded as Kargo does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.subscriptions.paths import PathRules, path_pattern


def test_every_path_pattern_of_the_conformance_cases_matches_as_in_kargo(cases):
    wrong = []
    for case in cases("kargo_git.json", "pattern"):
        if case["of"] != "path":  # patterns of names belong to promotion policies
            continue
        try:
            result = path_pattern(case["pattern"])(case.get("str", ""))
        except ValueError:
            result = "error"
        if result != ("error" if case.get("expected_error") else case["expected"]):
            wrong.append((case, result))
    assert wrong == []


def test_every_path_filter_of_the_conformance_cases_decides_as_in_kargo(cases):
    wrong = [
        case
        for case in cases("kargo_git.json", "matches_paths")
        if PathRules.read(case).match(case["paths"]) != case["expected"]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("chart", "chart/values.yaml", True),
        ("/chart/", "chart/values.yaml", True),
        ("chart", "charts/values.yaml", False),
        ("chart", "chart..bak", False),
        ("chart", "chart/a..b", True),  # Kargo refuses any path with two dots in it; that is a mistake of its own
        (".", "anything", True),
        ("", "anything", True),
        ("glob:**/*.yaml", "values.yaml", True),
        ("glob:**/*.yaml", "a/b/values.yaml", True),
        ("glob:chart/**", "chart", True),
        ("glob:chart/**", "chart/a/b", True),
        ("glob:chart/**", "charts/a", False),
        ("glob:a/**/b", "a/b", True),
        ("glob:a/**/b", "a/x/y/b", True),
        ("glob:a**b", "axb", True),
        ("glob:a**b", "a/b", False),
        ("glob:{chart/**,env/*}.yaml", "env/uat.yaml", True),
        ("glob:{chart,env}/*", "env/uat.yaml", True),
        ("glob:{chart,env}/*", "other/uat.yaml", False),
        ("glob:[!a-c]x", "dx", True),
        ("glob:[!a-c]x", "bx", False),
        ("glob:[^a]x", "/x", False),
        (r"glob:\*", "*", True),
        (r"glob:\*", "a", False),
        (r"glob:[\]]", "]", True),
        ("glob:a.b", "axb", False),
        ("glob:a,b", "a,b", True),
        ("glob:a\nb", "a\nb", True),
    ],
)
def test_patterns(pattern, path, expected):
    assert path_pattern(pattern)(path) is expected


@pytest.mark.parametrize(
    "pattern", ["glob:[", "glob:[]", "glob:{a", "glob:a\\", "glob:[z-a]", "regex:(", "regex:(?=a)"]
)
def test_patterns_that_cannot_be_read_are_refused(pattern):
    with pytest.raises(ValueError, match="is not a"):
        path_pattern(pattern)
    with pytest.raises(UserError, match=r"subscription to https://x.io: .* is not a"):
        PathRules.read({"repoURL": "https://x.io", "excludePaths": [pattern]})


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_pattern_is_refused_or_decides(pattern, path):
    for kind in ("", "glob:", "regex:"):
        try:
            matches = path_pattern(kind + pattern)
        except ValueError:
            continue
        assert matches(path) in {True, False}


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_an_escaped_glob_matches_itself_and_nothing_longer(path):
    escaped = "".join("\\" + letter for letter in path)
    assert path_pattern("glob:" + escaped)(path)
    assert not path_pattern("glob:" + escaped)(path + "x")
