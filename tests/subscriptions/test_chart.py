"""Charts are chosen by version, from classic repositories and from OCI registries."""

from dataclasses import replace

import pytest

from bot.core.model import Chart
from bot.errors import UserError
from bot.subscriptions import BY_NAME, SUBSCRIPTIONS, chart

CLASSIC = {"repoURL": "https://charts.acme.io", "name": "service"}
OCI = {"repoURL": "oci://ghcr.io/acme/service"}
VERSIONS = ("1.0.0", "0.9.0", "2.0.0-rc.1", "v1.2.0", "1.1", "latest", "1.1.0+build.1")


class Shelves:
    """A registry and a chart repository that hold `VERSIONS`, as either would name them."""

    def __init__(self):
        self.asked = []
        self.verify_tls = True

    async def tags(self, repo_url):
        self.asked.append(repo_url)
        return tuple(version.replace("+", "_") for version in VERSIONS)

    async def digest(self, repo_url, tag):
        raise AssertionError("a chart needs no digest")

    async def describe(self, repo_url, digest, *, dates=True):
        raise AssertionError("a chart needs no description")

    async def image(self, repo_url, tag, *, dates=True):
        raise AssertionError("a chart is no image")

    async def chart_versions(self, repo_url, name):
        self.asked.append(f"{repo_url} {name}")
        return VERSIONS if name == "service" else ()

    def configured(self, *, verify_tls=True, immutable_tags=False):
        self.verify_tls = verify_tls
        return self


@pytest.fixture
def shelves():
    return Shelves()


async def versions(context, shelves, config):
    found = await chart.discover(replace(context, registry=shelves), config, "")
    return [artifact.version for artifact in found.artifacts]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (CLASSIC, ["2.0.0-rc.1", "v1.2.0", "1.1.0+build.1", "1.1", "1.0.0", "0.9.0"]),
        ({**CLASSIC, "semverConstraint": "*"}, ["v1.2.0", "1.1.0+build.1", "1.1", "1.0.0", "0.9.0"]),
        ({**CLASSIC, "semverConstraint": "^1.0.0", "discoveryLimit": 1}, ["v1.2.0"]),
        ({**CLASSIC, "name": "other"}, []),
        (OCI, ["2.0.0-rc.1", "1.1.0+build.1", "1.0.0", "0.9.0"]),
        ({**OCI, "semverConstraint": "<1.1"}, ["1.0.0", "0.9.0"]),
    ],
)
async def test_the_highest_versions(context, shelves, config, expected):
    assert await versions(context, shelves, config) == expected
    assert len(shelves.asked) == 1


@pytest.mark.parametrize("config", [CLASSIC, OCI])
async def test_certificates_are_passed_over_only_where_so_configured(context, shelves, config):
    for fields, verified in [({}, True), ({"insecureSkipTLSVerify": True}, False)]:
        assert await versions(context, shelves, {**config, **fields})
        assert shelves.verify_tls is verified


async def test_charts_are_named_as_they_were_asked_for(context, shelves):
    ask = replace(context, registry=shelves)
    classic = (await chart.discover(ask, CLASSIC, "db")).artifacts[0]
    assert classic == Chart("https://charts.acme.io", "service", "2.0.0-rc.1", "db")
    oci = (await chart.discover(ask, OCI, "")).artifacts[0]
    assert oci == Chart("oci://ghcr.io/acme/service", "", "2.0.0-rc.1")
    assert shelves.asked == ["https://charts.acme.io service", "ghcr.io/acme/service"]


@pytest.mark.parametrize(
    ("config", "version", "found"),
    [
        (CLASSIC, "1.0.0", True),
        (CLASSIC, "1.0", False),
        (CLASSIC, "latest", False),
        ({**CLASSIC, "semverConstraint": "^2"}, "1.0.0", False),
        (OCI, "1.1.0+build.1", True),
        (OCI, "v1.2.0", False),
    ],
)
async def test_a_chart_is_found_by_its_version_if_the_rules_let_it_pass(context, shelves, config, version, found):
    result = await chart.find(replace(context, registry=shelves), config, "", version)
    assert (result.version if result else None) == (version if found else None)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"repoURL": "https://charts.acme.io"}, "name must be given"),
        ({**OCI, "name": "service"}, "with oci://, leave out name"),
        ({"repoURL": "ghcr.io/acme/service"}, "must begin with https://, http:// or oci://"),
        ({**CLASSIC, "semverConstraint": "x y"}, "is not a version range"),
    ],
)
async def test_a_configuration_that_makes_no_sense_is_refused(context, shelves, config, message):
    with pytest.raises(UserError, match=message):
        await versions(context, shelves, config)


def test_every_subscription_is_known_by_its_name():
    assert set(BY_NAME) == {"image", "git", "chart"}
    for subscription in SUBSCRIPTIONS:
        assert BY_NAME[subscription.NAME] is subscription
        assert subscription.HELP.endswith(".")
        assert subscription.SCHEMA["additionalProperties"] is False
        assert "repoURL" in subscription.SCHEMA["required"]
        assert {"discoveryLimit", "insecureSkipTLSVerify"} <= set(subscription.SCHEMA["properties"])
