"""Texts with one mistake in them, and how the tests tell where it is."""

from collections.abc import Iterable

from bot.core.model import Problem
from tests.core.configurations import WATCH, loading

HERE = "§"  # stands before the text that the problem is at


def problems(text: str) -> tuple[Problem, ...]:
    return loading(text.replace(HERE, "")).problems


def place(text: str) -> tuple[int, int]:
    before = text[: text.index(HERE)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def told(found: Iterable[Problem]) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.code) for problem in found]


TASK = "tasks: {t: {vars: [{name: v}], steps: [{uses: git-clear, config: {path: x}}]}}\n"
SMOKE = "verifications: {smoke: {metrics: [{name: m, provider: {web: {url: https://x}}}]}}\n"
RUN = "from: service, render: {helm: {chart: c}}"


def uat(fields: str, *more: str) -> str:
    return WATCH + "".join(more) + f"stages:\n  uat: {{{fields}}}\n"


def step(fields: str, *more: str) -> str:
    return uat("from: service, steps: [{" + fields + "}]", *more)


def kargo(kind: str, spec: str) -> str:
    version = "argoproj.io/v1alpha1" if kind == "AnalysisTemplate" else "kargo.akuity.io/v1alpha1"
    return f"{uat('from: service')}---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {spec}\n"
