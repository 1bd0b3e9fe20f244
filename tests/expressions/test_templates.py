"""Templates: what comes out of `${{ }}`, and of what kind."""

from datetime import UTC, datetime

import pytest

from bot.expressions import ExpressionError, Mode, Record, check_template, has_expressions, render

ENV = {
    "tag": "1.20",
    "commit": "123e456",
    "yes": "true",
    "n": 7,
    "list": [1, "a", None],
    "nil_": None,
    "image": Record("Image", {"Tag": "1.20", "Digest": ""}, {"Tag": "tag", "Digest": "digest"}, omit_empty=True),
    "message": '"Fix" and "that"',
}


@pytest.mark.parametrize(
    ("template", "typed", "kargo"),
    [
        ("${{ tag }}", "1.20", 1.2),
        ("${{ commit }}", "123e456", None),
        ("${{ yes }}", "true", True),
        ("v${{ tag }}", "v1.20", "v1.20"),
        ("1${{ n }}", "17", 17.0),
        ("${{ n }}", 7, 7.0),
        ("${{ n }}\n", 7, 7.0),
        ("${{ tag }}\n", "1.20\n", 1.2),
        ("${{ n > 5 }}", True, True),
        ("${{ list }}", [1, "a", None], [1.0, "a", None]),
        ("x ${{ list }} ${{ nil_ }}", 'x [1,"a",null] null', 'x [1,"a",null] null'),
        ("${{ nil_ }}", None, None),
        ("${{ image }}", {"tag": "1.20"}, {"tag": "1.20"}),
        ("${{ quote(n) }}", "7", "7"),
        ("${{ quote(tag) }}", "1.20", "1.20"),
        ("${{ unsafeQuote(tag) }}", '"1.20"', '"1.20"'),
        ("a ${{ quote(n) }}", 'a "7"', 'a "7"'),
        ("${{ message }}", '"Fix" and "that"', 'Fix" and "that'),
        ("${{ asYAML({a: [n, tag]}) }}", 'a:\n    - 7\n    - "1.20"\n', 'a:\n    - 7\n    - "1.20"\n'),
        ("${{ asJSON([n]) }}", "[\n  7\n]\n", "[\n  7\n]\n"),
        ("${% '{{ x }}' %}", "{{ x }}", "{{ x }}"),
        ("{{ n }} $n ${n}", "{{ n }} $n ${n}", "{{ n }} $n ${n}"),
        ("true", "true", "true"),
        ("${{ {a: n}.a }} of ${% n %}", "7 of 7", "7 of 7"),
        ("${{ semverParse('v1.2').IncMinor().String() }}", "1.3.0", "1.3.0"),
        ("${{ semverParse('1.2.3') }}", "1.2.3", "1.2.3"),
        ("${{ date('2024-02-29') }}", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ],
)
def test_a_template(template: str, typed: object, kargo: object) -> None:
    assert render(template, ENV) == typed
    if kargo is not None or template == "${{ nil_ }}":
        assert render(template, ENV, mode=Mode.KARGO) == kargo


def test_nested_values_are_rendered_and_keys_are_not() -> None:
    value = {"${{ n }}": ["${{ n }}", {"a": "${{ tag }}", "b": (1, None, True)}]}

    assert render(value, ENV) == {"${{ n }}": [7, {"a": "1.20", "b": [1, None, True]}]}
    assert value["${{ n }}"][0] == "${{ n }}"


@pytest.mark.parametrize(
    ("value", "message", "position"),
    [
        ("a ${{ n", "not closed", 2),
        ("a ${{ }}", "the expression is empty", 5),
        ("a ${{ n + true }}", "cannot evaluate unknown \\+ bool", 8),
        ("${{ image.tag }}", "Image has no field tag; it has Tag, Digest", 10),
        (
            {"config": {"updates": [{"value": "${{ nil_.x }}"}]}},
            r"^config.updates\[0\].value: cannot get x from nil",
            9,
        ),
        ("${{ 0/0 }}", "not a number", 3),
        ("x ${{ 0/0 }}", "cannot be written as JSON", 5),
        ("${{ groupBy(list, #) }}", "keys are not text", 3),
        ("${{ quote }}", "is func", 3),
        ("${{ '}}' }}", "not closed", 4),
    ],
)
def test_a_mistake_is_told_with_its_place(value: object, message: str, position: int) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        render(value, ENV)
    assert caught.value.position == position


def test_the_names_of_template_functions_are_taken() -> None:
    with pytest.raises(ExpressionError, match="asYAML is a function of every template"):
        render("x", {"asYAML": 1})


def test_templates_can_be_checked_without_values() -> None:
    programs = check_template("${{ vars.a }}-${{ imageFrom(vars.b).Tag }}")

    assert [sorted(program.names) for program in programs] == [["vars"], ["imageFrom", "vars"]]
    assert not has_expressions("$ {{ }}")
    with pytest.raises(ExpressionError, match="unexpected") as caught:
        check_template("ok ${{ a }} then ${{ 1 + }}")
    assert caught.value.position == 25


def test_now_is_the_time_it_is_told() -> None:
    then = datetime(2024, 2, 29, tzinfo=UTC)

    assert render("${{ now().Year() }}", {}, now=lambda: then) == 2024


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [], "c": {}}, "a: []\nb: 1\nc: {}\n"),
        ([[1, [2]], {"k": [1], "l": {"m": None}}], "- - 1\n  - - 2\n- k:\n    - 1\n  l:\n    m: null\n"),
        ({"item10": 1, "item9": 2}, "item9: 2\nitem10: 1\n"),
        (
            ["true", "no", "1.0", "1e3", "null", "", "2020-01-01", "0x1F", "~"],
            '- "true"\n- "no"\n- "1.0"\n- "1e3"\n- "null"\n- ""\n- "2020-01-01"\n- "0x1F"\n- "~"\n',
        ),
        (
            ["plain text", "a: b", "# no", "it's", "- x", " lead"],
            "- plain text\n- 'a: b'\n- '# no'\n- it's\n- '- x'\n- ' lead'\n",
        ),
        ({"t": "a\nb\n", "u": "a\nb"}, "t: |\n    a\n    b\nu: |-\n    a\n    b\n"),
        (1.5, "1.5\n"),
        ("x", "x\n"),
    ],
)
def test_as_yaml_writes_what_yaml_reads_back(value: object, expected: str) -> None:
    assert render("${{ asYAML(v) }}", {"v": value}) == expected
