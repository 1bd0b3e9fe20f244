"""Where a template's steps bring things: home, elsewhere, or nowhere."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.destinations import WAITS, lands_here, openers, waiting
from bot.core.model import StepSpec, Variable
from bot.expressions import ExpressionError, render

HOME = "https://github.com/acme/shop.git"
APPS = "https://gitlab.example.com/acme/apps.git"


def evaluate(step: StepSpec, value: Any) -> Any:
    env = {"vars": {"home": "https://github.com/Acme/shop", "apps": APPS, **{one.name: one.value for one in step.vars}}}
    rendered = render(value, env)
    if rendered == "unknown":
        raise ExpressionError("not put out yet", 0)
    return rendered


def clone(url: str | None = None, *paths: str) -> StepSpec:
    config: dict[str, Any] = {"checkout": [{"path": path} for path in paths or ("./src",)]}
    return StepSpec("git-clone", f"clone-{url}", {**config, "repoURL": url} if url else config)


def push(path: str = "./src", **more: Any) -> StepSpec:
    return StepSpec("git-push", f"push-{path}", {"path": path, **more})


def opens(url: str | None = None, alias: str = "open") -> StepSpec:
    return StepSpec("git-open-pr", alias, {"repoURL": url} if url else {})


HTTP = StepSpec("http", "call", {"url": "https://example.com"})


@pytest.mark.parametrize(
    ("steps", "here"),
    [
        ([], False),
        ([HTTP], False),
        ([clone(), push()], True),
        ([clone(HOME), push()], True),
        ([clone("git@github.com:acme/shop.git"), push()], True),
        ([clone("git@gitlab.example.com:acme/shop.git"), push()], False),
        ([clone("${{ vars.home }}"), push()], True),
        ([clone(APPS), push()], False),
        ([clone("${{ vars.apps }}"), push()], False),
        ([clone("unknown"), push()], True),
        ([clone(APPS), push(), opens(APPS)], False),
        ([clone(APPS), push(), opens()], True),
        ([opens("unknown")], True),
        ([clone(), HTTP], False),  # only read
        ([clone(), clone(APPS, "./apps"), push("./apps")], False),
        ([clone(), clone(APPS, "./apps"), push("apps/services")], False),
        ([clone(APPS, "./apps"), clone(), push("./src")], True),
        ([clone(APPS, "./apps"), clone(HOME, "./apps/shop"), push("./apps/shop/x")], True),
        ([clone(APPS, "./apps"), clone(HOME, "./shop"), push("./elsewhere")], False),  # the first one's
        ([clone(APPS, "./apps"), clone(HOME, "./shop"), push("unknown")], True),
        ([clone(APPS, "./apps"), push("unknown")], False),
        ([push()], True),
        ([clone(), push(tag="v1")], False),  # a tag is no place for a lock
    ],
)
def test_what_lands_at_home(steps: list[StepSpec], here: bool) -> None:
    assert lands_here(steps, HOME, evaluate) is here


def test_openers_are_those_at_home() -> None:
    steps = [opens(APPS, "there"), opens(HOME, "home"), opens(None, "left-out")]
    assert openers(steps, HOME, evaluate) == {"home", "left-out"}


def test_one_with_auto_merge_is_merged_before_anybody_waits_for_it() -> None:
    auto = StepSpec("git-open-pr", "open", {"repoURL": "${{ vars.there }}", "autoMerge": True, "mergeMethod": "squash"})
    auto = replace(auto, vars=(Variable("there", APPS),))
    merging = StepSpec(
        "git-merge-pr", "open-merged", {"repoURL": "${{ vars.there }}", "mergeMethod": "squash"}, vars=auto.vars
    )
    assert waiting([auto, HTTP], HOME, evaluate) == (auto, HTTP, merging)
    assert waiting([auto, HTTP, WAIT], HOME, evaluate) == (auto, HTTP, merging, WAIT)
    assert waiting([auto, merging], HOME, evaluate) == (auto, merging)
    assert waiting([replace(auto, config={**auto.config, "autoMerge": "unknown"}), WAIT], HOME, evaluate)[1:] == (WAIT,)


WAIT = StepSpec(WAITS, "wait")


@pytest.mark.parametrize(
    ("steps", "added"),
    [
        ([clone(APPS), push(), opens(APPS)], ["open-merged"]),
        ([clone(APPS), push(), opens(APPS), HTTP], ["open-merged"]),
        ([opens(APPS), WAIT], []),
        ([opens(APPS), StepSpec("git-merge-pr", "merge")], []),
        ([WAIT, opens(APPS)], ["open-merged"]),
        ([opens(HOME)], []),
        ([opens(APPS, "one"), opens(APPS, "two")], ["one-merged", "two-merged"]),
    ],
)
def test_what_is_proposed_elsewhere_is_waited_for(steps: list[StepSpec], added: list[str]) -> None:
    given = waiting(steps, HOME, evaluate)
    assert given[: len(steps)] == tuple(steps)
    assert [one.alias for one in given[len(steps) :]] == added
    assert waiting(given, HOME, evaluate) == given
