"""Which Applications a step means, and whether the stage may change them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext
from bot.errors import UserError
from bot.steps.argocd.api import ArgoCD
from bot.steps.argocd.application import Application
from bot.steps.shapes import TEXT, listed, record, told

AUTHORIZED_STAGE = "kargo.akuity.io/authorized-stage"
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_KEY = re.compile(r"(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")

NAME: Schema = told(TEXT, "The Application's name; or give a `selector`.")
NAMESPACE: Schema = told(TEXT, "Where it is; left out: with a name Argo CD's own namespace, with a selector any.")
SELECTOR: Schema = told(
    record(
        matchLabels={"type": "object", "additionalProperties": {"type": "string"}},
        matchExpressions=listed(
            record(
                "key operator",
                key=TEXT,
                operator={"enum": list(_OPERATORS)},
                values={"type": "array", "items": {"type": "string"}},
            )
        ),
    ),
    "The Applications whose labels fit: all of it must hold.",
)


async def find(argocd: ArgoCD, entry: Mapping[str, Any], step: str) -> tuple[Application, ...]:
    """The Applications an entry of `apps` means, at least one. Raises UserError."""
    name, selector, namespace = entry.get("name", ""), entry.get("selector"), entry.get("namespace", "")
    if bool(name) == (selector is not None):
        raise UserError(f"each of the `apps` of {step} wants a `name` or a `selector`, and not both")
    if name:
        return (await argocd.application(name, namespace),)
    query = selector_text(selector or {}, step)
    found = await argocd.applications(query, namespace)
    if not found:
        where = f" in {namespace}" if namespace else ""
        raise UserError(f"Argo CD has no Application{where} whose labels fit the `selector` of {step}: {query}")
    return found


def selector_text(selector: Mapping[str, Any], step: str) -> str:
    """A selector as Kubernetes writes it in a query. Raises UserError for what is none.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    texts = []
    for key, value in selector.get("matchLabels", {}).items():
        texts.append(f"{_key(key, step)}={_value(value, step)}")
    for each in selector.get("matchExpressions", ()):
        key, operator, values = _key(each["key"], step), each["operator"], each.get("values", ())
        if bool(values) != (operator in {"In", "NotIn"}):
            wants = "wants" if operator in {"In", "NotIn"} else "takes no"
            raise UserError(f"{operator} of `{key}` in the `selector` of {step} {wants} `values`")
        written = ",".join(_value(value, step) for value in values)
        texts.append(
            {"In": f"{key} in ({written})", "NotIn": f"{key} notin ({written})", "Exists": key}.get(operator, f"!{key}")
        )
    if not texts:
        raise UserError(f"the `selector` of {step} is empty; name labels in `matchLabels` or `matchExpressions`")
    return ",".join(texts)


def _key(text: str, step: str) -> str:
    if not _KEY.fullmatch(text):
        raise UserError(f"{text!r} in the `selector` of {step} is not the name of a label")
    return text


def _value(text: str, step: str) -> str:
    if not _VALUE.fullmatch(text):
        raise UserError(f"{text!r} in the `selector` of {step} can't be the value of a label")
    return text


def refusal(app: Application, context: StepContext) -> str:
    """Why the stage may not change an Application; "" when it may.

    An Application says itself which stages may. Its project here is the repository, by its full name or, as Kargo's
    projects have no owner, by the last part of it.
    https://docs.kargo.io/user-guide/how-to-guides/argo-cd-integration
    """
    stage, repository = context.promotion.stage, context.repository.name
    written = app.annotations.get(AUTHORIZED_STAGE)
    projects = {repository, repository.rpartition("/")[2]}
    if written and any(project in projects and name == stage for project, name in _entries(written)):
        return ""
    wanted = f"{repository}:{stage}"
    if not written:
        return f'{app.key} lets no stage change it; annotate it with {AUTHORIZED_STAGE}: "{wanted}"'
    globs = " (* stands for nothing but itself)" if "*" in written else ""
    return (
        f'{app.key} does not let {wanted} change it: its annotation {AUTHORIZED_STAGE} says "{written}"{globs}; '
        f'make that "{written},{wanted}"'
    )


def _entries(written: str) -> Iterator[tuple[str, str]]:
    for entry in written.split(","):
        project, _, stage = entry.partition(":")
        yield project.strip(), stage.strip()
