"""The Prometheus provider: queries as they go out, answers as they come in."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contracts import MetricContext
from bot.core.analysis import Phase, judge
from bot.core.model import Metric
from bot.errors import UserError
from bot.metrics import prometheus
from tests.metrics.conftest import ScriptedHttp

CONFIG = {"address": "http://prometheus.example.com:9090/", "query": 'up{job="a"} > 0'}


def success(kind: str, result: Any, **more: Any) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more})


async def test_a_query_is_posted_as_a_form_with_the_time_of_the_clock(
    context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer(success("scalar", [1, "0.5"]))
    await prometheus.measure(context, CONFIG)
    (asked,) = http.asked
    assert (asked.method, asked.url) == ("POST", "http://prometheus.example.com:9090/api/v1/query")
    assert asked.form == {"query": ['up{job="a"} > 0'], "time": ["1767323045.678"]}
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (asked.timeout_seconds, asked.insecure) == (30.0, False)


@pytest.mark.parametrize("status", [405, 501])
async def test_a_server_that_takes_no_post_is_asked_by_get(
    status: int, context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer("", status)
    http.answer(success("scalar", [1, "0.5"]))
    assert (await prometheus.measure(context, CONFIG)).result == 0.5
    first, second = http.asked
    assert (second.method, second.body) == ("GET", None)
    assert second.url.startswith("http://prometheus.example.com:9090/api/v1/query?")
    assert second.form == first.form


@pytest.mark.parametrize(
    ("kind", "result", "value", "shown"),
    [
        ("scalar", [1, "0.95"], 0.95, "0.95"),
        ("scalar", [1, "5"], 5.0, "5"),
        ("scalar", [1, "+Inf"], math.inf, "+Inf"),
        ("scalar", [1, "-Inf"], -math.inf, "-Inf"),
        ("scalar", [1, "1e21"], 1e21, "1000000000000000000000"),
        ("scalar", [1, "1e-7"], 1e-7, "0.0000001"),
        ("vector", [], [], "[]"),
        ("vector", [{"metric": {"a": "b"}, "value": [1, "0.9"]}, {"value": [1, "2"]}], [0.9, 2.0], "[0.9,2]"),
        ("matrix", [], [], "[]"),
        ("matrix", [{"values": [[1, "1"], [2, "2"]]}, {"values": [[1, "3.5"]]}], [1.0, 2.0, 3.5], "[1,2,3.5]"),
    ],
)  # fmt: skip
async def test_numbers_are_read_and_labels_are_lost(
    kind: str, result: Any, value: Any, shown: str, context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer(success(kind, result))
    reading = await prometheus.measure(context, CONFIG)
    assert (reading.result, reading.value) == (value, shown)
    assert reading.metadata == {"ResolvedPrometheusQuery": CONFIG["query"]}


@pytest.mark.parametrize(
    ("result", "condition", "phase"),
    [
        ([{"value": [1, "0.99"]}], "result[0] >= 0.95", Phase.SUCCESSFUL),
        ([{"value": [1, "NaN"]}], "result[0] >= 0.95", Phase.FAILED),
        ([{"value": [1, "NaN"]}], "isNaN(result[0]) || result[0] >= 0.95", Phase.SUCCESSFUL),
        ([], "result[0] >= 0.95", Phase.ERROR),
        ([], "len(result) == 0 || result[0] >= 0.95", Phase.SUCCESSFUL),
        ([{"value": [1, "1"]}], 'result[0] == "1"', Phase.ERROR),  # the list is known to be of numbers
    ],
)
async def test_a_vector_is_judged_as_a_list_of_numbers(
    result: Any, condition: str, phase: Phase, context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer(success("vector", result))
    reading = await prometheus.measure(context, CONFIG)
    metric = Metric("m", "prometheus", {}, success_condition=condition)
    assert judge(metric, reading.result, datetime(2026, 1, 2, tzinfo=UTC))[0] is phase


async def test_a_range_is_asked_between_two_times_in_steps(context: MetricContext, http: ScriptedHttp) -> None:
    http.answer(success("matrix", []))
    between = {"start": 'now() - duration("1h")', "end": "now()", "step": "1m30s"}
    await prometheus.measure(context, {**CONFIG, "rangeQuery": between})
    (asked,) = http.asked
    assert asked.url.endswith("/api/v1/query_range")
    assert asked.form == {
        "query": [CONFIG["query"]],
        "start": ["1767319445.678"],
        "end": ["1767323045.678"],
        "step": ["90"],
    }


async def test_warnings_are_kept(context: MetricContext, http: ScriptedHttp) -> None:
    http.answer(success("scalar", [1, "1"], warnings=["slow", "partial"]))
    assert (await prometheus.measure(context, CONFIG)).metadata["warnings"] == '"slow", "partial"'


async def test_headers_and_credentials_go_along(context: MetricContext, http: ScriptedHttp) -> None:
    http.answer(success("scalar", [1, "1"]))
    await prometheus.measure(
        context,
        {
            **CONFIG,
            "headers": [{"key": "x-scope-orgid", "value": "tenant"}],
            "authentication": {"basicAuth": {"username": "user", "password": "word"}},
            "timeout": 5,
            "insecure": True,
        },
    )
    (asked,) = http.asked
    assert asked.headers["X-Scope-Orgid"] == "tenant"
    assert asked.headers["Authorization"] == "Basic dXNlcjp3b3Jk"
    assert (asked.timeout_seconds, asked.insecure) == (5, True)


BAD = "bad_response: the answer is not Prometheus' JSON; look at the address"
RANGE = {"start": "now()", "end": "now()", "step": "1m"}


@pytest.mark.parametrize(
    ("config", "status", "answer", "message"),
    [
        ({}, 404, "", "client_error: client error: 404"),
        ({}, 503, "", "server_error: server error: 503"),
        ({}, 302, "", "bad_response: bad response code 302"),
        ({}, 200, "<html>", BAD),
        ({}, 200, "[]", BAD),
        ({}, 400, '{"status": "error", "errorType": "bad_data", "error": "parse error"}', "bad_data: parse error"),
        ({}, 422, '{"status": "error", "errorType": "execution", "error": "too many"}', "execution: too many"),
        ({}, 200, success("string", [1, "x"]), "Prometheus metric type not supported"),
        ({}, 200, '{"status": "success"}', "Prometheus metric type not supported"),
        ({}, 200, success("scalar", [1]), "bad_response: this is no Prometheus scalar"),
        ({}, 200, success("vector", [7]), "bad_response: this is no Prometheus vector"),
        ({}, 200, success("vector", [{"value": [1, "x"]}]), "bad_response: this is no Prometheus vector"),
        (
            {},
            200,
            success("vector", [{"histogram": [1, {}]}]),
            "the result holds native histograms; take a number out of them in the query",
        ),
        ({"address": ""}, 200, "", "prometheus address is not configured"),
        ({"address": "prometheus:9090"}, 200, "", "prometheus address is not is url format"),
        ({"address": "http://["}, 200, "", "prometheus address is not is url format"),
        ({"timeout": -1}, 200, "", "prometheus timeout should not be negative"),
        (
            {"authentication": {"basicAuth": {"username": "u"}}},
            200,
            "",
            "missing mandatory parameter in metric for basic auth setup: password",
        ),
        (
            {"rangeQuery": {**RANGE, "step": "1d"}},
            200,
            "",
            'failed to parse rangeQuery.step as duration: time: unknown unit "d" in duration "1d"',
        ),
        ({"rangeQuery": {**RANGE, "end": "1"}}, 200, "", 'failed to parse rangeQuery.end as time: "1" gives no time'),
    ],
)
async def test_what_goes_wrong_is_told(
    config: dict[str, Any], status: int, answer: str, message: str, context: MetricContext, http: ScriptedHttp
) -> None:
    http.answer(answer, status)
    with pytest.raises(UserError) as refused:
        await prometheus.measure(context, {**CONFIG, **config})
    assert str(refused.value) == message


async def test_a_time_that_is_no_expression_is_told(context: MetricContext) -> None:
    with pytest.raises(UserError, match=r'failed to parse rangeQuery.start as time: "later\(\)": '):
        await prometheus.measure(context, {**CONFIG, "rangeQuery": {**RANGE, "start": "later()"}})
