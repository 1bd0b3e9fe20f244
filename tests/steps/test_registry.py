"""What every step promises."""

import inspect
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
import pytest

from bot.contracts.steps import LONGEST_RUN, Prepares, default_timeout, longest_run
from bot.core.configuration.fitting import Fit
from bot.steps import BY_NAME, STEPS, fail, file_write, yaml_update

SHA = "sha256:" + "a" * 64
UPDATES = {"path": "a", "updates": [{"key": "a", "value": "b"}]}
PARSING = {"path": "a", "outputs": [{"name": "a", "fromExpression": "b"}]}
APPS: dict[str, Any] = {"apps": [{"name": "a"}]}
# The least that each step may be given.
SMALLEST: Mapping[str, Mapping[str, Any]] = {
    "argocd-update": APPS,
    "argocd-wait": APPS,
    "compose-output": {"any": [1, {"b": None}]},
    "copy": {"inPath": "a", "outPath": "b"},
    "delete": {},
    "deployment": {},
    "fail": {},
    "file-write": {"path": "a", "contents": ""},
    "flux-reconcile": {},
    "gha-dispatch-workflow": {"workflowFile": "a.yaml", "ref": "main"},
    "gha-wait-for-workflow": {},
    "git-clear": {"path": "a"},
    "git-clone": {"checkout": [{"path": "a"}]},
    "git-commit": {"path": "a"},
    "git-merge-pr": {},
    "git-open-pr": {},
    "git-push": {"path": "a"},
    "git-tag": {"path": "a", "tag": "v1", "message": "m"},
    "git-wait-for-pr": {},
    "github-push": {"path": "a"},
    "helm-template": {"path": "a", "outPath": "b", "releaseName": "c"},
    "helm-update-chart": {"path": "a"},
    "helm-update-image": {"path": "a", "images": [{"image": "a", "key": "b", "value": "Tag"}]},
    "http": {"url": "https://service.example.com"},
    "http-download": {"url": "https://service.example.com", "outPath": "a"},
    "json-parse": PARSING,
    "json-update": UPDATES,
    "kustomize-build": {"path": "a", "outPath": "b"},
    "kustomize-set-image": {"path": "a"},
    "oci-download": {"imageRef": f"r.example.com/a@{SHA}", "outPath": "a"},
    "oci-push": {"srcRef": f"r.example.com/a@{SHA}", "destRef": "r.example.com/b:1"},
    "set-freight-alias": {"name": "a", "alias": "b"},
    "set-metadata": {"updates": [{"kind": "Stage", "name": "a", "values": {"b": 1}}]},
    "tar": {"inPath": "a", "outPath": "b"},
    "toml-parse": PARSING,
    "toml-update": UPDATES,
    "untar": {"inPath": "a", "outPath": "b"},
    "wait-for-approval": {},
    "yaml-merge": {"inFiles": ["a"], "outFile": "b"},
    "yaml-parse": PARSING,
    "yaml-update": UPDATES,
}
_DURATIONS = ("timeout", "pollInterval")


def broken(step: Any) -> Iterator[str]:
    """The promises that a step does not keep."""
    yield from _broken_texts(step)
    if not inspect.iscoroutinefunction(step.run) or list(inspect.signature(step.run).parameters)[1:] != ["config"]:
        yield "run takes a context and a config, and is awaited"
    prepare = getattr(step, "prepare", None)
    if prepare is not None and not (isinstance(step, Prepares) and inspect.iscoroutinefunction(prepare)):
        yield "prepare is awaited, too"
    timeout = default_timeout(step)
    if longest_run(step) < LONGEST_RUN or (timeout is not None and timeout < timedelta(minutes=1)):
        yield "its times are no shorter than anybody's"
    yield from _broken_schema(step.SCHEMA)


def _broken_texts(step: Any) -> Iterator[str]:
    if Path(inspect.getfile(step.run)).stem.replace("_", "-") != step.NAME:
        yield "it is a module called like the step"
    if not (step.__doc__ or "").startswith(f"{step.NAME}: "):
        yield "the module says what it does"
    if " ".join(step.HELP.split()) != step.HELP or not step.HELP.endswith((".", ").")) or len(step.HELP) > 100:
        yield "HELP is one line, a sentence, of at most 100 characters"


def _broken_schema(schema: Mapping[str, Any]) -> Iterator[str]:
    try:
        jsonschema_rs.meta.validate(dict(schema))
        Fit(schema)  # the loader of `.promotion.yaml` understands it, too
    except (jsonschema_rs.ValidationError, NotImplementedError) as error:
        yield f"SCHEMA is one: {error}"
    if schema.get("type") != "object":
        yield "a config is an object"
    for path, shape in shapes_in(schema):
        if "properties" in shape and shape.get("additionalProperties") is not False:
            yield f"no unknown fields are taken at {path}"
        if set(shape.get("required", ())) - set(shape.get("properties", {})):
            yield f"what is required at {path} is a field"
        if "$ref" in shape:
            yield f"the schema stands by itself at {path}"
        if path.rpartition(".")[2] in _DURATIONS and shape.get("format") != "go-duration":
            yield f"{path} takes Go's durations"


def shapes_in(schema: Any, path: str = "config") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from shapes_in(each, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            yield from shapes_in(schema[keyword], f"{path}[]")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.NAME)
def test_a_step_keeps_its_promises(step):
    assert list(broken(step)) == []


