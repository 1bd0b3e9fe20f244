"""Markdown: what GitHub shows is shown, what would run or break the page is text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.pages.markdown import render
from tests.sandbox.pages.site import Reader

ALLOWED = {
    *("p", "br", "hr", "a", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "img", "div", "table"),
    *("thead", "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("details", "summary", "sub", "sup", "kbd", "b", "i"),
}
ATTRIBUTES = {"href", "src", "alt", "title", "class", "style", "start", "open"}
PIECES = (
    *("<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>", "<script>", "</script>", "<!--", "-->"),
    *("<div>", "</div>", "</article>", '<a href="javascript:x">', "<br>", "> ", "- ", "1. ", "\n", "\n\n", "    "),
    *(
        "`",
        "```",
        "**",
        "_",
        "~~",
        "[x](javascript:alert(1))",
        "| a | b |\n| - | - |\n",
        "https://a.example/?b=c",
        "#1",
    ),
    *("@owner", "[ ] ", "&lt;", "&", '"', "<", ">", "x", "![i](data:text/html,x)", "\\", "<code>", "<DETAILS open>"),
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a <!-- secret --> b", "<p>a  b</p>\n"),
        ("<!-- towpath:record\nlines -->\nhello", "<p>hello</p>\n"),
        ("<!-- never ends\n\nhello", ""),
        ("a<br>b<br/>c", "<p>a<br>b<br>c</p>\n"),
        ("~~old~~ **new**", "<p><s>old</s> <strong>new</strong></p>\n"),
        ("<details>\n<summary>More</summary>\n\n*inside*\n\n</details>",
         "<details>\n<summary>More</summary>\n<p><em>inside</em></p>\n</details>"),
        ("<details open onclick=x>", "<details></details>"),
        ("<details open>", "<details open></details>"),
        ("</details></div>text", "&lt;/div&gt;text"),
        ("press <kbd>x", "<p>press <kbd>x</kbd></p>\n"),
        ("- [x] done\n- [ ] open", "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>\n"),
        ("see https://x.example/a_b_c).",
         '<p>see <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>).</p>\n'),
        ("#1, #99, a#1, @owner and @nobody",
         '<p><a href="/1">#1</a>, #99, a#1, <a href="/u">@owner</a> and @nobody</p>\n'),
        ("`#1` [#1](http://x)", '<p><code>#1</code> <a href="http://x">#1</a></p>\n'),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("x <img src=x onerror=alert(1)>", "<p>x &lt;img src=x onerror=alert(1)&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ],
)  # fmt: skip
def test_it_reads(text: str, html: str) -> None:
    shown = render(text, {"#1": "/1", "@owner": "/u"}.get)

    assert shown.strip() == html.strip()


def test_a_table_is_a_table_that_scrolls_by_itself() -> None:
    page = Reader(render("| a | b |\n| --- | --- |\n| 1 | <br>2 |"))

    assert [tag for tag, _ in page.tags] == ["div", "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td", "br"]


def test_what_a_list_leaves_open_ends_with_the_list() -> None:
    html = render("- <details>\n  <summary>a</summary>\n\nafter")

    assert html.index("</details>") < html.index("</li>") < html.index("after")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=25).map("".join))
def test_whatever_is_written_stays_harmless_and_within_its_place(text: str) -> None:
    page = Reader(render(text))

    assert {tag for tag, _ in page.tags} <= ALLOWED
    for _, attributes in page.tags:
        assert attributes.keys() <= ATTRIBUTES
        assert not attributes.get("href", "").lower().startswith(("javascript:", "data:", "vbscript:"))
    assert (page.open, page.unbalanced) == ([], [])
