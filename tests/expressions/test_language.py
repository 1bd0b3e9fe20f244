"""The language, feature by feature, where its documentation is read most easily wrongly."""

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from bot.expressions import Duration, ExpressionError, Function, Record, Time, compile, evaluate
from tests.conformance.sameness import same

ENV = {
    "s": "héllo",
    "n": 7,
    "x": 2.5,
    "l": [3, 1, 2],
    "m": {"a": 1, "k-1": "dash", "in": "word", "nothing": None},
    "z": None,
    "users": [{"name": "Ann", "age": 30}, {"name": "Bob", "age": 25}, {"name": "Cy", "age": 30}],
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # numbers
        ("7 / 2", 3.5),
        ("4 / 2", 2.0),
        ("-7 % 3", -1),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("9223372036854775807 + 1", -9223372036854775808),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0x1F + 0b11 + 0o17 + 1_0", 31 + 3 + 15 + 10),
        ("1 == 1.0", True),
        ("0 ** -1", math.inf),
        ("(-8) ** (1/3)", math.nan),
        ("10 ** 400", math.inf),
        ("round(2.5) + round(-2.5)", 0.0),
        ("int(-4.9)", -4),
        ("int(1e300)", -9223372036854775808),
        ("bitushr(-1, 60)", 15),
        # what binds how tightly
        ("1 + 2 * 3 - 4", 3),
        ("not false or true", True),
        ("1 < 2 < 3", True),
        ("3 > 2 > 2", False),
        ("n + z ?? 3", 10),
        ("z ?? z ?? 1", 1),
        ("1 + 2 .. 4", [3, 4]),
        ("l | sum() + 1", 7),
        ("true ? 1 : false ? 2 : 3", 1),
        ("true ?: 1", True),
        ("if n > 5 { 'big' } else if n > 3 { 'mid' } else { 'small' }", "big"),
        ("let a = 2; let b = a * 3; b - a", 4),
        ("1; 2; 3", 3),
        # text
        ("s[1:3]", "é"),
        ("len(s)", 5),
        ("s[-1:]", "o"),
        ("s[0]", 104),
        (r'"\x41\u00e9\101\n"', "AéA\n"),
        ("`raw \\n ``tick`` `", "raw \\n `tick` "),
        ("'it\\'s'", "it's"),
        ('"a" < "B"', False),
        ("upper('straße')", "STRAßE"),
        ("indexOf('héllo', 'l')", 3),
        ("split('a,b,c', ',', 2)", ["a", "b,c"]),
        ("split('abc', '')", ["a", "b", "c"]),
        ("splitAfter('a,b', ',')", ["a,", "b"]),
        ("trim('--a--', '-')", "a"),
        ("'abc' matches '^A' or 'abc' matches '(?i)^A'", True),
        ("'a\\nb' matches 'a$'", False),
        ("z contains 'x'", False),
        ("string(1e6) + ' ' + string(123456.0) + ' ' + string(0.00001)", "1e+06 123456 1e-05"),
        ("string([1, 'a', nil, {b: 2.0}])", "[1 a <nil> map[b:2]]"),
        ("toJSON({b: '<&>', a: 1.0})", '{\n  "a": 1,\n  "b": "\\u003c\\u0026\\u003e"\n}'),
        ("toJSON([])", "[]"),
        ("fromJSON('{\"a\": [1]}').a[0]", 1.0),
        ("fromBase64(toBase64(s))", "héllo"),
        # lists and maps
        ("l[-1]", 2),
        ("l[1:99]", [1, 2]),
        ("[1, 2,]", [1, 2]),
        ("m.missing", None),
        ('m["k-1"]', "dash"),
        ("m.in", "word"),
        ("{a: 1, 'b': 2, 3: 3, ('d' + 'e'): 4}", {"a": 1, "b": 2, "3": 3, "de": 4}),
        ("'nothing' in m", True),
        ("nil in m", False),
        ("1 not in l", False),
        ("[1] == [1.0]", True),
        ("{a: [1]} == {a: [1.0]}", False),
        ("z?.a.b.c", None),
        ("get(l, 9) ?? 'none'", "none"),
        ("filter(users, .age > 26) | map(.name)", ["Ann", "Cy"]),
        ("map(l, # * 2 + #index)", [6, 3, 6]),
        ("map(1..2, {{k: #}})", [{"k": 1}, {"k": 2}]),
        ("map(users, let a = .age; a + 1)", [31, 26, 31]),
        ("reduce(l, #acc * 10 + #)", 312),
        ("groupBy(users, .age)[30] | len()", 2),
        ("sortBy(users, .age) | map(.name)", ["Bob", "Ann", "Cy"]),
        ("sortBy(users, .name, 'desc') | first()", {"name": "Cy", "age": 30}),
        ("findIndex(l, # == 9)", None),
        ("all([], false)", True),
        ("max([]) == nil", True),
        ("mean([1, [2, 3.0]])", 2.0),
        ("median([3, 1, 2, 10])", 2.5),
        ("uniq([1, 1.0, '1', true, 1])", [1, "1", True]),
        ("flatten([1, [2, [3, []]]])", [1, 2, 3]),
        ("keys({b: 1, a: 2}) | sort()", ["a", "b"]),
        ("fromPairs(toPairs({a: 1}))", {"a": 1}),
        ("concat([1], 2..3)", [1, 2, 3]),
        ("count(1..100, # % 7 == 0)", 14),
        ("sum(users, .age)", 85),
        ("take(l, 99)", [3, 1, 2]),
        ("type(1..2) + type(nil) + type(1.0) + type('')", "arraynilfloatstring"),
        ("$env.n + $env['n']", 14),
        ("1 // a comment\n + /* another */ 1", 2),
    ],
)
def test_a_value(code: str, expected: object) -> None:
    assert same(evaluate(code, ENV), expected)


