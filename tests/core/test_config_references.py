"""What expressions refer to, as far as it can be read off them."""

import pytest

from bot.core.configuration.references import Kind, Reference, references
from tests.core.configurations import WATCH, loading
from tests.core.mistakes import step

VARS, OUTPUTS, TASK = Kind.VARIABLE, Kind.OUTPUT, Kind.TASK_OUTPUT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", []),
        ("${{ vars.a }}-${% vars['b-c'] %}", [Reference(VARS, "a"), Reference(VARS, "b-c")]),
        ("${{ outputs['open-pr'].pr.id }}", [Reference(OUTPUTS, "open-pr")]),
        ("${{ task.outputs.x.y }}", [Reference(TASK, "x")]),
        ("${{ vars[ctx.stage] }}", []),
        ("${{ keys(vars) }}", []),
        ("${{ vars.a ?? vars.b }}", [Reference(VARS, "a", True), Reference(VARS, "b")]),
        ("${{ outputs.a?.b.c }}", [Reference(OUTPUTS, "a", True)]),
        ("${{ outputs.a.b ?? 1 }}", [Reference(OUTPUTS, "a")]),  # nil has no members, whatever comes after
        ("${{ vars.a == 'x' }}", [Reference(VARS, "a", True)]),
        ("${{ let vars = {a: 1}; vars.a }}", []),
        ("${{ let vars = vars.b; vars.a }}", [Reference(VARS, "b")]),
        ("${{ imageFrom(vars.a).Tag }}", [Reference(Kind.FUNCTION, "imageFrom"), Reference(VARS, "a")]),
        ("${{ map([1], f(#)) | len() }}", [Reference(Kind.FUNCTION, "f")]),
        ("${{ upper('a') + semverParse('1.0.0').String() }}", [Reference(Kind.FUNCTION, "semverParse")]),
        ("${{ broken", []),
    ],
)
def test_names_are_found_where_they_are_written_out(text: str, found: list[Reference]) -> None:
    assert sorted(references(text), key=str) == sorted(found, key=str)


@pytest.mark.parametrize(
    "steps",
    [
        "uses: git-clear, config: {path: \"${{ vars.tag ?? 'none' }}\"}",
        "uses: git-clear, if: \"${{ vars.openpr != 'true' }}\", config: {path: x}",
        'uses: git-clear, config: {path: "${{ outputs.a?.b }}"}',
        'uses: git-clear, as: a, config: {path: x}}, {uses: git-commit, config: {path: "${{ outputs.a.b }}"}',
        "uses: git-clear, config: {path: x}}, {uses: git-commit, config: {path: \"${{ outputs['step-1'].b }}\"}",
        'uses: git-clear, vars: {own: x}, config: {path: "${{ vars.own }}"}',
    ],
)
def test_what_is_there_or_may_be_missing_is_no_problem(steps: str) -> None:
    assert loading(step(steps)).problems == ()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("imageFrm('a')", "there is no function `imageFrm`; did you mean `imageFrom`?"),
        ("foo(1)", "there is no function `foo` in expressions of steps"),
        ("[1] | map(# + foo(2))", "there is no function `foo` in expressions of steps"),
    ],
)
def test_a_function_that_is_not_there_is_found_before_it_is_called(call: str, said: str) -> None:
    (problem,) = loading(step(f'uses: git-clear, config: {{path: "${{{{ {call} }}}}"}}')).problems
    assert (problem.code, problem.message) == ("unknown-function", said)


@pytest.mark.parametrize(
    "call",
    [
        "imageFrom('ghcr.io/acme/service').Tag",
        "secret('a').b",
        "freightMetadata('a').b",
        "status('a')",
        "quote(asYAML({a: 1}))",
    ],
)
def test_functions_that_are_there_are_no_problem(call: str) -> None:
    assert loading(step(f'uses: git-clear, config: {{path: "${{{{ {call} }}}}"}}')).problems == ()


def test_outputs_of_tasks_and_of_render_are_known() -> None:
    text = (
        WATCH
        + """\
tasks:
  t:
    vars: [{name: given}]
    steps:
    - {uses: git-clear, as: a, config: {path: "${{ vars.given }}${{ vars.outer }}"}}
    - {uses: git-commit, config: {path: "${{ task.outputs.a.b }}"}}
stages:
  uat:
    from: service
    vars: {outer: x}
    render: {helm: {chart: c}}
    steps:
    - {task: {name: t}, as: x, vars: {given: "${{ outputs.push.branch }}"}}
    - {uses: git-clear, config: {path: "${{ outputs['x::a'].b }}"}}
"""
    )
    assert loading(text).problems == ()
