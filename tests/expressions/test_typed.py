"""Typed mode: an expression checked against the values at hand, as Argo Rollouts does."""

import math

import pytest

from bot.expressions import ExpressionError, FloatList, Function, Record, compile, evaluate

FUNCTIONS = {
    "asInt": Function("asInt", int, ("any",), "int64"),
    "isNaN": Function("isNaN", math.isnan, ("float",), "bool"),
    "default": Function("default", lambda value, other: other, ("any", "any"), "any"),
}


def env(result: object) -> dict[str, object]:
    return {"result": result, **FUNCTIONS}


@pytest.mark.parametrize(
    ("result", "code", "expected"),
    [
        (0.97, "result >= 0.95", True),
        (3.0, "int(result) % 2 == 1", True),
        (None, "result == nil", True),
        (None, "default(result, 0) >= 0", True),
        (None, "(result ?? 0) == 0", True),
        ({"n": 3.0}, 'result.n == "3"', False),
        ({"n": 3.0}, "result.missing?.deep == nil", True),
        (FloatList([0.9]), "result[0] > 0.5 and all(result, # < 1)", True),
        ([], "len(result) == 0 || result[0] >= .95", True),
        ("1", "asInt(result) % 2 == 1", True),
        (1.0, "isNaN(1) or isNaN(result)", False),
        (Record("Image", {"Tag": "1"}), "result.Tag + 'x' == '1x'", True),
    ],
)
def test_what_fits_is_evaluated(result: object, code: str, expected: object) -> None:
    assert evaluate(code, env(result), typed=True) == expected


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (0.97, "other > 1", "unknown name other; known are asInt, default, isNaN, result"),
        (0.97, "result % 2 == 0", "cannot evaluate float % int"),
        (0.97, 'result == "5"', "cannot evaluate float == string"),
        (0.97, "result.Name() == 'hi'", "float has no Name"),
        (None, "result == nil || result < 5", "cannot evaluate nil < int"),
        (None, "len(result) == 0", "len cannot take nil"),
        (None, "result[0]", "nil has no member"),
        (True, "true ? true : invalid", "unknown name invalid"),
        (FloatList([]), "result[0] == 'x'", "cannot evaluate float == string"),
        (FloatList([]), "'x' in result", "cannot evaluate string in array"),
        ({"n": 1.0}, "result[1]", "a key of map cannot be int"),
        ("a", "isNaN(result)", "argument 1 of isNaN must be float, not string"),
        (1.0, "isNaN()", "isNaN takes 1 arguments, got 0"),
        (1.0, "let result = 2; result", "result is already declared"),
        (1.0, "asInt(result) == 'x'", "cannot evaluate int == string"),
        (Record("Image", {"Tag": "1"}), "result.Digest", "record has no Digest"),
    ],
)
def test_what_can_never_fit_is_refused_before_it_runs(result: object, code: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        compile(code, typed_env=env(result))


def test_names_of_the_environment_hide_built_in_functions() -> None:
    assert evaluate("len", {"len": 5}, typed=True) == 5
    assert evaluate("len(1)", {"len": lambda x: x + 1}, typed=True) == 2
    assert evaluate("::len('ab')", {"len": lambda x: x + 1}, typed=True) == 2


def test_untyped_names_are_checked_when_they_are_reached() -> None:
    assert evaluate("true or missing.deep > 1", {}) is True
    assert evaluate("missing == nil", {}) is True
