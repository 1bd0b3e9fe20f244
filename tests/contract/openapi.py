"""GitHub's own OpenAPI description as a judge of recorded exchanges and webhooks.

The description is npm's `@octokit/openapi`, `generated/api.github.com.json`, where `make tools` puts it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema_rs

DESCRIPTION = Path(__file__).parents[2] / ".tools" / "github" / "api.github.com.json"
_COMPONENTS = "urn:github"
_WITH_SLASHES = ("path", "ref", "branch", "basehead", "name")  # parameters that may hold slashes
_ANY_ACTION = {"repository_dispatch": "repository-dispatch-sample.collected"}  # its action is the caller's word


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, and what is only worth knowing."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path template."""

    template: str
    description: Mapping[str, Any]
    shared_parameters: tuple[Any, ...]


class Contract:
    """The description, loaded; schemas are compiled when first used and kept."""

    def __init__(self, path: Path = DESCRIPTION) -> None:
        described = _corrected(json.loads(path.read_text(encoding="utf-8")))
        self._components = described["components"]
        self._webhooks = described["x-webhooks"]
        schemas = {"components": {"schemas": _as_json_schema(self._components["schemas"])}}
        self._registry = jsonschema_rs.Registry([(_COMPONENTS, schemas)])
        self._paths = sorted(
            ((_matcher(template), template, item) for template, item in described["paths"].items()),
            key=lambda row: (row[1].count("{"), -len(row[1])),
        )
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that serves `method` on `path`, the most particular template first."""
        for matcher, template, item in self._paths:
            if method.lower() in item and matcher.fullmatch(path):
                return Operation(template, item[method.lower()], tuple(item.get("parameters", ())))
        return None

    def exchange(
        self, method: str, path: str, query: str, request: Any, status: int, response: Any, *, is_json: bool = True
    ) -> Verdict:
        """Judge one call. What a refused call (4xx) asked for is not judged; GitHub leaves many 4xx undescribed."""
        operation = self.operation(method, path)
        if operation is None:
            said = f"no such operation: {method} {path}"
            return Verdict(notes=(said,)) if status == 404 else Verdict((said,))
        problems = self._request(operation, query, request) if status < 400 else []
        if status == 304:
            return Verdict(tuple(problems))
        described = operation.description["responses"].get(str(status))
        if described is None:
            said = f"{operation.description['operationId']}: status {status} is not described"
            return Verdict(tuple(problems), (said,)) if 400 <= status < 500 else Verdict((*problems, said))
        content = self._resolve(described).get("content", {})
        schema = content.get("application/json", next(iter(content.values()), {})).get("schema")
        if status >= 400 and schema is not None and "oneOf" in schema:
            schema = {"anyOf": schema["oneOf"]}  # the kinds of error overlap: all their fields are optional
        if schema is not None and is_json:
            problems += self._check(schema, response, "response")
        elif schema is None and response is not None and status < 400:
            problems.append("a response body where none is described")
        return Verdict(tuple(problems))

    def webhook(self, event: str, payload: Mapping[str, Any]) -> Verdict:
        """Judge one webhook's payload by the schema of its event and action."""
        action = payload.get("action")
        names = [event.replace("_", "-")]
        if action is not None:
            names.append(f"{event}-{action}".replace("_", "-"))
        names.append(_ANY_ACTION.get(event, ""))
        for name in names:
            if name in self._webhooks:
                content = self._webhooks[name]["post"]["requestBody"]["content"]
                return Verdict(tuple(self._check(content["application/json"]["schema"], payload, "payload")))
        return Verdict((f"no schema for the webhook {event} {action}",))

    def _request(self, operation: Operation, query: str, request: Any) -> list[str]:
        parameters = [
            self._resolve(row) for row in (*operation.description.get("parameters", ()), *operation.shared_parameters)
        ]
        known = {row["name"] for row in parameters if row["in"] == "query"}
        problems = [f"query parameter {name!r} is not described" for name in parse_qs(query) if name not in known]
        if "requestBody" not in operation.description:
            return problems if request is None else [*problems, "a request body where none is described"]
        body = self._resolve(operation.description["requestBody"])
        if request is None:
            return [*problems, "the request body is missing"] if body.get("required") else problems
        schema = body["content"].get("application/json", {}).get("schema")
        if schema is None:
            return problems
        problems += self._check(schema, request, "request")
        fields = self._resolve(schema).get("properties")
        if fields and isinstance(request, dict):
            problems += [f"request field {name!r} is not described" for name in request if name not in fields]
        return problems

    def _resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            parts = node["$ref"].split("/")[2:]
            node = functools.reduce(lambda found, part: found[part], parts, self._components)
        return node

    def _check(self, schema: Any, instance: Any, where: str) -> list[str]:
        key = json.dumps(_as_json_schema(schema)).replace('"#/', f'"{_COMPONENTS}#/')
        if key not in self._validators:
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                json.loads(key), registry=self._registry, validate_formats=False
            )
        return [
            f"{where}{''.join(f'/{part}' for part in error.instance_path)}: {_shortened(error.message)}"
            for error in self._validators[key].iter_errors(instance)
        ]


@functools.cache
def contract() -> Contract:
    """The one loaded description of this process."""
    return Contract()


def _corrected(described: dict[str, Any]) -> dict[str, Any]:
    """The description, mended where GitHub itself differs from it.

    `GET /app/installations` inlines an `account` that must be a user and an enterprise at once (`allOf`). The
    component `installation`, which every other operation uses, has `anyOf` there; it is used here too.
    `GET /repos/{owner}/{repo}/contents` is served, and used by every client, for the top folder; described is
    only the address with a path.

    Labels are given to an issue as an object or as a bare array, which PyGithub sends; described is only the object.
    """
    listing = described["paths"]["/app/installations"]["get"]["responses"]["200"]["content"]["application/json"]
    if "allOf" in listing["schema"]["items"].get("properties", {}).get("account", {}):
        listing["schema"]["items"] = {"$ref": "#/components/schemas/installation"}
    contents = described["paths"]["/repos/{owner}/{repo}/contents/{path}"]
    described["paths"]["/repos/{owner}/{repo}/contents"] = {"get": contents["get"]}
    for method in ("post", "put"):
        labels = described["paths"]["/repos/{owner}/{repo}/issues/{issue_number}/labels"][method]
        bodies = labels["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
        bodies.append({"type": "array", "items": {"type": "string"}})
    return described


def _shortened(message: str) -> str:
    """The judgement at the end of a message matters more than the value quoted at its start."""
    return message if len(message) < 300 else f"{message[:120]} … {message[-160:]}"


def _matcher(template: str) -> re.Pattern[str]:
    """A pattern for the paths of a template."""
    parts = re.split(r"\{([^}]*)\}", template)
    return re.compile(
        "".join(
            re.escape(part) if index % 2 == 0 else "(.*)" if part in _WITH_SLASHES else "([^/]+)"
            for index, part in enumerate(parts)
        )
    )


def _as_json_schema(node: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema: `nullable` becomes an alternative."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    literal = ("example", "examples", "enum", "default")
    node = {key: value if key in literal else _as_json_schema(value) for key, value in node.items()}
    if node.pop("nullable", None) is not True:
        return node
    if "enum" in node:
        node["enum"] = list(dict.fromkeys([*node["enum"], None]))
    if isinstance(node.get("type"), str):
        return node | {"type": [node["type"], "null"]}
    return node if "type" in node else {"anyOf": [node, {"type": "null"}]}