@pytest.mark.parametrize(
    ("code", "message", "position"),
    [
        ("1 +", "unexpected the end", 3),
        ("a b", "unexpected 'b'", 2),
        ("(1", "expected '\\)'", 2),
        ("1 ?? 2 + 3", "cannot be mixed", 7),
        ("'a", "not closed", 0),
        ("/* a", "not closed", 0),
        ("1 @ 2", "unexpected character '@'", 2),
        ("'\\q'", "not an escape", 1),
        ("9223372036854775808", "64 bits", 0),
        ("true + 1", "cannot evaluate bool \\+ int", 5),
        ('"10" == 10', "cannot evaluate string == int", 5),
        ("!1", "cannot evaluate ! int", 0),
        ("0 ? 1 : 2", "must be bool", 0),
        ("n ? 1 : 2", "true or false, not int", 0),
        ("z.a", "cannot get a from nil", 2),
        ("missing?.a[0]", "cannot get \\[int\\] from nil", 10),
        ("l[3]", "out of range", 1),
        ("l['x']", "cannot be an index", 1),
        ("missing(1)", "missing is no function but nil", 0),
        ("len(1)", "len cannot take int", 0),
        ("upper(1)", "argument 1 of upper must be string, not int", 6),
        ("upper('a', 'b')", "takes 1 arguments, got 2", 0),
        ("false and 1 % 0 == 1", "division by zero", 12),
        ("let len = 1; len", "already declared", 4),
        ("let a = 1; let a = 2; a", "already declared", 15),
        ("filter(l, 1)", "must be bool, not int", 10),
        ("filter(l, n)", "true or false, not int", 0),
        ("filter(l, #index > 1)", "there is no #index", 10),
        ("sum(['a'])", "cannot evaluate string \\+ int", 0),
        ("sort([1, 'a'])", "cannot evaluate", 0),
        ("'a' matches '('", "not a regular expression", 12),
        ("int('4.2')", "not a whole number", 0),
        ("duration('1d')", "not a duration", 0),
        ("date('soon')", "not a date", 0),
        ("toJSON(1/0)", "cannot be written as JSON", 0),
        ("1..3 | map(#)[0]", "unexpected '\\['", 13),
    ],
)
def test_a_mistake_is_told_with_its_place(code: str, message: str, position: int) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        evaluate(code, ENV)
    assert caught.value.position == position


@pytest.mark.parametrize("code", ["z?.f(type(1, 2))", "z?.f('a' matches '(')", "z?.f(len())", "missing?.[z[:len(1)]]"])
def test_what_is_never_reached_is_not_checked_in_the_arguments_of_an_unknown_call(code: str) -> None:
    with suppress(ExpressionError):
        evaluate(code, ENV)


