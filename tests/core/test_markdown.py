"""What others wrote is shown, never obeyed; and a comment is found again by its last line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.core.messages.markdown import COMMENT_LIMIT, marker, plain, prose, with_marker

ZERO_WIDTH = "\u200b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("service takes `a`, not `b`", "service takes `a`, not `b`"),
        ("greeting said @acme/everyone", f"greeting said @{ZERO_WIDTH}acme/everyone"),
        ("a `code` <img> and ` @acme", f"a `code` \\<img\\> and \\` @{ZERO_WIDTH}acme"),
        ("`never closed @acme", f"\\`never closed @{ZERO_WIDTH}acme"),
        ("see #1 | and [here](x)", f"see #{ZERO_WIDTH}1 \\| and \\[here\\](x)"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_sentence_keeps_its_code_and_nothing_else_that_markdown_knows(text: str, shown: str) -> None:
    assert prose(text) == shown


@given(st.text("`@#<>ab \\[]()*_"))
def test_nobody_is_called_outside_of_code(text: str) -> None:
    parts = inline(prose(text))

    assert {kind for kind, _ in parts} <= {"text", "code_inline"}
    assert not re.search(r"[@#](?!\u200b)", "".join(said for kind, said in parts if kind == "text"))


@given(st.text("`@#<>ab\\\n[]()*_"))
def test_plain_text_has_no_markdown_at_all(text: str) -> None:
    parts = inline(plain(text))

    assert {kind for kind, _ in parts} <= {"text"}
    assert "".join(said for _, said in parts).replace(ZERO_WIDTH, "") == " ".join(text.split())


def inline(text: str) -> list[tuple[str, str]]:
    """What CommonMark makes of a sentence: kinds and texts. An escaped character is text."""
    (block,) = MarkdownIt("commonmark").parseInline(text)
    return [(one.type.replace("text_special", "text"), one.content) for one in block.children or ()]


@given(st.integers(0, COMMENT_LIMIT * 2))
def test_a_comment_of_any_length_ends_with_its_marker(length: int) -> None:
    mark = marker("answer", "123")

    text = with_marker("line\n" * (length // 5), mark)

    assert len(text) <= COMMENT_LIMIT
    assert text.endswith(f"\n\n{mark}")
