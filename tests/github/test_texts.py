"""Texts within GitHub's limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github import texts


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("exactly 10", 10, "exactly 10"),
        ("eleven char", 10, "eleven ch…"),
        ("two\nlines", 20, "two lines"),
        ("ä" * 11, 10, "ä" * 9 + "…"),
        ("half \ud800", 10, "half ?"),
    ],
)
def test_a_line_is_cut_with_an_ellipsis(text, limit, expected):
    assert texts.line(text, limit) == expected


def test_what_fits_stays_as_it_is():
    text = "ä" * 32_767 + "x"
    assert texts.by_bytes(text, texts.CHECK_BYTES) == text
    assert len(text.encode()) == texts.CHECK_BYTES


def test_what_does_not_fit_is_cut_at_a_line_and_says_so():
    text = "\n".join(f"line {n}" for n in range(20_000))
    cut = texts.by_bytes(text, texts.CHECK_BYTES)
    assert texts.CHECK_BYTES - 20 < len(cut.encode()) <= texts.CHECK_BYTES
    kept = cut.removesuffix(texts.NOTE)
    assert text.startswith(kept + "\n")


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("````yaml\n```\n" + "a: b\n" * 100, "\n````"),
        ("~~~\n" + "a: b\n" * 100, "\n~~~"),
        ("<details><summary>x</summary>\n\n```\n" + "a: b\n" * 100, "\n```\n</details>"),
        ("```\nx\n```\n" + "a: b\n" * 100, ""),
        ("``` not a fence ```\n" + "a: b\n" * 100, ""),
        ("<!-- hidden\n" + "a: b\n" * 100, " -->"),
    ],
)
def test_what_the_cut_left_open_is_closed(text, closing):
    cut = texts.by_characters(text, 200)
    kept = cut.removesuffix(texts.NOTE)
    assert kept != cut
    assert kept.endswith("a: b" + closing)
    assert len(cut) <= 200


@given(st.text(st.characters() | st.sampled_from("`~\n<!->é€😀\ud800")), st.integers(0, 120))
def test_no_text_exceeds_its_limit_or_breaks_utf_8(text, limit):
    by_bytes, by_characters = texts.by_bytes(text * 3, limit), texts.by_characters(text * 3, limit)
    assert len(by_bytes.encode()) <= limit
    assert len(by_characters) <= limit
    by_characters.encode()
