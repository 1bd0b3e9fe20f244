"""What is written as YAML is read again as it was."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.configuration.problems import Problems
from bot.core.configuration.reading import read
from bot.core.configuration.writing import InLine, written, written_in_sections

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20) | st.sampled_from(
    [
        "1.20",
        "on",
        "1e5",
        "~",
        "",
        "null",
        "a: b",
        "- x",
        "# x",
        "${{ a }}",
        "a\n b\n",
        "\n",
        " x",
        "x \ny",
        "\x85",
        "\xa0",
    ]
)
DATA: st.SearchStrategy[Any] = st.recursive(
    TEXT | st.integers(-(10**6), 10**6) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


def reread(text: str) -> Any:
    problems = Problems()
    documents = read({"x": text}, problems)
    assert problems.in_order() == ()
    return documents[0].data


@given(st.dictionaries(TEXT.filter(lambda key: key != "<<"), DATA, min_size=1, max_size=3))
@example({"a": ["\xa0x", "x\u2028y", "a:\u202f", "x" * 300 + " \xa0 " + "y" * 300]})
def test_any_data_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    assert reread(written(data)) == data
    assert reread(written_in_sections({"stages": data})) == {"stages": data}


def test_sections_are_set_apart_and_short_lists_stand_on_their_line() -> None:
    assert written_in_sections({"a": {"x": {"from": InLine(["b", "c"])}, "y": {"z": 1}}, "l": [1]}) == (
        "a:\n  x:\n    from: [b, c]\n\n  y:\n    z: 1\n\nl:\n- 1\n"
    )
