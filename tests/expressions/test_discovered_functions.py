"""What `freightCreationCriteria` may ask of the newest artifacts, under Kargo's names."""

from datetime import UTC, datetime

import pytest

from bot.core.model import Chart, Commit, CommitSha, Image
from bot.expressions import ExpressionError, evaluate
from bot.expressions.booleans import as_bool
from bot.expressions.discovered_functions import Newest, discovered_functions

GITOPS = Commit(
    "https://github.com/acme/GitOps.git", CommitSha("0123456789"), "main", message="Mend it", author="a <a@acme.io>"
)
ENV = discovered_functions(
    Newest(
        commits=[(GITOPS, datetime(2026, 1, 31, tzinfo=UTC))],
        images=[
            (Image("ghcr.io/acme/web", "1.2.0", "sha256:1", {"team": "shop"}), datetime(2026, 2, 1, tzinfo=UTC)),
            (Image("nginx", "1.27", "sha256:2", subscription_name="old"), None),
            (Image("docker.io/library/nginx", "1.29", "sha256:3", subscription_name="new"), None),
        ],
        charts=[
            (Chart("https://charts.example.com", "web", "0.3.1"), None),
            (Chart("oci://ghcr.io/acme/chart", "", "2.0.0"), None),
        ],
    )
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("commitFrom('https://github.com/acme/gitops').Subject", "Mend it"),
        ("commitFrom('https://github.com/acme/gitops').ID startsWith '0123'", True),
        ("commitFrom('https://github.com/acme/gitops').CreatorDate.Year()", 2026),
        ("commitFrom('https://github.com/acme/gitops').CreatorDate > date('2026-01-01')", True),
        ("commitFrom('https://github.com/acme/other')", None),
        ("imageFrom('ghcr.io/acme/web').Tag == chartFrom('https://charts.example.com', 'web').Version", False),
        ("imageFrom('ghcr.io/acme/web').Annotations.team", "shop"),
        ("imageFrom('GHCR.io/acme/web').CreatedAt.Year()", 2026),
        ("chartFrom('https://charts.example.com').Name", "web"),
        ("chartFrom('https://charts.example.com', 'other')", None),
        ("chartFrom('ghcr.io/acme/chart').Version", "2.0.0"),
        ("artifactFrom('new').Version", "1.29"),
        ("artifactFrom('old').Metadata.digest", "sha256:2"),
        ("artifactFrom('old').ArtifactType", "image"),
        ("artifactFrom('')", None),
    ],
)
def test_the_newest_of_each_subscription_can_be_asked(code, expected):
    assert evaluate(code, ENV) == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("imageFrom('nginx').Tag", 'by several names, old and new: say which, as in artifactFrom("old")'),
        ("imageFrom('ghcr.io/acme/api').Tag", "cannot get Tag from nil"),
        ("imageFrom()", "imageFrom"),
        ("warehouse('app')", "no function"),
    ],
)
def test_what_cannot_be_told_says_why(code, message):
    with pytest.raises(ExpressionError) as raised:
        evaluate(code, ENV)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("result", "expected"),
    [(True, True), (False, False), ("true", True), ("F", False), (1, True), (0.0, False), ("T", True)],
)
def test_results_are_taken_as_gos_parse_bool_takes_them(result, expected):
    assert as_bool(result) is expected


@pytest.mark.parametrize("result", [None, "yes", "", 2, 0.5, [True], {}])
def test_what_is_neither_true_nor_false_is_refused(result):
    with pytest.raises(ValueError, match="neither true nor false"):
        as_bool(result)
