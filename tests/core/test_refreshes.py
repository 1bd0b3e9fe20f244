"""The generic receiver: expressions over a request choose warehouses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.news import Refresh
from bot.core.refreshes import refreshes

HEADERS = {"x-event": "built", "content-type": "application/json"}
BODY = {"image": "docker.io/acme/Service", "names": ["app"], "repo": "https://github.com/acme/lib.git"}


def action(when: str = "true", **criteria: Any) -> dict[str, Any]:
    return {"action": "Refresh", "whenExpression": when, "targetSelectionCriteria": [criteria]}


def watching(value: str, operator: str = "Equals") -> dict[str, Any]:
    return {"indexSelector": {"matchIndices": [{"key": "subscribedURLs", "operator": operator, "value": value}]}}


CHOSEN: list[tuple[dict[str, Any], tuple[Refresh, ...]]] = [
    (action(kind="Warehouse"), (Refresh(),)),
    ({"action": "Refresh", "targetSelectionCriteria": [{}, {"name": "x"}]}, (Refresh(), Refresh("x"))),
    (action(name="app"), (Refresh("app"),)),
    (action(name="${{ request.body.names[0] }}"), (Refresh("app"),)),
    (action("request.header('X-Event') == 'built'", name="app"), (Refresh("app"),)),
    (action("request.headers('x-EVENT') == ['built'] && request.method == 'POST'", name="app"), (Refresh("app"),)),
    (action("request.header('X-Event') == 'failed'", name="app"), ()),
    (action("request.header('X-Missing') == '' && len(request.headers('X-Missing')) == 0"), (Refresh(),)),
    (action("'app' in request.body.names"), (Refresh(),)),
    (action(**watching("${{ normalizeImage(request.body.image) }}")), (Refresh("", ("acme/service",)),)),
    (action(**watching("${{ normalizeGit(request.body.repo) }}")), (Refresh("", ("https://github.com/acme/lib",)),)),
    (action(**watching("${{ normalizeChart('oci://ghcr.io/A/c') }}")), (Refresh("", ("ghcr.io/a/c",)),)),
    (action(**watching("x", "NotEquals")), (Refresh("", (), ("x",)),)),
    (action(kind="Promotion", name="x"), ()),
    (action(labelSelector={"matchLabels": {"a": "b"}}), ()),
    (action(indexSelector={"matchIndices": [{"key": "receiverPaths", "value": "x"}]}), ()),
]


@pytest.mark.parametrize(("given_action", "chosen"), CHOSEN)
def test_what_an_action_chooses(given_action: dict[str, Any], chosen: tuple[Refresh, ...]) -> None:
    assert refreshes([given_action], HEADERS, BODY) == chosen


def test_parameters_are_there_for_expressions() -> None:
    one = {**action("params.only == 'app'", name="${{ params.only }}"), "parameters": {"only": "app"}}
    assert refreshes([one], HEADERS, BODY) == (Refresh("app"),)


FAILS = [
    action("request.body.missing.deeper == 1"),
    action("1"),
    action("nobody"),
    action(name="${{ request.body.names }}"),
    action(name="${{ request.body.missing }}"),
    action(name="${{ '' }}"),
    action(**watching("${{ normalizeGit(request.body.names) }}")),
]


@pytest.mark.parametrize("wrong", FAILS)
def test_an_expression_that_fails_is_said_to_with_its_action(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="action 1: "):
        refreshes([action("false"), wrong], HEADERS, BODY)


deep: Any = []
for _ in range(500):
    deep = [deep]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(values | st.just(deep))
def test_no_body_is_any_other_error(body: Any) -> None:
    for one in (*(each for each, _ in CHOSEN), action("toJSON(request.body) != ''", name="${{ request.body }}")):
        try:
            refreshes([one], {}, body)
        except ValueError:
            continue
