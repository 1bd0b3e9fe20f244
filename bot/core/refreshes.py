"""The generic receiver: which warehouses an unknown sender's request is about, by expressions over that request.

https://docs.kargo.io/user-guide/how-to-guides/working-with-projects#webhook-receivers
"""

from collections.abc import Mapping
from typing import Any

from bot.core.news import Refresh
from bot.core.urls import normalize_chart, normalize_git, normalize_image
from bot.expressions import ExpressionError, Function, Record, evaluate, render

_TEXT = {"type": "string"}
_TEMPLATE = {"type": "string", "format": "template"}
_SELECTOR = {
    "type": "object",
    "properties": {
        "matchIndices": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "key": {"type": "string", "enum": ["subscribedURLs", "receiverPaths"]},
                    "operator": {"type": "string", "enum": ["Equals", "Equal", "NotEquals", "NotEqual"]},
                    "value": {**_TEMPLATE, "description": "What is watched, as in ${{ normalizeGit(…) }}."},
                },
                "required": ["key", "value"],
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}
ACTION = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": ["Refresh"]},
        "whenExpression": {
            **_TEXT,
            "format": "expression",
            "description": "An expression over `request` that must be true; left out: always.",
        },
        "parameters": {"type": "object", "additionalProperties": _TEXT},
        "targetSelectionCriteria": {
            "type": "array",
            "items": {
                "type": "object",
                "description": "Warehouses that all of this is true of.",
                "properties": {
                    "kind": {"type": "string", "enum": ["Warehouse", "Promotion"]},
                    "name": {**_TEMPLATE, "description": "The warehouse's name; may hold ${{ }}."},
                    "labelSelector": {"type": "object"},
                    "indexSelector": _SELECTOR,
                },
                "additionalProperties": False,
            },
        },
    },
    "required": ["action", "targetSelectionCriteria"],
    "additionalProperties": False,
}


def refreshes(actions: Any, headers: Mapping[str, str], body: Any) -> tuple[Refresh, ...]:
    """What the actions of a receiver choose. Raises ValueError, with the action, for an expression that fails."""
    found = []
    for number, action in enumerate(actions or ()):
        env = _environment(headers, body, action.get("parameters", {}))
        try:
            when = evaluate(action.get("whenExpression", "true"), env)
            if not isinstance(when, bool):
                raise ValueError("whenExpression is neither true nor false")
            if when:
                found += [_refresh(each, env) for each in action["targetSelectionCriteria"] if _selects(each)]
        except (ExpressionError, ValueError) as error:
            raise ValueError(f"action {number}: {error}") from error
    return tuple(found)


def _environment(headers: Mapping[str, str], body: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    def header(name: str) -> str:
        return headers.get(name.lower(), "")

    def values(name: str) -> list[str]:
        return [headers[name.lower()]] if name.lower() in headers else []

    return {
        "params": dict(parameters),
        "request": Record(
            "Request",
            {
                "header": Function("header", header, ("string",), "string"),
                "headers": Function("headers", values, ("string",), "list"),
                "body": body,
                "method": "POST",
            },
        ),
        **{
            name: Function(name, call, ("string",), "string")
            for name, call in (
                ("normalizeGit", normalize_git),
                ("normalizeImage", normalize_image),
                ("normalizeChart", normalize_chart),
            )
        },
    }


def _selects(criteria: Mapping[str, Any]) -> bool:
    """Whether there can be such a thing here: warehouses have no labels, nor are they found by a receiver's path."""
    keys = {each["key"] for each in criteria.get("indexSelector", {}).get("matchIndices", ())}
    return (
        criteria.get("kind", "Warehouse") == "Warehouse"
        and not criteria.get("labelSelector")
        and keys <= {"subscribedURLs"}
    )


def _refresh(criteria: Mapping[str, Any], env: Mapping[str, Any]) -> Refresh:
    equal: list[str] = []
    unequal: list[str] = []
    for each in criteria.get("indexSelector", {}).get("matchIndices", ()):
        chosen = equal if each.get("operator", "Equals").startswith("Equal") else unequal
        chosen.append(_text(each["value"], env))
    name = _text(criteria["name"], env) if criteria.get("name") else ""
    if criteria.get("name") and not name:
        raise ValueError("the name is empty")
    return Refresh(name, tuple(equal), tuple(unequal))


def _text(template: str, env: Mapping[str, Any]) -> str:
    value = render(template, env)
    if not isinstance(value, str):
        raise ValueError(f"`{template}` gives no text")
    return value
