"""Asks Prometheus, at one moment or over a range of time.

Fields, defaults and faults: https://argo-rollouts.readthedocs.io/en/stable/analysis/prometheus/
The HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import base64
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.contracts import HttpAnswer, MetricContext, Reading, Schema
from bot.core.durations import DurationError, parse_duration
from bot.errors import UserError
from bot.expressions import ExpressionError, FloatList, Time, evaluate
from bot.metrics import fields, oauth2

NAME = "prometheus"
HELP = "Asks Prometheus; a scalar is a number, a vector or matrix the list of its numbers."
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "address": {**fields.TEXT, "description": "Scheme and host: http://prometheus.example.com:9090"},
        "query": fields.TEXT,
        "timeout": {"type": "integer", "minimum": 0, "default": 30, "description": "Seconds."},
        "insecure": {"type": "boolean", "default": False, "description": "Accept any certificate."},
        "headers": fields.HEADERS,
        "rangeQuery": {
            "type": "object",
            "properties": {
                "start": {**fields.TEXT, "description": 'An expression that gives a time: now() - duration("1h")'},
                "end": fields.TEXT,
                "step": {**fields.TEXT, "description": "A duration: 1m"},
            },
            "required": ["start", "end", "step"],
            "additionalProperties": False,
        },
        "authentication": {
            "type": "object",
            "properties": {
                "basicAuth": {
                    "type": "object",
                    "properties": {"username": fields.TEXT, "password": fields.TEXT},
                    "required": ["username", "password"],
                    "additionalProperties": False,
                },
                "oauth2": oauth2.SCHEMA,
            },
            "additionalProperties": False,
        },
    },
    "required": ["address", "query"],
    "additionalProperties": False,
}


async def measure(context: MetricContext, config: Mapping[str, Any]) -> Reading:
    """One query. Labels are lost: a vector gives one number per series, a matrix all numbers of all series."""
    base = _address(config)
    query = fields.required(config, "query")
    timeout = fields.number(config, "timeout")
    timeout = 30.0 if timeout is None else timeout
    if timeout < 0:
        raise UserError("prometheus timeout should not be negative")
    insecure = fields.flag(config, "insecure")
    headers = fields.headers(config)
    if basic := _basic(config):
        headers["Authorization"] = basic
    if token := await oauth2.authorization(context, config, timeout_seconds=timeout, insecure=insecure):
        headers["Authorization"] = token
    path, form = _request(context, config, query)

    async def ask(method: str, url: str, body: bytes | None, *more: tuple[str, str]) -> HttpAnswer:
        return await context.http.request(
            method,
            url,
            headers=(*headers.items(), *more),
            body=body,
            timeout_seconds=timeout,
            insecure=insecure,
        )

    encoded = urlencode(form)
    answer = await ask("POST", f"{base}{path}", encoded.encode(), ("Content-Type", "application/x-www-form-urlencoded"))
    if answer.status in (405, 501):  # servers before 2.1, and proxies that let only GET through
        answer = await ask("GET", f"{base}{path}?{encoded}", None)
    document = _document(answer)
    data = document.get("data")
    numbers, is_list = _numbers(data if isinstance(data, dict) else {})
    metadata = {"ResolvedPrometheusQuery": query}
    if warnings := document.get("warnings"):
        metadata["warnings"] = ", ".join(f'"{warning}"' for warning in warnings)
    if is_list:
        return Reading(FloatList(numbers), f"[{','.join(map(_plain, numbers))}]", metadata=metadata)
    return Reading(numbers[0], _plain(numbers[0]), metadata=metadata)


def _address(config: Mapping[str, Any]) -> str:
    address = fields.text(config, "address")
    if not address:
        raise UserError("prometheus address is not configured")
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise UserError("prometheus address is not is url format") from error
    if not parts.scheme or not parts.netloc:
        raise UserError("prometheus address is not is url format")
    return address.rstrip("/")


def _basic(config: Mapping[str, Any]) -> str | None:
    basic = fields.section(fields.section(config, "authentication"), "basicAuth")
    username, password = fields.text(basic, "username"), fields.text(basic, "password")
    if not username and not password:
        return None
    for name, value in (("username", username), ("password", password)):
        if not value:
            raise UserError(f"missing mandatory parameter in metric for basic auth setup: {name}")
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _request(context: MetricContext, config: Mapping[str, Any], query: str) -> tuple[str, dict[str, str]]:
    between = fields.section(config, "rangeQuery")
    if not between:
        return "/api/v1/query", {"query": query, "time": f"{context.clock.now().timestamp():.3f}"}
    start, end = (_moment(context, between, name) for name in ("start", "end"))
    try:
        step = parse_duration(fields.text(between, "step"))
    except DurationError as error:
        raise UserError(f"failed to parse rangeQuery.step as duration: {error}") from error
    return "/api/v1/query_range", {
        "query": query,
        "start": start,
        "end": end,
        "step": f"{_plain(step.total_seconds())}",
    }


def _moment(context: MetricContext, between: Mapping[str, Any], name: str) -> str:
    code = fields.text(between, name)
    try:
        moment = evaluate(code, {}, typed=True, now=context.clock.now)
    except ExpressionError as error:
        raise UserError(f'failed to parse rangeQuery.{name} as time: "{code}": {error.message}') from error
    if not isinstance(moment, Time):
        raise UserError(f'failed to parse rangeQuery.{name} as time: "{code}" gives no time')
    return f"{moment.seconds}.{moment.nanoseconds // 1_000_000:03d}"


def _document(answer: HttpAnswer) -> dict[str, Any]:
    """The answer, if it tells of success. Prometheus explains itself in JSON with the statuses 400 and 422 only."""
    if not 200 <= answer.status < 300 and answer.status not in (400, 422):
        kind = {4: "client", 5: "server"}.get(answer.status // 100)
        raise UserError(
            f"{kind}_error: {kind} error: {answer.status}"
            if kind
            else f"bad_response: bad response code {answer.status}"
        )
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise UserError("bad_response: the answer is not Prometheus' JSON; look at the address") from error
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        raise UserError("bad_response: the answer is not Prometheus' JSON; look at the address")
    if document["status"] == "error":
        raise UserError(f"{document.get('errorType')}: {document.get('error')}")
    return document


def _numbers(data: Mapping[str, Any]) -> tuple[list[float], bool]:
    """The numbers of a result, and whether they are a list. A point is `[time, "number"]`."""
    kind, result = data.get("resultType"), data.get("result")
    try:
        if kind == "scalar":
            return [_number(result)], False
        if kind == "vector" and isinstance(result, list):
            return [_number(series["value"]) for series in result], True
        if kind == "matrix" and isinstance(result, list):
            return [_number(point) for series in result for point in series["values"]], True
    except KeyError as error:
        raise UserError("the result holds native histograms; take a number out of them in the query") from error
    except (TypeError, ValueError, IndexError) as error:
        raise UserError(f"bad_response: this is no Prometheus {kind}") from error
    raise UserError("Prometheus metric type not supported")


def _number(point: Any) -> float:
    return float(point[1])


def _plain(number: float) -> str:
    """The shortest digits without an exponent, as Go's FormatFloat(v, 'f', -1, 64): `0.9`, `5`, `NaN`, `+Inf`."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return f"{Decimal(repr(number)):f}".removesuffix(".0")
