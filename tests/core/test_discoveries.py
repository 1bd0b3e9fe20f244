"""When freight follows from what was found, what subscriptions are called, and when they are asked again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.discoveries import Finding, empty, is_from, names_of, next_poll, shown, unmet
from bot.core.model import Chart, Commit, CommitSha, Image, RepositoryName, Subscription, Warehouse, WarehouseName

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = Subscription("image", {"repoURL": "ghcr.io/acme/service:1.0.0"})
CHART = Subscription("chart", {"repoURL": "https://charts.acme.io", "name": "web"})
GIT = Subscription("git", {"repoURL": "https://github.com/acme/GitOps.git"}, "config")
FOUND = (
    Finding(IMAGE, (Image("ghcr.io/acme/service", "1.2.0", "sha256:1"), Image("ghcr.io/acme/service", "1.1.0", "s"))),
    Finding(CHART, (Chart("https://charts.acme.io", "web", "1.2.0"),)),
    Finding(GIT, (Commit("https://github.com/acme/GitOps.git", CommitSha("a" * 40)),), (NOW - timedelta(days=1),)),
)
WAREHOUSE = Warehouse(WarehouseName("app"), (IMAGE, CHART, GIT))


@pytest.mark.parametrize(
    ("code", "text", "fault"),
    [
        ("", None, None),
        ("imageFrom('ghcr.io/acme/service').Tag == chartFrom('https://charts.acme.io', 'web').Version", None, None),
        ("commitFrom('https://github.com/acme/gitops').CreatorDate < now()", None, None),
        ("semverDiff(imageFrom('ghcr.io/acme/service').Tag, '1.1.0') == 'Minor'", None, None),
        ("'true'", None, None),
        ("imageFrom('ghcr.io/acme/service').Tag == '1.1.0'", "criteria not satisfied: `imageFrom(", False),
        ("0", "criteria not satisfied: `0`", False),
        ("imageFrom('ghcr.io/acme/api').Tag == ''", "can't be told: cannot get Tag from nil", True),
        ("imageFrom('ghcr.io/acme/service').Tag", "can't be told: it gives '1.2.0', which is neither true nor", True),
    ],
)
def test_criteria_keep_freight_back_and_say_so(code, text, fault):
    problem = unmet(replace(WAREHOUSE, creation_criteria=code), FOUND, NOW)
    if text is None:
        assert problem is None
    else:
        assert text in problem.text
        assert problem.is_fault is fault


def test_what_finds_nothing_is_named():
    found = (FOUND[0], replace(FOUND[1], artifacts=()), replace(FOUND[2], artifacts=()))
    assert empty(FOUND) is None
    problem = empty(found)
    assert problem.text == (
        "nothing found that fits the chart subscription to https://charts.acme.io web and "
        "the git subscription `config` to https://github.com/acme/GitOps.git"
    )
    assert not problem.is_fault


@pytest.mark.parametrize(
    ("subscription", "names"),
    [
        (IMAGE, ("service", "ghcr.io/acme/service", "ghcr.io/acme/service:1.0.0")),
        (CHART, ("web", "https://charts.acme.io")),
        (GIT, ("config", "GitOps", "https://github.com/acme/GitOps.git", "https://github.com/acme/gitops")),
    ],
)
def test_subscriptions_go_by_these_names(subscription, names):
    assert names_of(subscription) == names


def test_artifacts_are_known_by_their_subscription():
    for finding in FOUND:
        others = [one.subscription for one in FOUND if one is not finding]
        for artifact in finding.artifacts:
            named = replace(artifact, subscription_name=finding.subscription.name)
            assert is_from(named, finding.subscription), shown(finding.subscription)
            assert not any(is_from(named, other) for other in others)
    blue = replace(IMAGE, name="blue")
    assert not is_from(FOUND[0].artifacts[0], blue)


def test_dates_may_be_fewer_than_artifacts():
    made = [created for _, created in replace(FOUND[0], created=(NOW,)).dated()]
    assert made == [NOW, None]


seconds = st.floats(1, 86_400).map(lambda number: timedelta(seconds=number))
moments = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
repositories = st.text("abc", min_size=1, max_size=5).map(lambda name: RepositoryName(f"acme/{name}"))


@given(repositories, seconds, moments)
def test_polls_come_at_the_repositorys_own_moments_an_interval_apart(repository, interval, now):
    slack = timedelta(milliseconds=1)
    first = next_poll(repository, interval, now)
    assert interval / 2 - slack <= first - now <= interval * 1.5 + slack
    for late in (timedelta(0), interval / 4):  # a look may come late; the one after is in time again
        assert abs(next_poll(repository, interval, first + late) - first - interval) <= slack


def test_repositories_that_start_together_are_spread_over_the_interval():
    hour = timedelta(hours=1)
    times = [next_poll(RepositoryName(f"acme/shop-{number}"), hour, NOW) for number in range(1000)]
    quarters = [sum(1 for at in times if at - NOW < hour * (0.5 + share)) for share in (0.25, 0.5, 0.75, 1)]
    assert [round(count / 250) for count in quarters] == [1, 2, 3, 4]
    assert next_poll(RepositoryName("acme/shop-1"), timedelta(0), NOW) - NOW <= timedelta(seconds=1.5)
