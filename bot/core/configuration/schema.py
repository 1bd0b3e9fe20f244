"""The JSON Schema for editors, made of the same shapes that files are checked with."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.configuration import native_shapes, shapes
from bot.core.configuration.loading import PlugIns
from bot.core.configuration.misfits import Schema
from bot.core.configuration.receivers import short

_DURATION = r"^(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*)$"
_WITH_EXPRESSION = {"type": "string", "pattern": r"\$\{[{%]"}
_WITH_ARGUMENT = {"type": "string", "pattern": r"\{\{"}

# Shapes that come up in many places, told from others by identity.
_SHARED: Sequence[tuple[str, Schema]] = (
    ("step", shapes.STEP),
    ("taskStep", shapes.TASK_STEP),
    ("metric", shapes.METRIC),
    ("vars", shapes.VARS),
    ("args", shapes.ARGUMENTS),
    ("stageSelector", shapes.SELECTOR),
    ("promotionPolicy", shapes.PROMOTION_POLICY),
    ("promotionWindow", shapes.PROMOTION_WINDOW),
)


def shape_schema(plugins: PlugIns) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of one document of `.promotion.yaml`, in either spelling."""
    editor = _Editor()
    definitions: dict[str, Any] = {}
    for name, shape in _SHARED:
        definitions[name] = editor.open(shape)
    for name in ("step", "taskStep"):
        definitions[name] = _with_configs(definitions[name], plugins)
    definitions["metric"]["properties"]["provider"] = {
        "description": "How to measure: exactly one provider.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {name: {"$ref": f"#/$defs/provider-{name}"} for name in plugins.providers},
    }
    for name, schema in plugins.steps.items():
        definitions[f"config-{name}"] = _or_filled_in(schema, _WITH_EXPRESSION, outermost=True)
    for name, schema in plugins.providers.items():
        definitions[f"provider-{name}"] = _or_filled_in(schema, _WITH_ARGUMENT, outermost=True)
    for name, schema in plugins.subscriptions.items():
        definitions[f"watch-{name}"] = editor.plain(schema)
    kinds = {name: {"$ref": f"#/$defs/watch-{name}"} for name in plugins.subscriptions}
    for name, schema in plugins.senders.items():
        definitions[f"sender-{name}"] = editor.plain(schema)
    senders = {name: {"$ref": f"#/$defs/sender-{name}"} for name in plugins.senders}
    definitions["webhookReceivers"] = editor.plain(shapes.listed(shapes.receiver(senders)))
    definitions["pipeline"] = _pipeline(editor, kinds, senders)
    manifests = {
        "Warehouse": shapes.warehouse(kinds),
        "Stage": shapes.STAGE,
        "PromotionTask": shapes.TASK,
        "ClusterPromotionTask": shapes.TASK,
        "AnalysisTemplate": shapes.ANALYSIS,
        "ClusterAnalysisTemplate": shapes.ANALYSIS,
        "ProjectConfig": _with_receivers(shapes.PROJECT),
    }
    definitions |= {f"manifest-{kind}": editor.plain(shapes.manifest(spec)) for kind, spec in manifests.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".promotion.yaml",
        "description": "A Towpath pipeline, or manifests of Kargo and Argo Rollouts.",
        "type": "object",
        "if": {"required": ["kind"]},
        "then": {
            "allOf": [
                {"if": {"properties": {"kind": {"const": kind}}}, "then": {"$ref": f"#/$defs/manifest-{kind}"}}
                for kind in manifests
            ]
        },
        "else": {"$ref": "#/$defs/pipeline"},
        "$defs": definitions,
    }


class _Editor:
    """Rewrites shapes into what any validator of JSON Schema understands."""

    def __init__(self) -> None:
        self._shared = {id(shape): name for name, shape in _SHARED}

    def plain(self, shape: Any) -> Any:
        """The shape, those that are shared by reference."""
        name = self._shared.get(id(shape))
        return {"$ref": f"#/$defs/{name}"} if name else self.open(shape)

    def open(self, shape: Any) -> Any:
        """The shape itself, what is inside by `plain`."""
        if isinstance(shape, Mapping):
            rewritten = {key: self.plain(value) for key, value in shape.items() if key != "format"}
            if shape.get("format") == "go-duration":
                rewritten["pattern"] = _DURATION
            return rewritten
        if isinstance(shape, list | tuple):
            return [self.plain(each) for each in shape]
        return shape


def _with_receivers(shape: Schema) -> Schema:
    receivers = {"$ref": "#/$defs/webhookReceivers"}
    return {**shape, "properties": {**shape["properties"], "webhookReceivers": receivers}}


def _pipeline(editor: _Editor, kinds: Mapping[str, Schema], senders: Mapping[str, Schema]) -> dict[str, Any]:
    document: dict[str, Any] = editor.open(_with_receivers(native_shapes.DOCUMENT))
    for section, shape in (
        ("warehouses", native_shapes.warehouse(kinds)),
        ("stages", native_shapes.STAGE),
        ("tasks", shapes.TASK),
        ("verifications", shapes.ANALYSIS),
        ("receivers", short(senders)),
    ):
        names = editor.plain(shapes.NAME)
        document["properties"][section] = {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": editor.plain(shape),
        }
    return document


def _with_configs(step: dict[str, Any], plugins: PlugIns) -> dict[str, Any]:
    """A step whose `config` depends on what it uses."""
    uses = {**step["properties"]["uses"], "enum": list(plugins.steps)}
    configs = [
        {
            "if": {"properties": {"uses": {"const": name}}, "required": ["uses"]},
            "then": {"properties": {"config": {"$ref": f"#/$defs/config-{name}"}}},
        }
        for name in plugins.steps
    ]
    return {**step, "properties": {**step["properties"], "uses": uses}, "allOf": configs}


def _or_filled_in(schema: Any, placeholder: Schema, *, outermost: bool = False) -> Any:
    """A plug-in's schema in which every value may also be a text that is filled in later."""
    if not isinstance(schema, Mapping):
        return schema
    rewritten: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties", "$defs"}:
            rewritten[key] = {name: _or_filled_in(each, placeholder) for name, each in value.items()}
        elif key in {"items", "additionalProperties"}:
            rewritten[key] = _or_filled_in(value, placeholder)
        elif key != "format":
            rewritten[key] = value
    if outermost or not rewritten.keys() & {"type", "enum", "const", "pattern", "anyOf", "oneOf"}:
        return rewritten
    if rewritten.get("type") == "string" and not rewritten.keys() & {"enum", "const", "pattern"}:
        return rewritten
    said = {key: rewritten.pop(key) for key in ("description", "deprecated") if key in rewritten}
    return {**said, "anyOf": [rewritten, placeholder]}
