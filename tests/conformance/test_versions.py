"""Versions and ranges against what Masterminds/semver gives."""

from typing import Any

import pytest

from bot.core.versions import Constraint, Version, VersionError
from tests.conformance.cases import public, recorded

CONSTRAINTS = [
    (recorded, "semver_constraints_oracle"),
    (public, "semver_constraints"),
    (public, "semver_constraints_include_prerelease"),
]


@pytest.mark.parametrize(("load", "name"), CONSTRAINTS)
def test_every_constraint_allows_what_it_should(load: Any, name: str) -> None:
    wrong = [
        case
        for case in load(name)
        if Constraint(case["constraint"]).allows(case["version"], case.get("include_prerelease", False)) != case["ok"]
    ]
    assert wrong == []


def cases_of_kind(kind: str) -> list[dict[str, Any]]:
    found = [case for case in public("semver_versions") if case["kind"] == kind]
    assert found
    return found


def parsed(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except VersionError:
        return None


def is_strict(text: str) -> bool:
    try:
        Version.strict(text)
    except VersionError:
        return False
    return True


def test_every_version_is_read_alike() -> None:
    for case in cases_of_kind("parse"):
        version = parsed(case["version"])
        assert (version is not None, is_strict(case["version"])) == (case["valid"], case["strict_valid"]), case
        if version is not None:
            assert str(version) == case["string"]
            numbers = (version.major, version.minor, version.patch)
            assert numbers == (case["major"], case["minor"], case["patch"])
            assert (version.prerelease, version.metadata) == (case["pre"], case["meta"])


def test_every_pair_compares_alike() -> None:
    for case in cases_of_kind("compare"):
        a, b = Version.parse(case["a"]), Version.parse(case["b"])
        assert (a > b) - (a < b) == case["cmp"], case


def test_every_list_sorts_alike() -> None:
    for case in cases_of_kind("sort"):
        versions = [version for version in map(parsed, case["versions"]) if version is not None]
        assert [version.original for version in sorted(versions)] == case["sorted"]


def test_every_range_is_read_alike() -> None:
    for case in cases_of_kind("constraint_parse"):
        try:
            Constraint(case["constraint"])
            valid = True
        except VersionError:
            valid = False
        assert valid == case["valid"], case
