"""Plug-ins' schemas and texts that the tests of the configuration share."""

from bot.core.config import Loaded, PlugIns, Schema, load
from bot.core.model import Pipeline, Stage, StageName, StepSpec

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def _record(required: str = "", **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": required.split(), "additionalProperties": False}


PLUGINS = PlugIns(
    steps={
        "git-clone": {"type": "object"},
        "git-clear": _record("path", path=_TEXT),
        "yaml-update": _record(
            "path updates",
            path=_TEXT,
            updates={"type": "array", "items": _record("key value", key=_TEXT, value={})},
        ),
        "helm-update-image": {"type": "object"},
        "helm-template": {"type": "object"},
        "kustomize-set-image": {"type": "object"},
        "kustomize-build": {"type": "object"},
        "git-commit": _record("path", path=_TEXT, message=_TEXT, messageFromSteps=_TEXTS),
        "git-push": _record(
            "path",
            path=_TEXT,
            targetBranch=_TEXT,
            generateTargetBranch={"type": "boolean"},
            maxAttempts={"type": "integer", "minimum": 1},
        ),
        "git-open-pr": {"type": "object"},
        "git-wait-for-pr": {"type": "object"},
        "argocd-update": {"type": "object"},
    },
    subscriptions={
        "image": _record(
            "repoURL",
            repoURL=_TEXT,
            constraint=_TEXT,
            imageSelectionStrategy={"enum": ["SemVer", "Lexical", "Digest", "NewestBuild"]},
            discoveryLimit={"type": "integer", "minimum": 1, "maximum": 100},
            allowTagsRegexes=_TEXTS,
            ignoreTagsRegexes=_TEXTS,
        ),
        "git": _record(
            "repoURL",
            repoURL=_TEXT,
            branch=_TEXT,
            commitSelectionStrategy=_TEXT,
            strictSemvers={"type": "boolean"},
            semverConstraint=_TEXT,
            expressionFilter=_TEXT,
            includePaths=_TEXTS,
        ),
        "chart": _record("repoURL", repoURL=_TEXT, name=_TEXT, semverConstraint=_TEXT),
    },
    providers={
        "web": _record("url", url=_TEXT, jsonPath=_TEXT, timeoutSeconds={"type": "integer"}, method=_TEXT),
    },
    senders={name: _record("secretRef", secretRef=_record("name", name=_TEXT)) for name in ("github", "dockerhub")},
)

WATCH = "warehouses: {service: {image: ghcr.io/acme/service}}\n"

FILE = ".promotion.yaml"

EXAMPLE = """\
warehouses:
  service:
    image: {repoURL: ghcr.io/acme/service, constraint: ^1.0.0}
stages:
  test:
    from: service
    auto: true
    merge: auto
    render: {helm: {chart: chart, values: [values-test.yaml]}}
    verify: [smoke]
  uat: {from: test, render: {helm: {chart: chart, values: [values-uat.yaml]}}, verify: [smoke]}
  prod:
    from: uat
    soak: 1h
    allow: {promote: ["@acme/sre"]}
    render: {helm: {chart: chart, values: [values-prod.yaml]}}
verifications:
  smoke:
    metrics:
    - name: greeting
      provider: {web: {url: "https://service.{{args.stage}}.example.com", jsonPath: "{$.message}"}}
      successCondition: result == "Hello Audience!"
"""


def loading(text: str | bytes, **others: str) -> Loaded:
    """A configuration of one file; `others` are files below .promotion/, by name without ending."""
    return load({FILE: text} | {f".promotion/{name}.yaml": other for name, other in others.items()}, PLUGINS)


def pipeline(text: str) -> Pipeline:
    """The pipeline of a text without mistakes."""
    loaded = loading(text)
    assert loaded.pipeline is not None, loaded.problems
    return loaded.pipeline


def stage(text: str, name: str = "uat") -> Stage:
    return pipeline(text).stages[StageName(name)]


def steps(text: str, name: str = "uat") -> tuple[StepSpec, ...]:
    template = stage(text, name).template
    assert template is not None
    return template.steps
