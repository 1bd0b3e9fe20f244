"""With CI=true a skipped test is a failed one: nothing goes unseen because a program is missing.

Tests that may take minutes, and so have a time of their own, begin first: nobody waits for one of them at the end.
"""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

_ON_CI = os.environ.get("CI") == "true"  # noqa: TID251  # tests have no settings


def _fail_instead(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _ON_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as failed with CI=true: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_instead(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_instead(report)
    return report


def pytest_configure() -> None:
    """How fast a machine is, and what else it does, says nothing of what Hypothesis tries."""
    settings.register_profile("towpath", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("towpath")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
