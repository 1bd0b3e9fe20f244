"""What every step promises."""

import inspect
from pathlib import Path

import jsonschema_rs
import pytest

from bot.core.configuration.fitting import Fit
from bot.steps import BY_NAME, STEPS


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.NAME)
def test_a_step_is_a_module_called_like_it_that_says_what_it_does_and_takes(step):
    assert Path(inspect.getfile(step)).stem.replace("_", "-") == step.NAME
    assert step.HELP.strip() == step.HELP
    assert "\n" not in step.HELP
    assert step.HELP.endswith((".", ")."))
    assert len(step.HELP) <= 100
    assert list(inspect.signature(step.run).parameters)[1:] == ["config"]
    assert inspect.iscoroutinefunction(step.run)
    assert step.__doc__.startswith(f"{step.NAME}: ")

    jsonschema_rs.meta.validate(dict(step.SCHEMA))
    validator = jsonschema_rs.Draft202012Validator(dict(step.SCHEMA))
    assert step.SCHEMA["type"] == "object"
    if step.NAME != "compose-output":
        assert not validator.is_valid({"noSuchField": 1, **dict.fromkeys(step.SCHEMA.get("required", ()), "x")})
    Fit(step.SCHEMA)  # the loader of `.promotion.yaml` understands it, too


def test_names_are_unique():
    assert len(BY_NAME) == len(STEPS)


def test_every_module_is_listed_or_serves_another():
    folder = Path(inspect.getfile(STEPS[0])).parent
    modules = {path.stem: path.read_text() for path in folder.glob("*.py") if path.stem != "__init__"}
    steps = {step.NAME.replace("-", "_") for step in STEPS}
    everything = "\n".join(modules.values())
    for name, text in modules.items():
        assert (name in steps) == ("\nNAME = " in text)
        assert name in steps or f"bot.steps.{name} import" in everything or f"bot.steps import {name}" in everything