@pytest.mark.parametrize(
    ("step", "changes", "promise"),
    [
        (fail, {"NAME": "fails"}, "called like the step"),
        (fail, {"__doc__": "Ends the promotion."}, "says what it does"),
        (fail, {"__doc__": None}, "says what it does"),
        (fail, {"HELP": "Fail\nthe promotion."}, "HELP"),
        (fail, {"HELP": "Fail the promotion"}, "HELP"),
        (fail, {"HELP": "Fail the promotion. " * 5 + "Yes."}, "HELP"),
        (fail, {"run": yaml_update.commit_message}, "run takes"),
        (fail, {"prepare": yaml_update.commit_message}, "prepare is awaited"),
        (fail, {"TIMEOUT": timedelta(seconds=1)}, "times"),
        (fail, {"DEFAULT_TIMEOUT": timedelta(seconds=1)}, "times"),
        (fail, {"SCHEMA": {"type": "nothing"}}, "SCHEMA is one"),
        (fail, {"SCHEMA": {"type": "object", "contains": {}}}, "SCHEMA is one"),
        (fail, {"SCHEMA": {"type": "string"}}, "an object"),
        (fail, {"SCHEMA": {"type": "object", "properties": {"a": {}}}}, "no unknown fields are taken at config"),
        (file_write, {"SCHEMA": {**file_write.SCHEMA, "required": ["pth"]}}, "what is required at config"),
    ],
)
def test_a_promise_that_is_broken_is_noticed(step, changes, promise):
    kept = {name: getattr(step, name) for name in ("NAME", "HELP", "SCHEMA", "run", "__doc__")}
    assert [each for each in broken(SimpleNamespace(**{**kept, **changes})) if promise in each]
    assert not list(broken(SimpleNamespace(**kept)))


@pytest.mark.parametrize(
    ("inner", "promise"),
    [
        ({"type": "object", "properties": {}}, "no unknown fields are taken at config.a[]"),
        ({"type": "object", "additionalProperties": False, "properties": {"timeout": {"type": "string"}}}, "durations"),
        ({"$ref": "#/$defs/a"}, "the schema stands by itself at config.a[]"),
    ],
)
def test_so_it_is_far_inside(inner, promise):
    lists = {"a": {"type": "array", "items": inner}}
    schema = {"type": "object", "additionalProperties": False, "properties": lists}
    assert [each for each in _broken_schema(schema) if promise in each]


def test_names_are_unique():
    assert len(BY_NAME) == len(STEPS)


def test_every_module_is_listed_or_serves_another():
    folder = Path(inspect.getfile(STEPS[0])).parent
    modules = {path.stem: path.read_text() for path in folder.glob("*.py") if path.stem != "__init__"}
    steps = {step.NAME.replace("-", "_") for step in STEPS}
    everything = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    for name, text in modules.items():
        assert (name in steps) == ("\nNAME = " in text)
        assert name in steps or f"bot.steps.{name} import" in everything or f"bot.steps import {name}" in everything


# --- what a configuration may be ----------------------------------------------------------------------


def test_every_step_has_an_example():
    assert sorted(SMALLEST) == sorted(BY_NAME)


def misfits(uses: str, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where, and what is said of it."""
    return [(".".join(map(str, each.path)), each.message) for each in Fit(BY_NAME[uses].SCHEMA)(config)[1]]


@pytest.mark.parametrize("uses", SMALLEST)
def test_the_least_is_taken_and_nothing_less(uses):
    config = SMALLEST[uses]
    assert misfits(uses, config) == []
    assert jsonschema_rs.Draft202012Validator(dict(BY_NAME[uses].SCHEMA)).is_valid(dict(config))  # editors agree
    for name in BY_NAME[uses].SCHEMA.get("required", ()):
        lacking = {key: value for key, value in config.items() if key != name}
        assert [said.partition(";")[0] for _, said in misfits(uses, lacking)] == [f"`{name}` is missing here"]


@pytest.mark.parametrize("uses", sorted(set(SMALLEST) - {"compose-output"}))
def test_a_field_that_is_none_is_refused_by_name(uses):
    (where, said), = misfits(uses, {**SMALLEST[uses], "noSuchField": 1})  # fmt: skip
    assert (where, "noSuchField" in said) == ("noSuchField", True)


@pytest.mark.parametrize(
    ("uses", "name"), [(step.NAME, name) for step in STEPS for name in step.SCHEMA.get("properties", {})]
)
def test_a_value_of_another_kind_is_refused_where_it_is(uses, name):
    """No field takes a list of lists."""
    found = misfits(uses, {**SMALLEST[uses], name: [[]]})
    assert found
    assert all(where.split(".")[0] == name for where, _ in found)


@pytest.mark.parametrize(
    ("uses", "name"),
    [(step.NAME, name) for step in STEPS for name in step.SCHEMA.get("properties", {}) if name in _DURATIONS],
)
def test_durations_are_those_of_go(uses, name):
    for taken in ("30s", "1h30m", "1.5h", "250ms", "10us", "10µs", "5ns", ".5s"):
        assert misfits(uses, {**SMALLEST[uses], name: taken}) == []
    for refused, why in (("30", "add a unit"), ("1d", "write 24h"), ("soon", "30s"), ("-5s", "negative"), (30, "30")):
        (where, said), = misfits(uses, {**SMALLEST[uses], name: refused})  # fmt: skip
        assert (where, why in said) == (name, True), said
