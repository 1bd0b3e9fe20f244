"""The JSON Schema for editors says what `load` says, as far as a schema can."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from bot import metrics, steps, subscriptions
from bot.core.config import Fit, PlugIns, load, shape_schema
from bot.core.configuration.formats import EXPRESSIONS
from bot.core.configuration.problems import Problems
from bot.core.configuration.reading import read
from bot.server import receivers

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.yaml"))
PLUGINS = PlugIns(
    steps={name: each.SCHEMA for name, each in steps.BY_NAME.items()},
    subscriptions={name: each.SCHEMA for name, each in subscriptions.BY_NAME.items()},
    providers={name: each.SCHEMA for name, each in metrics.BY_NAME.items()},
    senders={name: each.SCHEMA for name, each in receivers.BY_NAME.items()},
)


def documents(text: str) -> list[Any]:
    return [document.data for document in read({"x": text}, Problems())]


def test_the_schema_in_config_is_the_one_of_this_version() -> None:
    written = json.loads((ROOT / "config" / "promotion.schema.json").read_text())

    assert written == shape_schema(PLUGINS), "write it anew with `towpath schema > config/promotion.schema.json`"


def test_the_schema_is_one() -> None:
    assert jsonschema_rs.meta.is_valid(shape_schema(PLUGINS))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_loads_without_problems_and_fits_the_schema(path: Path) -> None:
    text = path.read_text()
    validator = jsonschema_rs.validator_for(shape_schema(PLUGINS))

    assert load({".promotion.yaml": text}, PLUGINS).problems == ()
    for document in documents(text):
        assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    "text",
    [
        "stages: {uat: {frm: service}}",
        "stages: {uat: {from: service, soak: 1d}}",
        "stages: {uat: {from: service, merge: never}}",
        "stages: {uat: {from: service, steps: [{uses: git-psh}]}}",
        "stages: {uat: {from: service, steps: [{uses: git-clear, config: {pth: x}}]}}",
        "warehouses: {w: {image: {repoURL: x/y, discoveryLimit: 1000}}}",
        "receivers: {hub: {dokerhub: secret}}",
        "webhookReceivers: [{name: hub, dockerhub: {secretRef: {}}}]",
        "verifications: {v: {metrics: [{name: m, provider: {wbe: {}}}, {name: m, provider: {web: {urll: x}}}]}}",
        "{apiVersion: kargo.akuity.io/v1alpha1, kind: Stage, metadata: {name: x}, spec: {}}",
    ],
)
def test_an_editor_sees_mistakes(text: str) -> None:
    assert not jsonschema_rs.is_valid(shape_schema(PLUGINS), documents(text)[0])


def test_an_editor_lets_expressions_stand_where_a_number_is_wanted() -> None:
    text = 'stages: {uat: {from: w, steps: [{uses: git-push, config: {path: ., maxAttempts: "${{ vars.n }}"}}]}}'

    assert jsonschema_rs.is_valid(shape_schema(PLUGINS), documents(text)[0])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("steps", name) for name in PLUGINS.steps),
        *(("subscriptions", name) for name in PLUGINS.subscriptions),
        *(("providers", name) for name in PLUGINS.providers),
    ],
)
def test_the_schema_of_a_plug_in_is_understood_word_for_word(kind: str, name: str) -> None:
    schema = getattr(PLUGINS, kind)[name]

    assert jsonschema_rs.meta.is_valid(schema)
    Fit(schema)  # raises on a keyword it does not know


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_steps_of_short_forms_fit_the_schemas_of_the_steps(path: Path) -> None:
    pipeline = load({".promotion.yaml": path.read_text()}, PLUGINS).pipeline

    assert pipeline is not None
    for stage in pipeline.stages.values():
        for step in stage.template.steps if stage.template else ():
            fitted, misfits = Fit(PLUGINS.steps[step.uses])(step.config, EXPRESSIONS)
            assert (fitted, misfits) == (step.config, [])
