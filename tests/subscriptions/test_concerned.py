"""Which news matters to a subscription: its own rules, before anything is fetched."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts import Discovered, DiscoveryContext
from bot.core import news
from bot.core.news import News
from bot.errors import UserError
from bot.subscriptions import BY_NAME, SUBSCRIPTIONS
from tests.subscriptions.conftest import START, KnownGit, KnownRegistry

URL = "https://github.com/acme/lib"


def of_image(tag: str = "") -> News:
    return News("image", ("acme/service",), tag)


def of_branch(name: str, default: str = "", paths: tuple[str, ...] | None = None) -> News:
    return News("git", (URL,), branch=name, default_branch=default, paths=paths)


def of_tag(name: str) -> News:
    return News("git", (URL,), version=name)


def of_chart(version: str, name: str = "") -> News:
    return News("chart", ("ghcr.io/acme/chart",), version, chart=name)


# kind, the subscription's rules, and which news matters to it
TABLE: list[tuple[str, dict[str, Any], dict[News, bool]]] = [
    ("image", {}, {of_image("1.0.0"): True, of_image("1.0"): False, of_image("latest"): False, of_image(): True}),
    ("image", {"strictSemvers": False}, {of_image("1.0"): True, of_image("latest"): False}),
    (
        "image",
        {"constraint": "^1.0.0"},
        {of_image("1.9.0"): True, of_image("2.0.0"): False, of_image("1.1.0-rc.1"): False, of_image(): True},
    ),
    ("image", {"semverConstraint": "^1.0.0"}, {of_image("1.9.0"): True, of_image("2.0.0"): False}),
    (
        "image",
        {"imageSelectionStrategy": "Digest", "constraint": "latest"},
        {of_image("latest"): True, of_image("1.0.0"): False, of_image(): True},
    ),
    (
        "image",
        {"imageSelectionStrategy": "NewestBuild", "allowTagsRegexes": ["^main-", "^rc-"], "ignoreTagsRegexes": ["arm"]},
        {of_image("main-1"): True, of_image("rc-1"): True, of_image("main-arm"): False, of_image("v1"): False},
    ),
    (
        "image",
        {"imageSelectionStrategy": "Lexical", "ignoreTags": ["latest"], "constraint": "^9"},
        {of_image("a"): True, of_image("latest"): False},
    ),
    (
        "git",
        {},
        {
            of_branch("main", "main"): True,
            of_branch("next", "main"): False,
            of_branch("main"): True,
            of_branch("trunk"): True,  # it may be the default: who sent this didn't say
            of_tag("v1.0.0"): False,
        },
    ),
    ("git", {"branch": "next"}, {of_branch("next", "main"): True, of_branch("main", "main"): False}),
    (
        "git",
        {"branch": "main", "includePaths": ["app", "glob:lib/*.py"], "excludePaths": ["regex:\\.md$"]},
        {
            of_branch("main", paths=("app/x",)): True,
            of_branch("main", paths=("docs/x", "lib/a.py")): True,
            of_branch("main", paths=("docs/x",)): False,
            of_branch("main", paths=("app/README.md",)): False,
            of_branch("main", paths=("apps/x",)): False,
            of_branch("main", paths=None): True,
            of_branch("main", paths=()): False,
        },
    ),
    ("git", {"excludePaths": ["docs"]}, {of_branch("m", paths=("docs/x",)): False, of_branch("m", paths=("x",)): True}),
    ("git", {"expressionFilter": "false"}, {of_branch("main"): True}),
    (
        "git",
        {"commitSelectionStrategy": "SemVer", "semverConstraint": "^1.0.0", "includePaths": ["app"]},
        {of_tag("v1.2.0"): True, of_tag("v2.0.0"): False, of_tag("latest"): False, of_branch("main"): False},
    ),
    (
        "git",
        {"commitSelectionStrategy": "NewestTag", "allowTagsRegexes": ["^rel-"]},
        {of_tag("rel-1"): True, of_tag("v1"): False, of_branch("main"): False},
    ),
    ("git", {"commitSelectionStrategy": "Lexical"}, {of_tag("a"): True}),
    (
        "chart",
        {"semverConstraint": "^1.0.0"},
        {
            of_chart("1.2.0"): True,
            of_chart("1.2.0_build.1"): True,
            of_chart("2.0.0"): False,
            of_chart("v1.2.0"): False,
            of_chart("latest"): False,
            of_chart(""): True,
        },
    ),
    (
        "chart",
        {"name": "web", "repoURL": "https://charts.acme.io"},
        {of_chart("1.0.0", "web"): True, of_chart("1.0.0", "api"): False, of_chart("1.0.0"): True},
    ),
]
WHERE = {"image": "docker.io/acme/service", "git": URL, "chart": "oci://ghcr.io/acme/chart"}


@pytest.mark.parametrize(("kind", "rules", "expected"), TABLE)
def test_which_news_matters(kind: str, rules: Mapping[str, Any], expected: Mapping[News, bool]) -> None:
    config = {"repoURL": WHERE[kind], **rules}
    assert {one: BY_NAME[kind].concerned(config, one) for one in expected} == expected


# What is configured, and what a sender says of it
SAME_PLACE = [
    ("image", "docker.io/library/nginx", news.image("nginx", "1")),
    ("image", "acme/service", news.image("index.docker.io/acme/service", "1")),
    ("image", "ghcr.io/acme/service", news.artifact("ghcr.io/Acme/service:1.0.0", "1.0.0")),
    ("image", "ghcr.io/acme/service", news.artifact("ghcr.io/acme/service:", "1.0.0")),
    ("image", "harbor.acme.io:8443/a/b", news.artifact("harbor.acme.io:8443/a/b@sha256:" + "0" * 64, "")),
    ("chart", "oci://ghcr.io/acme/chart", news.artifact("ghcr.io/acme/chart:1.0.0", "1.0.0")),
    ("chart", "https://charts.acme.io/", news.chart("https://charts.acme.io", "1.0.0", "web")),
    ("git", "https://github.com/acme/lib.git", news.push(["https://github.com/Acme/lib"], "refs/heads/main")),
    ("git", "git@github.com:acme/lib", news.push(["", "ssh://git@github.com/acme/lib.git"], "refs/tags/v1")),
    ("git", "https://me@github.com/acme/lib/", news.push(["https://github.com/acme/lib"], "refs/heads/main")),
]


@pytest.mark.parametrize(("kind", "url", "told"), SAME_PLACE)
def test_an_address_is_known_however_it_is_written(kind: str, url: str, told: tuple[News, ...]) -> None:
    assert BY_NAME[kind].address({"repoURL": url}) in {a for one in told if one.kind == kind for a in one.addresses}


def test_news_of_no_place_or_no_branch_is_none() -> None:
    assert news.image("", "1") == news.artifact(" ", "1") == news.chart("", "1") == ()
    assert news.push([""], "refs/heads/main") == news.push([URL], "refs/notes/x") == news.push([URL], "") == ()


def test_rules_that_can_not_be_read_are_said_to_be_so() -> None:
    with pytest.raises(UserError):
        BY_NAME["image"].concerned({"repoURL": "acme/service", "constraint": "nonsense !"}, of_image("1.0.0"))
    for subscription in SUBSCRIPTIONS:
        with pytest.raises(UserError):
            subscription.address({})


rules = st.fixed_dictionaries(
    {},
    optional={
        "constraint": st.sampled_from(["^1.0.0", ">=2", "1.x"]),
        "imageSelectionStrategy": st.sampled_from(["SemVer", "Lexical", "NewestBuild"]),
        "allowTagsRegexes": st.lists(st.sampled_from(["^1", "a", "latest"]), max_size=2),
        "ignoreTagsRegexes": st.lists(st.sampled_from(["rc", "b"]), max_size=1),
        "strictSemvers": st.booleans(),
    },
)
tags = st.from_regex(r"v?[12]\.[0-9](\.[0-9](-rc\.1)?)?|latest|[a-c]{1,3}", fullmatch=True)


@given(rules, st.lists(tags, unique=True, min_size=1))
async def test_whatever_changes_what_is_found_is_never_ruled_out(config: dict[str, Any], pushed: list[str]) -> None:
    """Tags pushed one after the other: each that makes discovery find something else had mattered."""
    registry = KnownRegistry()
    context = DiscoveryContext(KnownGit(), registry, Now())
    whole, found = {"repoURL": "acme/service", **config}, Discovered(())
    for number, tag in enumerate(pushed):
        registry.put(tag, number, START + timedelta(days=number))
        now = await BY_NAME["image"].discover(context, whole, "")
        if now.artifacts != found.artifacts:
            assert BY_NAME["image"].concerned(whole, of_image(tag))
        found = now


class Now:
    def now(self) -> datetime:
        return START
