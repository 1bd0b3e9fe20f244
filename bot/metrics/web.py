"""Asks any web service, and takes one value out of its answer.

Fields, defaults and faults: https://argo-rollouts.readthedocs.io/en/stable/analysis/web/
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.contracts import MetricContext, Reading, Schema
from bot.core.jsonpath import JsonPathError, Template, find, parse
from bot.errors import UserError
from bot.metrics import documents, fields, oauth2

NAME = "web"
HELP = "Asks a web service; the value is found in its JSON answer by a JSONPath, or is the answer's text."
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "url": fields.TEXT,
        "method": {"enum": ["GET", "POST", "PUT"], "default": "GET"},
        "headers": fields.HEADERS,
        "body": {**fields.TEXT, "description": "The text to send. Not together with jsonBody."},
        "jsonBody": {"description": "The JSON to send, with Content-Type application/json."},
        "timeoutSeconds": {"type": "integer", "default": 10},
        "jsonPath": {
            **fields.TEXT,
            "default": "{$}",
            "description": "In Kubernetes' dialect, in braces: {$.data.ok}. The first value found is the result.",
        },
        "insecure": {"type": "boolean", "default": False, "description": "Accept any certificate."},
        "authentication": {
            "type": "object",
            "properties": {"oauth2": oauth2.SCHEMA},
            "additionalProperties": False,
        },
    },
    "required": ["url"],
    "additionalProperties": False,
}


async def measure(context: MetricContext, config: Mapping[str, Any]) -> Reading:
    """One request. The result is the first value the JSONPath finds, or the text of an answer that is no JSON."""
    path = _path(fields.text(config, "jsonPath"))
    method = _method(config)
    headers = fields.headers(config)
    body = _body(config, method, headers)
    timeout = fields.number(config, "timeoutSeconds") or 0.0
    timeout = timeout if timeout > 0 else 10.0
    insecure = fields.flag(config, "insecure")
    if token := await oauth2.authorization(context, config, timeout_seconds=timeout, insecure=insecure):
        headers["Authorization"] = token
    answer = await context.http.request(
        method,
        fields.required(config, "url"),
        headers=tuple(headers.items()),
        body=body,
        timeout_seconds=timeout,
        insecure=insecure,
    )
    if not 200 <= answer.status < 300:
        raise UserError(f"received non 2xx response code: {answer.status}")
    try:
        document = documents.read(answer.body)
    except ValueError:
        text = answer.body.decode(errors="replace")
        return Reading(text, text)
    return _reading(path, document)


def _path(text: str) -> Template:
    try:
        return parse(text or "{$}")
    except JsonPathError as error:
        raise UserError(f'jsonPath "{text}" can\'t be read: {error}') from error


def _method(config: Mapping[str, Any]) -> str:
    method = fields.text(config, "method") or "GET"
    if method not in ("GET", "POST", "PUT"):
        raise UserError(f'method must be GET, POST or PUT, not "{method}"')
    return method


def _body(config: Mapping[str, Any], method: str, headers: dict[str, str]) -> bytes | None:
    text, document = fields.text(config, "body"), config.get("jsonBody")
    if text and document is not None:
        raise UserError("use either Body or JSONBody; both cannot exists for WebMetric payload")
    if (text or document is not None) and method == "GET":
        raise UserError("Body/JSONBody can only be used with POST or PUT WebMetric Method types")
    if document is not None:
        headers["Content-Type"] = "application/json"
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return text.encode() if text else None


def _reading(path: Template, document: Any) -> Reading:
    try:
        found = find(path, document)
    except JsonPathError as error:
        raise UserError(f"Could not find JSONPath in body: {error}") from error
    for part in found:
        for value in part:
            return Reading(value, documents.compact(value))
    raise UserError("result of web metric produced no value")
