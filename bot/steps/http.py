"""http: ask a service, and go on when it says so."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.contracts.metrics import HttpAnswer, Unreachable
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.durations import parse_duration
from bot.errors import UserError
from bot.expressions import ExpressionError, Function, compile, evaluate
from bot.steps.editing.texts import read_bytes
from bot.steps.editing.yaml_reading import load_yaml
from bot.steps.rendering.addresses import with_parameters
from bot.steps.shapes import DURATION, FLAG, MAYBE, PAIR, TEXT, listed, record, told

NAME = "http"
HELP = "Send a request, and wait until the answer is what you want."
SCHEMA: Schema = record(
    "url",
    url=told(TEXT, "Of http or https."),
    method=told({"enum": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]}, "GET unless given."),
    headers=listed(PAIR),
    queryParams=listed(PAIR),
    body={"type": "string"},
    bodyFromFile=told(TEXT, "A file whose content is the body, instead of `body`."),
    proxy=told(TEXT, "Refused: requests go where the settings of Towpath allow, and a proxy would hide where that is."),
    timeout=told(DURATION, "For one request, like 30s or 5m: 10s unless given."),
    pollInterval=told(DURATION, "Between two requests, like 30s or 5m: 30s unless given."),
    responseContentType=told(
        {"enum": ["application/json", "application/yaml", "text/plain"]}, "How to read the body, whatever it says."
    ),
    successExpression=told(MAYBE, "Over `response`; true ends the step well."),
    failureExpression=told(MAYBE, "Over `response`; true fails the promotion."),
    errorExpression=told(MAYBE, "Over `response`; a text that tells why `failureExpression` holds."),
    outputs=listed(record("name fromExpression", name=TEXT, fromExpression=TEXT)),
    insecureSkipTLSVerify=FLAG,
)
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})  # asking again changes nothing; any other is not sent twice
_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
_LONGEST = 500  # of a service's own words


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`. Without criteria, 2xx is success and everything else a fault that may go away."""
    try:
        answer = await context.http.request(
            config.get("method", "GET"),
            with_parameters(config),
            headers=[(each["name"], each["value"]) for each in config.get("headers", ())],
            body=await asyncio.to_thread(_body, context, config),
            timeout_seconds=parse_duration(config.get("timeout", "10s")).total_seconds(),
            insecure=config.get("insecureSkipTLSVerify", False),
        )
    except Unreachable as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    env = {"response": _response(answer, config.get("responseContentType", ""))}
    failure, success = (_holds(config, name, env) for name in ("failureExpression", "successExpression"))
    host = urlsplit(config["url"]).hostname
    if failure:
        because = _told(config, env) or "`failureExpression` holds"
        return StepResult(StepStatus.FAILED, message=f"{host} answered {answer.status}: {because}")
    if success is None and failure is None:
        success = 200 <= answer.status < 300
        if not success:
            return StepResult(StepStatus.ERRORED, message=f"{host} answered {answer.status}")
    if not success:
        later = context.clock.now() + parse_duration(config.get("pollInterval", "30s"))
        return StepResult(StepStatus.RUNNING, message=f"{host} answered {answer.status}; asking again", retry_at=later)
    outputs = {each["name"]: _value(each["fromExpression"], env) for each in config.get("outputs", ())}
    return StepResult(StepStatus.SUCCEEDED, outputs, once=config.get("method", "GET") not in _HARMLESS)


def _body(context: StepContext, config: Mapping[str, Any]) -> bytes | None:
    if "proxy" in config:
        raise UserError(
            "`proxy` can't be used: requests go only where the settings of Towpath allow, and what is behind a proxy "
            "can't be held to that; remove it, and have the address allowed"
        )
    if not config.get("bodyFromFile"):
        return config["body"].encode() if config.get("body") else None
    if config.get("body"):
        raise UserError("http is given both `body` and `bodyFromFile`; remove one")
    return read_bytes(context.workdir, config["bodyFromFile"])


def _told(config: Mapping[str, Any], env: Mapping[str, Any]) -> str:
    """What `errorExpression` takes out of the answer; "" where it finds nothing, for answers are not always alike."""
    code = config.get("errorExpression")
    if not code:
        return ""
    try:
        program = compile(code)
    except ExpressionError as error:
        raise UserError(f"evaluating `{code}`: {error}") from error
    try:
        said = program.run(env)
    except ExpressionError:
        return ""
    return said[:_LONGEST] if isinstance(said, str) else ""


def _response(answer: HttpAnswer, kind: str) -> dict[str, Any]:
    """What expressions see, as in Kargo: a body is data, if it is JSON or is said to be YAML, text, or an empty map."""

    def header(name: str) -> str:
        return next((value for key, value in answer.headers.items() if key.lower() == name.lower()), "")

    said = kind or header("Content-Type").partition(";")[0].strip().lower()
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers.items():
        headers.setdefault(name, []).append(value)
    return {
        "status": answer.status,
        "headers": headers,
        "header": Function("header", header, ("string",), "string"),
        "body": _data(answer.body.decode("utf-8", "replace"), said),
    }


def _data(text: str, kind: str) -> Any:
    if not text.strip():
        return {}
    if kind == "text/plain":
        return text
    if kind in _YAML:
        return load_yaml(text, "the answer")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if kind == "application/json":
            raise UserError(f"the answer is said to be JSON, and is not: {error}") from error
    return {}


def _holds(config: Mapping[str, Any], name: str, env: Mapping[str, Any]) -> bool | None:
    """What a criterion says; None when there is none."""
    if not config.get(name):
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
