"""Nothing that is filled in becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.pages.html import Html, fill, markup
from tests.sandbox.pages.site import Reader


@given(st.text(), st.text())
def test_whatever_is_filled_in_stays_text(inside: str, attribute: str) -> None:
    page = Reader(fill('<p title="{attribute}">{inside}</p>', inside=inside, attribute=attribute))

    assert [tag for tag, _ in page.tags] == ["p"]
    assert _lines("".join(page.text)) == _lines(inside)
    assert _lines(page.tags[0][1]["title"]) == _lines(attribute)


def test_markup_goes_through_once_and_lists_one_after_the_other() -> None:
    bold = fill("<b>{word}</b>", word="a & b")

    assert fill("<p>{rest}</p>", rest=[bold, " <", None, 7]) == "<p><b>a &amp; b</b> &lt;7</p>"
    assert markup(markup("<")) == "&lt;"


def test_braces_in_values_are_no_templates() -> None:
    assert fill("{text}", text="{0} {evil} {{") == "{0} {evil} {{"


@pytest.mark.parametrize("template", ["{a:>9}", "no place"])
def test_a_template_that_would_lose_or_format_something_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template of HTML"):
        fill(Html(template), a="x")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
