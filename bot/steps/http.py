"""http: ask a service, and go on when it says so.

What was answered is recorded before anything else happens, unless asking again changes nothing. Only where Towpath is
ended between the two is a request sent once more; where that would do harm, the service has to know it again, by a
header whose value is the same the second time:
https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.contracts.metrics import HttpAnswer, Unreachable
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.expressions import ExpressionError, Function, Program, compile
from bot.steps.asking import LONGEST_ANSWER, ask_again_at, seconds_to_wait
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
    headers=told(
        listed(PAIR),
        "A request may be sent twice if Towpath is ended while it waits for the answer. If that would do harm, add "
        "Idempotency-Key: ${{ ctx.stage }}-${{ ctx.targetFreight.name }}, or what else the service knows it again by.",
    ),
    queryParams=listed(PAIR),
    body={"type": "string"},
    bodyFromFile=told(TEXT, "A file whose content is the body, instead of `body`."),
    proxy=told(TEXT, "Refused: requests go where the settings of Towpath allow, and a proxy would hide where that is."),
    timeout=told(DURATION, "For one request, like 30s or 5m: 10s unless given, 30m at most."),
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
TIMEOUT = LONGEST_ANSWER + timedelta(minutes=1)
_CRITERIA = ("successExpression", "failureExpression", "errorExpression")
_YAML = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})
_LONGEST = 500  # of a service's own words


class _Unfit(Exception):
    """An answer that the expressions can't be evaluated over; another one may be as they expect it."""


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: as named in `outputs`. Without criteria, 2xx is success and everything else a fault that may go away.

    Errored, too, for an answer that is not what the expressions expect. Raises UserError for an expression that is
    none, before anything is sent.
    """
    criteria = {name: _compiled(config[name]) for name in _CRITERIA if config.get(name)}
    outputs = {each["name"]: _compiled(each["fromExpression"]) for each in config.get("outputs", ())}
    try:
        answer = await context.http.request(
            config.get("method", "GET"),
            with_parameters(config),
            headers=[(each["name"], each["value"]) for each in config.get("headers", ())],
            body=await asyncio.to_thread(_body, context, config),
            timeout_seconds=seconds_to_wait(config, "10s"),
            insecure=config.get("insecureSkipTLSVerify", False),
        )
    except Unreachable as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    said = f"{urlsplit(config['url']).hostname} answered {answer.status}"
    try:
        env = {"response": _response(answer, config.get("responseContentType", ""))}
        success, failure = (_holds(criteria, name, env) for name in ("successExpression", "failureExpression"))
        if failure:
            because = _told(context, criteria, env) or "`failureExpression` holds"
            return StepResult(StepStatus.FAILED, message=f"{said}: {because}")
        if success is None and failure is None:
            success = 200 <= answer.status < 300
            if not success:
                return StepResult(StepStatus.ERRORED, message=said)
        if not success:
            later = ask_again_at(context, config, "30s")
            return StepResult(StepStatus.RUNNING, message=f"{said}; asking again", retry_at=later)
        output = {name: _value(program, env) for name, program in outputs.items()}
    except _Unfit as error:
        return StepResult(StepStatus.ERRORED, message=f"{said}; {error}")
    return StepResult(StepStatus.SUCCEEDED, output, once=config.get("method", "GET") not in _HARMLESS)


def _compiled(code: str) -> Program:
    """Raises UserError for what is no expression."""
    try:
        return compile(code)
    except ExpressionError as error:
        raise UserError(f"evaluating `{code}`: {error}") from error


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


def _told(context: StepContext, criteria: Mapping[str, Program], env: Mapping[str, Any]) -> str:
    """What `errorExpression` takes out of the answer; "" where it finds nothing, for answers are not always alike."""
    if "errorExpression" not in criteria:
        return ""
    try:
        said = criteria["errorExpression"].run(env)
    except ExpressionError:
        return ""
    return str(context.secrets.mask(said))[:_LONGEST] if isinstance(said, str) else ""


def _response(answer: HttpAnswer, kind: str) -> dict[str, Any]:
    """What expressions see, as in Kargo: a body is data, if it is JSON or is said to be YAML, text, or an empty map.

    Headers are called as Go calls them, however the server wrote them: https://pkg.go.dev/net/http#CanonicalHeaderKey
    """

    def header(name: str) -> str:
        return next((value for key, value in answer.headers.items() if key.lower() == name.lower()), "")

    said = kind or header("Content-Type").partition(";")[0].strip().lower()
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers.items():
        headers.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value)
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
        try:
            return load_yaml(text, "the answer")
        except UserError as error:
            raise _Unfit(str(error)) from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if kind == "application/json":
            raise _Unfit(f"the answer is said to be JSON, and is not: {error}") from error
    return {}


def _holds(criteria: Mapping[str, Program], name: str, env: Mapping[str, Any]) -> bool | None:
    """What a criterion says; None when there is none."""
    if name not in criteria:
        return None
    result = _value(criteria[name], env)
    if not isinstance(result, bool):
        shown = repr(result) if result is None or isinstance(result, int | float) else f"a {type(result).__name__}"
        raise _Unfit(f"`{name}` gives {shown}, which is neither true nor false")
    return result


def _value(program: Program, env: Mapping[str, Any]) -> Any:
    try:
        return program.run(env)
    except ExpressionError as error:
        raise _Unfit(f"evaluating `{program.code}`: {error}") from error
