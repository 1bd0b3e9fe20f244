"""Texts that are no configuration at all, or mean harm."""

import pytest

from bot.core.config import load
from bot.core.model import Severity, StageName
from tests.core.configurations import FILE, PLUGINS, WATCH, loading
from tests.core.mistakes import problems, told
from tests.effort import within


def test_without_a_file_there_is_one_problem() -> None:
    loaded = load({}, PLUGINS)

    assert [(problem.file, problem.code) for problem in loaded.problems] == [(FILE, "no-configuration")]


def test_an_empty_file_is_one_without_stages() -> None:
    assert [(problem.code, problem.message) for problem in problems("")] == [("no-stage", "the file is empty")]


def test_a_file_that_is_not_utf_8() -> None:
    loaded = loading(b"stages:\n  uat: \xff\n")

    assert told(loaded.problems) == [(2, 1, "not-utf-8")]


def test_a_file_too_large_is_not_read() -> None:
    loaded = loading(b"# " + b"x" * 5_000_000)

    assert told(loaded.problems) == [(1, 1, "file-too-large")]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_nesting_that_would_break_the_stack_is_refused(text: str) -> None:
    assert [problem.code for problem in problems(text)] == ["too-deep"]


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    found = problems("\n".join(lines))

    assert [problem.code for problem in found] == ["too-many-values"]
    assert found[0].line < 10


def test_merges_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: v" for n in range(100)) + "}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], own{n}: *a{n - 1}}}" for n in range(1, 20)]

    assert [problem.code for problem in problems("\n".join(lines))] == ["too-many-values"]


def test_a_file_with_thousands_of_mistakes_ends_with_how_many_more_there_are() -> None:
    found = problems(WATCH + "stages:\n" + "".join(f"  s{n}: {{frm: x}}\n" for n in range(3000)))

    assert len(found) == 1000
    assert found[-1].code == "too-many-problems"
    assert "more problems than this" in found[-1].message


def test_a_long_chain_and_a_long_circle_of_stages_are_no_trouble() -> None:
    chain = (
        WATCH + "stages:\n  s0: {from: service}\n" + "".join(f"  s{n}: {{from: s{n - 1}}}\n" for n in range(1, 3000))
    )
    assert problems(chain) == ()

    circle = chain.replace("s0: {from: service}", "s0: {from: s2999}")
    assert [problem.code for problem in problems(circle) if problem.severity is Severity.ERROR] == ["cycle"]


@pytest.mark.parametrize(
    "text",
    [
        "promotionPolicies: [{stageSelector: {name: 'glob:" + "{a,b}" * 5000 + "'}}]",
        "promotionPolicies: [{stageSelector: {name: 'glob:" + "*a" * 400 + "b'}}]",
        "promotionPolicies: [{stageSelector: {name: 'regex:" + "(a+)+" * 200 + "$'}}]",
        "verifications: {v: {metrics: [{name: m, provider: {web: {url: '" + "{{" * 100_000 + "'}}}]}}",
        "warehouses: {w: {image: '" + ":a" * 100_000 + "'}}",
        "warehouses: {w: {image: {repoURL: x/y, constraint: '" + ">=1 " * 50_000 + "'}}}",
        "warehouses: {w: {image: {repoURL: x/y, allowTagsRegexes: ['" + "(a{1000}){1000}" * 10 + "']}}}",
        "stages: {uat: {from: service, vars: {a: '${{ " + "1+" * 200_000 + "1 }}'}}}",
        "stages: {uat: {from: service, vars: {a: '${{ " + "(" * 50_000 + " }}'}}}",
        "promotionWindows: [{name: a, kind: Deny, rrule: '" + "FREQ=DAILY;" * 50_000 + "'}]",
    ],
    ids=range(10),
)
def test_patterns_and_expressions_made_to_take_for_ever_do_not(text: str) -> None:
    within(100_000, lambda: loading(text))  # what C does, pytest's limit on time watches


def listed(entry: str, times: int) -> str:
    return ", ".join(entry.replace("#", str(number)) for number in range(times))


def uat(more: str) -> str:
    return f"stages: {{uat: {{from: service, {more}}}}}"


METRIC = "{name: m#, failureCondition: x > #, provider: {}}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (uat(f"labels: {{{listed('v#: []', 80_000)}}}"), "wrong-type"),
        (f"stages: {{uat: {{from: [{listed('x#', 80_000)}]}}}}", "unknown-source"),
        (f"stages: {{{listed('s#: {frm: x}', 45_000)}}}", "unknown-key"),
        (f"stages: {{{listed('stage-#: {from: stage+#}', 3000)}}}", "unknown-source"),
        (uat(f"steps: [{{uses: git-commit, config: {{a: [{listed('{}', 80_000)}]}}}}]"), "missing"),
        (f"promotionPolicies: [{listed('{stageSelector: {name: x}}', 30_000)}]", "unknown-stage"),
        (uat(f"vars: {{{listed(chr(39) + '${{ ctx.stage + # }}' + chr(39), 40_000)}}}"), "too-many-expressions"),
        (uat(f"vars: {{a: '{'${{ [[[1]]] }}' * 90_000}'}}"), "too-many-expressions"),
        (f"verifications: {{v: {{metrics: [{listed(METRIC, 16_000)}]}}}}", "one-provider"),
    ],
    ids=range(9),
)
def test_large_files_full_of_mistakes_are_told_of_with_little_work(text: str, code: str) -> None:
    text = WATCH + text

    assert code in [problem.code for problem in within(20 * len(text), lambda: loading(text)).problems]


def test_a_thousand_warnings_stop_no_pipeline() -> None:
    images = listed("{name: n#, image: {repoURL: 'x/y#', allowTags: a}}", 3000)
    loaded = loading(f"warehouses: {{service: {{subscriptions: [{images}]}}}}\nstages: {{uat: {{from: service}}}}")

    assert loaded.pipeline is not None
    assert len(loaded.problems) == 1000
    assert {problem.severity for problem in loaded.problems} == {Severity.WARNING}


def test_variables_that_multiply_do_not_grow_without_end() -> None:
    doubling = ", ".join(f"v{n}: '${{{{ vars.v{n + 1} }}}}${{{{ vars.v{n + 1} }}}}'" for n in range(39))
    step = f"{{uses: git-open-pr, vars: {{{doubling}}}, config: {{targetBranch: '${{{{ vars.v0 }}}}'}}}}"
    loaded = loading(WATCH + f"stages: {{uat: {{from: service, steps: [{step}]}}}}")

    assert loaded.pipeline is not None
    assert len(loaded.pipeline.stages[StageName("uat")].target_branch) < 100_000