def test_line_and_column_count_from_one() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("1 +\n  true", {})
    error = caught.value

    assert (error.position, error.line, error.column) == (2, 1, 3)
    with pytest.raises(ExpressionError, match=r"line 2, column 3"):
        evaluate("1 +\n  @", {})


def test_a_program_tells_the_names_it_needs() -> None:
    program = compile("let a = image; a.tag + f(vars.x)")

    assert program.names == {"image", "vars", "f"}


def test_a_program_runs_many_times_and_changes_nothing() -> None:
    program = compile("let c = l; concat(c, [n])")
    env = {"l": [1], "n": 2}

    assert program.run(env) == [1, 2]
    assert program.run({**env, "n": 3}) == [1, 3]
    assert env == {"l": [1], "n": 2}


def test_results_share_nothing_with_the_environment() -> None:
    inner: list[object] = [1]
    result = evaluate("m", {"m": {"a": inner}})

    assert result == {"a": [1]}
    assert isinstance(result, dict)
    assert result["a"] is not inner


class Outside:
    """Something with attributes that nobody should reach."""

    secret = "s3cret"


@pytest.mark.parametrize("code", ["o", "o.secret", "o['secret']", "[o][0].secret", "m.o.secret", "string(o)", "o == o"])
def test_python_objects_do_not_get_in(code: str) -> None:
    with pytest.raises(ExpressionError, match="kind that expressions do not have"):
        evaluate(code, {"o": Outside(), "m": {"o": Outside()}})


@pytest.mark.parametrize(
    "code",
    [
        "s.upper",
        "s.__class__",
        "l.append(1)",
        "l.__len__()",
        "f.__globals__",
        "f.call",
        "r.fields",
        "r.__class__",
        "m.keys()",
    ],
)
def test_attributes_of_values_are_not_members(code: str) -> None:
    env = {"s": "a", "l": [1], "f": lambda: 1, "r": Record("Thing", {"A": 1}), "m": {}}
    with pytest.raises(ExpressionError):
        evaluate(code, env)


def test_functions_of_the_environment_are_called_with_checked_arguments() -> None:
    env = {
        "join2": Function("join2", lambda a, b="!": a + b, ("string", "string"), "string", optional=1),
        "total": Function("total", lambda *n: sum(n), ("int",), "int", variadic=True),
        "plain": lambda a, b=1: [a, b],
    }
    assert evaluate("join2('a')", env) == "a!"
    assert evaluate("'a' | join2('b')", env) == "ab"
    assert evaluate("total(1, 2, 3) + total()", env) == 6
    assert evaluate("plain('x')", env) == ["x", 1]
    for wrong in ("join2()", "join2(1)", "join2('a', 'b', 'c')", "total('a')", "plain()", "plain(1, 2, 3)"):
        with pytest.raises(ExpressionError):
            evaluate(wrong, env)


def test_a_function_says_what_is_wrong_with_a_value_error() -> None:
    def never(value: str) -> str:
        raise ValueError(f"{value} is not known")

    with pytest.raises(ExpressionError, match="never: x is not known"):
        evaluate("never('x')", {"never": never})


def test_records_have_fields_and_methods() -> None:
    record = Record("Image", {"Tag": "1.0", "Hello": Function("Hello", lambda: "hi", ())})

    assert evaluate("r.Tag + r.Hello()", {"r": record}) == "1.0hi"
    assert evaluate("'Tag' in r", {"r": record}) is True
    with pytest.raises(ExpressionError, match="Image has no field tag; it has Tag"):
        evaluate("r.tag", {"r": record})


def test_python_s_dates_and_durations_are_the_language_s() -> None:
    env = {"at": datetime(2024, 2, 29, 12, 30, tzinfo=UTC), "long": timedelta(hours=30)}

    assert evaluate("at.Year() == 2024 and int(at.Month()) == 2", env) is True
    assert evaluate("(at + long).Format('2006-01-02 15:04')", env) == "2024-03-01 18:30"
    assert evaluate("at > date('2024-02-29')", env) is True
    assert evaluate("long.Hours()", env) == 30.0
    assert evaluate("long", env) == Duration.of(timedelta(hours=30))
    assert evaluate("now()", {}, now=lambda: datetime(2020, 1, 1, tzinfo=UTC)) == Time.of(
        datetime(2020, 1, 1, tzinfo=UTC)
    )
