"""What is kept in a stage's lock is set before the lock is written, and `towpath check` says so."""

import pytest

from bot.core.config import PlugIns, load
from bot.steps import BY_NAME
from tests.core.configurations import PLUGINS

STEPS = PlugIns({name: step.SCHEMA for name, step in BY_NAME.items()}, PLUGINS.subscriptions, PLUGINS.providers)
SET = "{uses: set-metadata, config: {updates: [{kind: Stage, name: uat, values: {a: 1}}]}}"
CALL = "{uses: set-freight-alias, config: {name: '${{ ctx.targetFreight.name }}', alias: v1}}"
COMMIT = "{uses: git-commit, config: {path: src}}"
PUSH = "{uses: git-push, config: {path: src}}"
OPEN = "{uses: git-open-pr}"
TASK = "{task: {name: all}}"


def problems(*steps: str, task: str = COMMIT, short: bool = False) -> list[tuple[int, str]]:
    lines = "".join(f"    - {step}\n" for step in steps)
    render = "    render: {helm: {chart: chart}}\n" if short else ""
    text = (
        "warehouses: {service: {image: {repoURL: ghcr.io/acme/service}}}\n"
        f"stages:\n  uat:\n    from: service\n{render}    steps:\n{lines}"
        f"tasks: {{all: {{steps: [{task}]}}}}\n"
    )
    return [(one.line, one.code) for one in load({".promotion.yaml": text}, STEPS).problems]


@pytest.mark.parametrize(
    ("steps", "wrong"),
    [
        ([SET, CALL, COMMIT, PUSH], []),
        ([COMMIT, SET, COMMIT, PUSH], []),
        ([COMMIT, SET, PUSH], [7]),
        ([CALL], []),
        ([CALL, PUSH], [6]),
        ([CALL, OPEN], [6]),
        ([CALL, COMMIT, PUSH, SET, CALL], [9, 10]),
        ([SET, TASK], []),
        ([TASK, SET, PUSH], [7]),
        ([COMMIT, PUSH, OPEN, SET, COMMIT], [9]),
    ],
)
def test_notes_need_a_commit_after_them(steps: list[str], wrong: list[int]) -> None:
    assert problems(*steps) == [(line, "too-late") for line in wrong]


def test_whether_a_commit_must_follow_in_a_repository_that_is_named_is_said_when_it_runs() -> None:
    clone = "{uses: git-clone, config: {repoURL: https://example.com/x.git, checkout: [{path: ./src}]}}"
    opens = "{uses: git-open-pr, config: {repoURL: https://example.com/x.git}}"
    assert problems(clone, COMMIT, PUSH, opens, SET) == []
    assert problems(clone, COMMIT, PUSH, OPEN, SET) == [(10, "too-late")]


def test_a_task_that_notes_something_needs_a_commit_in_the_stage() -> None:
    assert problems(TASK, COMMIT, PUSH, task=SET) == []
    assert problems(COMMIT, TASK, PUSH, task=SET) == [(7, "too-late")]


def test_after_the_short_form_the_lock_is_written_already() -> None:
    assert problems(SET, short=True) == [(7, "too-late")]
    assert problems(SET, COMMIT, short=True) == [(7, "too-late")]
