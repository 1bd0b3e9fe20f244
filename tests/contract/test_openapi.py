"""The judge itself: it must let GitHub's own words pass and catch what GitHub would not say."""

from __future__ import annotations

import json

import pytest

from tests.contract.openapi import DESCRIPTION, contract

_EXAMPLES = DESCRIPTION.with_name("webhooks-examples.json")
_REF = {
    "ref": "refs/heads/main",
    "node_id": "x",
    "url": "http://127.0.0.1/x",
    "object": {"type": "commit", "sha": "a" * 40, "url": "http://127.0.0.1/y"},
}


def test_a_path_parameter_may_hold_slashes_where_github_allows_it() -> None:
    found = contract().operation("GET", "/repos/acme/gitops/git/ref/heads/promotion/test")
    assert found is not None
    assert found.template == "/repos/{owner}/{repo}/git/ref/{ref}"


def test_the_most_particular_template_wins() -> None:
    found = contract().operation("GET", "/repos/acme/gitops/branches/a%2Fb/protection")
    assert found is not None
    assert found.template == "/repos/{owner}/{repo}/branches/{branch}/protection"


@pytest.mark.parametrize(
    ("response", "query", "status", "complaint"),
    [
        (_REF, "", 200, ""),
        ({**_REF, "ref": 1}, "", 200, "response/ref: 1 is not of type"),
        ({**_REF, "object": {}}, "", 200, "is a required property"),
        (_REF, "page=2", 200, "query parameter 'page' is not described"),
        (_REF, "", 500, "status 500 is not described"),
    ],
)
def test_an_answer_is_held_against_its_schema(response: object, query: str, status: int, complaint: str) -> None:
    path = "/repos/acme/gitops/git/ref/heads/main"
    problems = "\n".join(contract().exchange("GET", path, query, None, status, response).problems)
    assert (complaint in problems) if complaint else not problems


def test_a_request_is_held_against_its_schema_unless_it_was_refused() -> None:
    path, wrong = "/repos/acme/gitops/git/refs", {"ref": 1, "colour": "red"}
    problems = contract().exchange("POST", path, "", wrong, 201, _REF).problems
    assert any("request/ref" in problem for problem in problems)
    assert any("'colour' is not described" in problem for problem in problems)
    assert not contract().exchange("POST", path, "", wrong, 400, {}).problems


def test_an_operation_that_does_not_exist_is_a_problem_unless_it_is_answered_404() -> None:
    assert contract().exchange("GET", "/nowhere", "", None, 200, {}).problems
    assert contract().exchange("GET", "/nowhere", "", None, 404, {}).notes


@pytest.mark.skipif(not _EXAMPLES.exists(), reason="`make tools` brings GitHub's example payloads")
def test_githubs_own_example_of_a_comment_passes_and_a_damaged_one_does_not() -> None:
    events = {row["name"]: row["examples"] for row in json.loads(_EXAMPLES.read_text())}
    passing = [row for row in events["issue_comment"] if not contract().webhook("issue_comment", row).problems]
    assert len(passing) >= 8  # one of the nine is older than a field that has become required
    example = passing[0]
    del example["comment"]["user"]
    assert contract().webhook("issue_comment", example).problems
    assert contract().webhook("no_such_event", {}).problems
