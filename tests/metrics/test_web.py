"""The web provider: Argo Rollouts' own cases, and what goes over the wire."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts import MetricContext
from bot.core.analysis import Phase, judge
from bot.core.model import Metric
from bot.errors import UserError
from bot.metrics import documents, web
from tests.conformance.cases import public
from tests.metrics.conftest import ScriptedHttp

NOW = datetime(2026, 1, 2, tzinfo=UTC)
URL = "https://service.example.com/health"


async def test_argo_rollouts_own_cases(context: MetricContext, http: ScriptedHttp) -> None:
    for case in public("argo_web"):
        http.asked.clear()
        http.answers.clear()
        http.answer(case["response"], case["status"])
        config = {"url": URL, "method": case["method"], "jsonPath": case["jsonPath"], "body": case.get("body", "")}
        if "jsonBody" in case:
            config["jsonBody"] = json.loads(case["jsonBody"])
        metric = Metric(
            "m", "web", {}, success_condition=case["successCondition"], failure_condition=case["failureCondition"]
        )
        value = ""
        try:
            reading = await web.measure(context, config)
        except UserError as error:
            phase, message = Phase.ERROR, str(error)
        else:
            phase, message = judge(metric, reading.result, NOW)
            value = reading.value
        assert phase == case["expected_phase"], f"{case}: {message}"
        if phase is Phase.ERROR:
            assert case.get("expected_error", "") in message
        else:
            assert value == case.get("expected_value", "")


async def test_the_defaults_are_get_ten_seconds_and_the_whole_document(
    context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer('{"b": 1, "a": [1.5, "x", null, true, 1e3]}')
    reading = await web.measure(context, {"url": URL})
    assert reading.result == {"b": 1.0, "a": [1.5, "x", None, True, 1000.0]}
    assert reading.value == '{"a":[1.5,"x",null,true,1000],"b":1}'
    (asked,) = http.asked
    assert (asked.method, asked.url, asked.body) == ("GET", URL, None)
    assert (asked.timeout_seconds, asked.insecure, dict(asked.headers)) == (10.0, False, {})


async def test_numbers_are_floats_as_in_go(context: MetricContext, http: ScriptedHttp) -> None:
    http.answer('{"n": 12345678901234567890}')
    reading = await web.measure(context, {"url": URL, "jsonPath": "{$.n}"})
    assert isinstance(reading.result, float)
    assert reading.value == "12345678901234567168"


async def test_headers_body_and_options_go_out_as_configured(context: MetricContext, http: ScriptedHttp) -> None:
    http.answer("{}")
    await web.measure(
        context,
        {
            "url": URL,
            "method": "PUT",
            "headers": [
                {"key": "x-team", "value": "first"},
                {"key": "X-Team", "value": "last"},
                {"key": "content-type", "value": "text/plain"},
            ],
            "jsonBody": {"name": "é", "n": 1},
            "timeoutSeconds": 20,
            "insecure": True,
        },
    )
    (asked,) = http.asked
    assert dict(asked.headers) == {"X-Team": "last", "Content-Type": "application/json"}
    assert asked.body == '{"name":"é","n":1}'.encode()
    assert (asked.method, asked.timeout_seconds, asked.insecure) == ("PUT", 20, True)


@pytest.mark.parametrize("seconds", [0, -5])
async def test_a_timeout_that_is_none_is_ten_seconds(seconds: int, context: MetricContext, http: ScriptedHttp) -> None:
    http.answer("{}")
    await web.measure(context, {"url": URL, "timeoutSeconds": seconds})
    assert http.asked[0].timeout_seconds == 10.0


@pytest.mark.parametrize(
    "body", ["", "OK", "{", "NaN", "[1e999]", "[-Infinity]", '{"a": 1} x', "\ufeff{}", "[" * 100_000]
)
async def test_what_is_no_json_is_text_and_the_path_does_not_matter(
    body: str, context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer(body)
    reading = await web.measure(context, {"url": URL, "jsonPath": "{$.a}"})
    assert (reading.result, reading.value) == (body, body)


NOT_FOUND = "Could not find JSONPath in body: "
BOTH_BODIES = "use either Body or JSONBody; both cannot exists for WebMetric payload"


@pytest.mark.parametrize(
    ("config", "status", "message"),
    [
        ({}, 503, "received non 2xx response code: 503"),
        ({}, 304, "received non 2xx response code: 304"),
        ({"jsonPath": "{$.x}"}, 200, NOT_FOUND + "x is not found"),
        ({"jsonPath": "{$.list[2]}"}, 200, NOT_FOUND + "array index out of bounds: index 2, length 2"),
        ({"jsonPath": '{$.list[?(@.a=="x")]}'}, 200, "result of web metric produced no value"),
        ({"jsonPath": "{$.a"}, 200, 'jsonPath "{$.a" can\'t be read: unclosed action'),
        ({"method": "DELETE"}, 200, 'method must be GET, POST or PUT, not "DELETE"'),
        ({"method": "POST", "body": "x", "jsonBody": {}}, 200, BOTH_BODIES),
        ({"body": "x"}, 200, "Body/JSONBody can only be used with POST or PUT WebMetric Method types"),
        ({"headers": ["x"]}, 200, "headers[0] must be a mapping of key and value, not a value of type str"),
        ({"headers": [{"value": "x"}]}, 200, "key is missing"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_told(
    config: dict[str, Any], status: int, message: str, context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer('{"a": 1, "list": [{"a": "y"}, {}]}', status)
    with pytest.raises(UserError) as refused:
        await web.measure(context, {"url": URL, **config})
    assert str(refused.value) == message


OAUTH2 = {
    "url": URL,
    "headers": [{"key": "authorization", "value": "mine"}],
    "insecure": True,
    "timeoutSeconds": 3,
    "authentication": {
        "oauth2": {
            "tokenUrl": "https://id.example.com/token",
            "clientId": "me@x",
            "clientSecret": "s3:cret",
            "scopes": ["a", "b"],
        }
    },
}


async def test_oauth2_fetches_a_token_and_uses_it(context: MetricContext, http: ScriptedHttp) -> None:
    http.answer('{"access_token": "t0ken", "token_type": "bearer"}')
    http.answer('"fine"')
    assert (await web.measure(context, OAUTH2)).result == "fine"
    token, asked = http.asked
    assert (token.method, token.url) == ("POST", "https://id.example.com/token")
    assert token.headers["Authorization"] == "Basic bWUlNDB4OnMzJTNBY3JldA=="
    assert token.form == {"grant_type": ["client_credentials"], "scope": ["a b"]}
    assert (token.insecure, token.timeout_seconds) == (True, 3)
    assert asked.headers["Authorization"] == "Bearer t0ken"


async def test_oauth2_servers_that_want_the_credentials_in_the_form_get_them_there(
    context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer("no", 401)
    http.answer('{"access_token": "t0ken", "token_type": "MAC"}')
    http.answer("{}")
    await web.measure(context, OAUTH2)
    assert "Authorization" not in http.asked[1].headers
    assert http.asked[1].form["client_id"] == ["me@x"]
    assert http.asked[1].form["client_secret"] == ["s3:cret"]
    assert http.asked[2].headers["Authorization"] == "MAC t0ken"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([("no", 401), ("no", 403)], "oauth2: the token server answered with status 403"),
        ([("hi", 200)], "oauth2: the token server's answer is not JSON"),
        ([('{"error": "s3:cret"}', 200)], "oauth2: the token server's answer has no access_token"),
        ([("[]", 200)], "oauth2: the token server's answer has no access_token"),
    ],
)
async def test_oauth2_without_a_token_is_told_without_the_secret(
    answers: list[tuple[str, int]], message: str, context: MetricContext, http: ScriptedHttp
) -> None:
    for body, status in answers:
        http.answer(body, status)
    with pytest.raises(UserError) as refused:
        await web.measure(context, OAUTH2)
    assert str(refused.value) == message
    assert all(asked.url != URL for asked in http.asked)


async def test_oauth2_needs_both_id_and_secret(context: MetricContext, http: ScriptedHttp) -> None:
    config = {"url": URL, "authentication": {"oauth2": {"tokenUrl": "https://id.example.com/", "clientId": "me"}}}
    with pytest.raises(UserError, match="clientId and clientSecret are needed"):
        await web.measure(context, config)
    assert http.asked == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_a_document_written_reads_back_the_same(document: Any) -> None:
    assert documents.read(documents.compact(document).encode()) == document


@given(st.binary())
def test_any_bytes_are_a_document_or_no_json(body: bytes) -> None:
    try:
        found = documents.read(body)
    except ValueError:
        return
    assert not isinstance(found, float) or math.isfinite(found)
