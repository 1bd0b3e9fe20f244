"""Whatever is thrown at it: the language answers with a value or its own error, and with little work."""

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.expressions import ExpressionError, Mode, compile, evaluate, render
from bot.expressions.common_functions import COMMON
from bot.expressions.operators import BINARY
from bot.expressions.parser import parse
from bot.expressions.printer import unparse
from bot.expressions.signatures import BUILTINS, PREDICATES
from tests.effort import within

MOST = 12_000_000  # calls and returns: what the steps of the budget may be

ENV = {
    "s": "héllo",
    "n": 7,
    "f": 2.5,
    "t": True,
    "z": None,
    "l": [3, 1, 2],
    "m": {"a": 1, "b": {"c": [1, "x", None]}},
    "users": [{"name": "Ann", "age": 30}, {"name": "Bob", "age": 25}],
    "at": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "long": timedelta(hours=30),
    "nan": math.nan,
    "double": lambda x: x * 2 if isinstance(x, int) else 0,
}

names = st.sampled_from([*ENV, "missing", "#", "#acc", "#index", "$env", "true", "nil", "in", "not", "let"])
literals = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "2.5",
        "1e308",
        "9223372036854775807",
        "''",
        '"a"',
        "`x`",
        'b"\\xff"',
        "[]",
        "[1, 'a']",
        "{}",
        "{a: 1}",
    ]
)
operators = st.sampled_from([*BINARY, "not", "not in", "?", ":", ";", "."])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = st.sampled_from(sorted(BUILTINS | PREDICATES.keys() | {"double", "s.x"}))
    return st.one_of(
        st.builds("{} {} {}".format, inner, operators, inner),
        st.builds("({})".format, inner),
        st.builds("{}({})".format, functions, st.lists(inner, max_size=3).map(", ".join)),
        st.builds("missing?.b({})".format, inner),
        st.builds("{} | {}({})".format, inner, functions, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("{}?.{}".format, inner, names),
        st.builds("{}.{}()".format, inner, st.sampled_from(["Year", "Format", "Hours", "String", "name"])),
        st.builds("{} ? {} : {}".format, inner, inner, inner),
        st.builds("{} ?: {}".format, inner, inner),
        st.builds("let x = {}; {}".format, inner, inner),
        st.builds("if {} {{ {} }} else {{ {} }}".format, inner, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("-{}".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{a: {}, ({}): {}}}".format, inner, inner, inner),
    )


sentences = st.recursive(st.one_of(names, literals), grown, max_leaves=12)


def error_of(code: str, env: dict[str, object], *, typed: bool) -> ExpressionError | None:
    try:
        evaluate(code, env, typed=typed)
    except ExpressionError as error:
        return error
    return None


def value_or_error(code: str, *, typed: bool) -> None:
    error = within(MOST, lambda: error_of(code, ENV, typed=typed))
    assert error is None or 0 <= error.position <= len(code)


@settings(max_examples=400)
@given(sentences, st.booleans())
def test_a_sentence_has_a_value_or_an_error(code: str, typed: bool) -> None:
    value_or_error(code, typed=typed)


@given(st.text(max_size=200), st.booleans())
def test_any_text_has_a_value_or_an_error(code: str, typed: bool) -> None:
    value_or_error(code, typed=typed)


@given(st.text(alphabet="()[]{}.?:;,#|+-*/%<>=!&'\"`\\ab01e_$ \n", max_size=80))
def test_any_heap_of_signs_has_a_value_or_an_error(code: str) -> None:
    value_or_error(code, typed=False)


@settings(max_examples=400)
@given(sentences)
def test_what_can_be_read_can_be_printed_and_read_again(code: str) -> None:
    try:
        tree = parse(code)
    except ExpressionError:
        return
    printed = unparse(tree)
    assert parse(printed) == tree
    assert unparse(parse(printed)) == printed


@given(
    st.one_of(st.text(max_size=60), sentences.map("a ${{{{ {} }}}} b".format), sentences.map("${{{{ {} }}}}".format))
)
def test_any_template_renders_or_says_why_not(text: str) -> None:
    for mode in Mode:
        with suppress(ExpressionError):
            render({"key": [text]}, ENV, mode=mode)


doubling = "".join(f"let a{i + 1} = [a{i}, a{i}]; " for i in range(60))


HOSTILE = (
    "let r = 1..999; all(r, all(r, all(r, true)))",
    "1..999999 | map(# * 2) | len()",
    "1..9223372036854775807",
    "map(1..1000, 1..1000)",
    "let a0 = 'x'; " + "".join(f"let a{i + 1} = a{i} + a{i}; " for i in range(60)) + "a60",
    f"let a0 = [1]; {doubling} a60",
    f"let a0 = [1]; {doubling} string(a60)",
    f"let a0 = [1]; {doubling} toJSON(a60)",
    f"let a0 = [1]; {doubling} flatten(a60)",
    f"let a0 = [1]; {doubling} sum(flatten(a60))",
    f"let a0 = [1]; {doubling} let b = a60; let c = [b]; c == [b]",
    f"let a0 = [1]; {doubling} max(a60)",
    f"let a0 = [1]; {doubling} asYAML(a60)",
    "repeat('x', 1000000)",
    "repeat('x', 999999) | split('') | map(repeat('x', 999999))",
    "replace(repeat('a', 999), '', repeat('b', 99999))",
    "join(split(repeat('a', 9999), ''), repeat('b', 9999))",
    "reduce(1..5000, [#acc])",
    "reduce(1..100000, #acc + string(#), '')",
    "sort(map(1..100000, [#]))",
    "uniq(map(1..20000, [#]))",
    "1..5000 | filter(repeat('a', 999) matches '(a?){500}a{500}b')",
    "1..5000 | map('x' matches ('(a{1,' + string(# % 900 + 1) + '}){1}'))",
    "1..100000 | map(date('2020-01-01T00:00:00Z').Format('Monday'))",
    "1..100000 | filter(# in [1.5, nil, 'x', 1..5])",
    "fromJSON('" + "[" * 90_000 + "')",
    "fromJSON('[" + "1," * 40_000 + "1]') | map(string(#)) | join()",
    "map(1..300, sortBy(1..300, -#))",
    "(" * 50_000,
    "[" * 1000 + "]" * 1000,
    "-" * 1000 + "1",
    "!" * 1000 + "true",
    "a" + ".b" * 5000,
    "a" + "[0]" * 5000,
    "1" + " + 1" * 5000,
    "true" + " ? true : true" * 500,
    "1" + " < 1" * 5000,
    "x in (" * 100 + "1..2" + ")" * 100,
    "a ?: (" * 100 + "1" + ")" * 100,
    "1 < (" * 100 + "1" + " < 2)" * 100,
    "if true { 1 } else " * 200 + "{ 2 }",
    "x" * 200_000,
    "'" + "\\x41" * 20_000 + "'",
    "/*" * 40_000,
    "1 " * 40_000,
    '"a" matches "' + "(" * 5000 + '"',
)


@pytest.mark.parametrize("code", HOSTILE, ids=lambda code: code[:40])
def test_nothing_takes_long_or_fills_the_memory(code: str) -> None:
    error = within(MOST, lambda: error_of(code, {**ENV, **COMMON}, typed=False))
    assert error is None or len(str(error)) < 1000


@pytest.mark.parametrize("code", HOSTILE, ids=lambda code: code[:40])
def test_checking_kinds_beforehand_does_not_take_long_either(code: str) -> None:
    with suppress(ExpressionError):
        within(MOST, lambda: compile(code, typed_env=ENV))
