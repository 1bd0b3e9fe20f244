"""Titles and descriptions: limits, drafts, and orders that nobody is to give."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gitlab import texts
from bot.sandbox.gitlab.drafts import is_draft

TEXT = st.text(alphabet=st.sampled_from("aZ/\n\r\t `>\u2028\0\ud800draft:-[]() "), max_size=80) | st.text(max_size=80)


@pytest.mark.parametrize(
    ("given_title", "draft", "expected"),
    [
        ("Promote", False, "Promote"),
        ("Promote", True, "Draft: Promote"),
        ("Draft: Promote", True, "Draft: Promote"),
        ("[Draft] Promote", True, "[Draft] Promote"),
        ("  Promote\n test ", False, "Promote test"),
        ("x" * 300, False, "x" * 254 + "…"),
        ("x" * 250, True, "Draft: " + "x" * 247 + "…"),
    ],
)
def test_a_title(given_title: str, draft: bool, expected: str) -> None:
    assert texts.title(given_title, draft=draft) == expected


@given(TEXT, st.booleans())
def test_a_title_is_one_short_line_and_a_draft_says_so(text: str, draft: bool) -> None:
    made = texts.title(text, draft=draft)

    assert len(made) <= texts.TITLE_CHARACTERS
    assert "\n" not in made
    assert is_draft(made) or not draft
    assert not is_draft(texts.without_draft(made))


@given(TEXT)
def test_no_line_of_a_description_is_an_order(text: str) -> None:
    made = texts.description(text)

    assert re.search(r"^\s*/[a-z]", made.replace("\r", ""), re.MULTILINE | re.IGNORECASE) is None
    assert texts.description(made) == made
    made.encode()


@pytest.mark.parametrize(
    "order", ["/merge", "text\n/approve", "text\n  /close now", "```\nx\n```\n/merge", "a\n\r/Merge"]
)
def test_an_order_stays_readable(order: str) -> None:
    made = texts.description(order)

    assert re.search(r"(?m)^\s*/", made) is None
    assert made.replace("\u200b", "").split() == order.split()


def test_paths_and_urls_stay_as_they_are() -> None:
    text = "see https://example.com/merge and a/b\n- /etc is a folder\n"

    assert texts.description(text) == text.rstrip()


def test_a_description_that_is_too_long_is_cut_and_says_so() -> None:
    made = texts.description("x" * (texts.DESCRIPTION_CHARACTERS + 1))

    assert len(made) <= texts.DESCRIPTION_CHARACTERS
    assert made.endswith("GitLab takes no more.")
