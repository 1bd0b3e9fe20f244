"""The expression language against what the real one gives (expr-lang v1.17.8)."""

from typing import Any

import pytest

from bot.expressions import ExpressionError, evaluate
from bot.expressions.parser import parse
from bot.expressions.printer import unparse
from tests.conformance.cases import public, recorded
from tests.conformance.sameness import same

VALUES = [("recorded", "expr_oracle"), ("public", "expr"), ("public", "expr_generated")]
ERRORS = [("recorded", "expr_errors"), ("public", "expr_errors")]


def load(where: str, name: str) -> list[dict[str, Any]]:
    return recorded(name) if where == "recorded" else public(name)


def outcome(code: str, env: dict[str, Any], *, typed: bool = False) -> object:
    try:
        return evaluate(code, env, typed=typed)
    except ExpressionError as error:
        return error


@pytest.mark.parametrize(("where", "name"), VALUES)
def test_every_value_is_the_real_one(where: str, name: str) -> None:
    wrong = [
        (case["code"], case["expected"], got)
        for case in load(where, name)
        if not same(got := outcome(case["code"], case["env"]), case["expected"])
    ]
    assert wrong == []


@pytest.mark.parametrize(("where", "name"), VALUES)
def test_with_typed_names_the_same_values_come_out_or_the_known_errors(where: str, name: str) -> None:
    wrong = []
    for case in load(where, name):
        got = outcome(case["code"], case["env"], typed=True)
        if "typed_env_error" in case:
            right = isinstance(got, ExpressionError)
        else:
            right = same(got, case.get("typed_env_expected", case["expected"]))
        if not right:
            wrong.append((case["code"], case.get("typed_env_error", case["expected"]), got))
    assert wrong == []


@pytest.mark.parametrize(("where", "name"), ERRORS)
def test_what_fails_there_fails_here(where: str, name: str) -> None:
    passed = [
        (case["code"], got, case["error"])
        for case in load(where, name)
        if not isinstance(got := outcome(case["code"], case["env"]), ExpressionError)
    ]
    assert passed == []


@pytest.mark.parametrize(("where", "name"), VALUES)
def test_every_expression_survives_printing(where: str, name: str) -> None:
    changed = []
    for case in load(where, name):
        tree = parse(case["code"])
        if parse(unparse(tree)) != tree:
            changed.append((case["code"], unparse(tree)))
    assert changed == []
