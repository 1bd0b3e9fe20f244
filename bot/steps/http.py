"""http: ask a service, and go on when it says so."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.contracts.metrics import HttpAnswer
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.durations import parse_duration
from bot.errors import UserError
from bot.expressions import ExpressionError, Function, evaluate
from bot.steps.shapes import DURATION, FLAG, TEXT, listed, record, told

NAME = "http"
HELP = "Send a request, and wait until the answer is what you want."
_PAIR = record("name value", name=TEXT, value={"type": "string"})
SCHEMA: Schema = record(
    "url",
    url=told(TEXT, "Of http or https."),
    method=told({"type": "string", "pattern": "^[A-Z]+$"}, "GET unless given."),
    headers=listed(_PAIR),
    queryParams=listed(_PAIR),
    body={"type": "string"},
    timeout=told(DURATION, "For one request: 10s unless given."),
    pollInterval=told(DURATION, "Between two requests: 30s unless given."),
    responseContentType=told({"enum": ["application/json", "text/plain"]}, "How to read the body, whatever it says."),
    successExpression=told(TEXT, "Over `response`; true ends the step well."),
    failureExpression=told(TEXT, "Over `response`; true fails the promotion."),
    errorExpression=told(TEXT, "Over `response`; true is a fault that may go away."),
    outputs=listed(record("name fromExpression", name=TEXT, fromExpression=TEXT)),
    insecureSkipTLSVerify=FLAG,
)
_CRITERIA = ("errorExpression", "failureExpression", "successExpression")


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`. Without criteria, 2xx is success and everything else a fault that may go away."""
    answer = await context.http.request(
        config.get("method", "GET"),
        _with_parameters(config),
        headers=[(each["name"], each["value"]) for each in config.get("headers", ())],
        body=config["body"].encode() if config.get("body") else None,
        timeout_seconds=parse_duration(config.get("timeout", "10s")).total_seconds(),
        insecure=config.get("insecureSkipTLSVerify", False),
    )
    env = {"response": _response(answer, config.get("responseContentType", ""))}
    error, failure, success = (_holds(config, name, env) for name in _CRITERIA)
    host = urlsplit(config["url"]).hostname
    if error:
        return StepResult(StepStatus.ERRORED, message=f"{host} answered {answer.status}: `errorExpression` holds")
    if failure:
        return StepResult(StepStatus.FAILED, message=f"{host} answered {answer.status}: `failureExpression` holds")
    if success is None and failure is None:
        success = 200 <= answer.status < 300
        if not success:
            return StepResult(StepStatus.ERRORED, message=f"{host} answered {answer.status}")
    if not success:
        later = context.clock.now() + parse_duration(config.get("pollInterval", "30s"))
        return StepResult(StepStatus.RUNNING, message=f"{host} answered {answer.status}; asking again", retry_at=later)
    outputs = {each["name"]: _value(each["fromExpression"], env) for each in config.get("outputs", ())}
    return StepResult(StepStatus.SUCCEEDED, outputs)


def _with_parameters(config: Mapping[str, Any]) -> str:
    given = [(each["name"], each["value"]) for each in config.get("queryParams", ())]
    parts = urlsplit(config["url"])
    if not given:
        return str(config["url"])
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *given])
    return str(urlunsplit(parts._replace(query=query)))


def _response(answer: HttpAnswer, kind: str) -> dict[str, Any]:
    """What expressions see, as in Kargo: a body that is JSON is data, any other an empty map."""

    def header(name: str) -> str:
        return next((value for key, value in answer.headers.items() if key.lower() == name.lower()), "")

    body: Any = {}
    text = answer.body.decode("utf-8", "replace")
    if kind == "text/plain":
        body = text
    elif text.strip():
        try:
            body = json.loads(text)
        except ValueError as error:
            if kind or header("Content-Type").startswith("application/json"):
                raise UserError(f"the answer is said to be JSON, and is not: {error}") from error
    headers = {name: [value] for name, value in answer.headers.items()}
    return {
        "status": answer.status,
        "headers": headers,
        "header": Function("header", header, ("string",), "string"),
        "body": body,
    }


def _holds(config: Mapping[str, Any], name: str, env: Mapping[str, Any]) -> bool | None:
    """What a criterion says; None when there is none."""
    if name not in config:
        return None
    result = _value(config[name], env)
    if not isinstance(result, bool):
        raise UserError(f"`{name}` gives {result!r}, which is neither true nor false")
    return result


def _value(code: str, env: Mapping[str, Any]) -> Any:
    try:
        return evaluate(code, env)
    except ExpressionError as error:
        raise UserError(f"evaluating `{code}`: {error}") from error
