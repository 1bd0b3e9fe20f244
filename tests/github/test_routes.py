"""Every call we make is one that GitHub documents, and the permissions follow from the calls."""

import re

import pytest

from bot.github import routes
from bot.github.routes import ROUTES, Level, Route, needed_permissions


def expansions(route):
    found = re.search(r"\{\?([^}]*)\}", route.path)
    return set(found[1].split(",")) if found else set()


@pytest.mark.parametrize("route", [one for one in ROUTES if one is not routes.GRAPHQL], ids=lambda route: route.name)
def test_the_route_is_documented_with_its_parameters(route, reference):
    operation = reference["paths"][route.name.partition(" ")[2]][route.method.lower()]
    parameters = [
        reference["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
        for one in operation.get("parameters", [])
    ]
    assert expansions(route) <= {one["name"] for one in parameters if one["in"] == "query"}


def test_each_operation_is_there_once():
    assert len({route.name for route in ROUTES}) == len(ROUTES) > 20
    assert {id(value) for value in vars(routes).values() if isinstance(value, Route)} == {id(one) for one in ROUTES}


def test_only_what_does_no_harm_twice_may_be_sent_twice():
    once = {route.name for route in ROUTES if not route.repeatable}
    assert once == {
        "POST /app/hook/deliveries/{delivery_id}/attempts",
        "POST /repos/{owner}/{repo}/check-runs",
        "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
        "POST /repos/{owner}/{repo}/deployments",
        "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    }


def test_whatever_writes_in_a_repository_needs_a_permission_to_write():
    for route in ROUTES:
        if route.path.startswith(routes.REPO) and route.writes:
            assert any(level is Level.WRITE for _, level in route.permissions), route.name


def test_the_needed_permissions_are_the_most_that_any_call_asks_for():
    assert needed_permissions() == {
        "actions": "write",
        "checks": "write",
        "contents": "write",
        "deployments": "write",
        "issues": "write",
        "members": "read",
        "metadata": "read",
        "pull_requests": "write",
    }
    assert needed_permissions([(("statuses", Level.READ),)])["statuses"] == "read"
