"""What C does within one call is paid for by size: repeated, it is refused before it has taken long."""

import pytest

from bot.expressions import ExpressionError, evaluate
from bot.expressions.common_functions import COMMON

# Text of 2^20 characters, without the room that `repeat` takes. `s` and `t` are equal, but two objects; the kinds of
# `u` and `l` are not known before.
DOUBLED = (
    "".join(f"let s{n + 1} = s{n} + s{n}; " for n in range(16)) + "let s = s16; let t = s15 + s15; let u = same(s); "
)
LONG = "let s0 = 'xxxxxxxxxxxxxxxx'; " + DOUBLED
ACCENTED = "let s0 = 'éééééééééééééééé'; " + DOUBLED
QUOTED = "let s0 = '" + '"' * 16 + "'; " + DOUBLED
LIST = "let l = same(1..90000); "
TEXTS = "let l = map(1..40000, string(#)); "
NESTED = "let s = repeat('[', 900) + repeat(']', 900); "

ENV = {**COMMON, "bare": len, "same": lambda value: value}


def refused(code: str) -> bool:
    with pytest.raises(ExpressionError, match=r"the expression (takes too long|needs too much memory)"):
        evaluate(code, ENV)
    return True


@pytest.mark.parametrize(
    ("given", "code", "times"),
    [
        (LONG, "s contains 'xy'", 300),
        (LONG, "s startsWith t", 300),
        (LONG, "s == t", 10_000),
        (LONG, "s < t", 10_000),
        (LONG, "[s] == [t]", 10_000),
        (LONG, "s in [1, t]", 10_000),
        (LONG, "sort([s, t])", 5000),
        (LONG, "indexOf(s, 'xy')", 300),
        (LONG, "lastIndexOf(s, 'xyx')", 300),
        (LONG, "hasPrefix(s, t)", 3000),
        (LONG, "hasSuffix(s, t)", 3000),
        (LONG, "replace(s, 'xy', '')", 300),
        (LONG, "replace(s, 'x', 'y')", 50),
        (LONG, "split(s, 'x')", 50),
        (LONG, "splitAfter(s, 'x')", 50),
        (LONG, "trim(s)", 50),
        (LONG, "trim(s, 'x')", 50),
        (LONG, "trimPrefix(s, 'x')", 50),
        (LONG, "trimSuffix(s, 'x')", 50),
        (LONG, "upper(s)", 50),
        (ACCENTED, "lower(s)", 50),
        (ACCENTED, "get(u, 3)", 3000),
        (ACCENTED, "first(u)", 3000),
        (ACCENTED, "u[3]", 3000),
        (ACCENTED, "s[1:2]", 300),
        (LONG, "all(u, true)", 50),
        (LONG, "s matches 'x*y'", 300),
        (LONG, "s matches '(x|y|xx){9}z'", 50),
        (LONG, "toBase64(s)", 50),
        (LONG, "fromBase64(s)", 50),
        (QUOTED, "toJSON(s)", 3),
        (QUOTED, "quote(s)", 3),
        (QUOTED, "asJSON(s)", 3),
        (LONG, "asYAML(s)", 1),
        (LONG, "same(s)", 100),
        (LONG, "bare(s)", 100),
        (LONG, "fromJSON('\"' + s + '\"')", 50),
        (LONG, "semverParse('1.0.0+' + s)", 50),
        (LONG, "now().Format(s)", 1),
        (LIST, "concat(l, l)", 50),
        (LIST, "l[1:]", 300),
        (LIST, "take(l, 80000)", 300),
        (LIST, "reverse(l)", 50),
        (LIST, "sort(l)", 50),
        (LIST, "uniq(l)", 50),
        (LIST, "flatten(l)", 50),
        (LIST, "max(l)", 50),
        (LIST, "median(l)", 50),
        (LIST, "sum(l)", 50),
        (LIST, "string(l)", 50),
        (LIST, "toJSON(l)", 50),
        (LIST, "same(l)", 100),
        (LIST, "'x' in l", 100),
        (LIST, "-1 in l", 50),
        (LIST, "l == l", 50),
        (LIST, "any(l, false)", 50),
        (TEXTS, "join(l)", 300),
        (TEXTS, "sort(l)", 50),
        (TEXTS, "asYAML(l)", 1),
        (NESTED, "fromJSON(s)", 3000),
        ("", "repeat('a', 999) matches '(a?){500}a{500}b'", 300),
        ("", "'x' matches ('a{1,' + string(# % 900 + 1) + '}')", 900),
        ("", "3 in b'" + "a" * 50_000 + "'", 3000),
        ("", "timezone('Europe/Berlin')", 100_000),
        ("", "date('Mon, 02 Jan 2006 15:04:05 MST')", 20_000),
    ],
    ids=lambda value: None if isinstance(value, int) else value[:30],
)
def test_what_is_long_cannot_be_looked_at_for_ever(given: str, code: str, times: int) -> None:
    assert refused(f"{given}1..{times} | map({code}) | len()")


@pytest.mark.parametrize("code", ["date(s)", "date('2024', s)", "date(s, s)"])
def test_a_date_and_its_layout_have_the_length_of_a_date(code: str) -> None:
    with pytest.raises(ExpressionError, match="longer than 1000 characters"):
        evaluate(f"let s = repeat('15', 501); {code}")


@pytest.mark.parametrize(
    "code",
    [
        """reduce(1..100, quote(#acc), '"')""",
        """reduce(1..100, toJSON(#acc), '"')""",
        "reduce(1..100, #acc + #acc, 'x')",
        "reduce(1..100, concat(#acc, #acc), [1])",
        "reduce(1..100, join([#acc, #acc]), 'x')",
        "reduce(1..100, replace(#acc, 'x', 'xx'), 'x')",
        "reduce(1..100, asYAML([#acc, #acc]), 'x')",
        "reduce(1..100, same([#acc, #acc]), 'x')",
    ],
)
def test_what_doubles_ends_early(code: str) -> None:
    assert refused(code)


@pytest.mark.parametrize(
    "code",
    [
        "1..5000 | map(semverParse('1.2.' + string(#)).IncMinor().String()) | len()",
        "1..5000 | map(date('2024-02-29T12:00:00Z').Format('2006-01-02')) | len()",
        "1..10000 | filter('v1.2.3' matches ('^v' + string(# % 3))) | len()",
        "1..30000 | map(let n = #; toJSON({a: n})) | len()",
        "1..90000 | map(split('a b c', ' ')[1] | upper()) | len()",
        "1..90000 | filter(# % 7 == 3 and string(#) contains '1') | sortBy(-#) | len()",
        f"{LONG}s matches '^(x|y)+$' and quote(s) != '' and toJSON(s) != '' and len(split(s, 'y')) == 1",
    ],
)
def test_what_people_write_is_far_from_the_limit(code: str) -> None:
    assert evaluate(code, ENV) not in {0}
