"""GitHub-flavoured Markdown as HTML: comments hidden, a handful of tags let through, all other markup shown as text.

https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape, unescape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from bot.sandbox.pages.html import Html

Addresses = Callable[[str], str | None]
"""The address behind `#12` or `@login`, or None if there is no such thing."""

_PAIRED = {"details", "summary", "sub", "sup", "kbd", "b", "strong", "i", "em", "code"}
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*)>", re.DOTALL)
_AUTOLINK = re.compile(r"https?://[^\s<>\"']+|(?<![\w/&])#\d{1,9}\b|(?<![\w/.@])@[A-Za-z0-9][A-Za-z0-9-]*")
_TASK = re.compile(r"\[([ xX])\] ")


def render(text: str | None, addresses: Addresses = lambda _: None) -> Html:
    """Markdown as somebody wrote it, as safe HTML."""
    return Html(_parser().render(text or "", {"addresses": addresses}))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.core.ruler.push("autolinks", _autolinks)
    parser.core.ruler.push("safe_tags", _safe_tags)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


# --- tags --------------------------------------------------------------------------------------------------


def _safe_tags(state: StateCore) -> None:
    """Make raw HTML safe, in blocks and in the lines of each."""
    state.tokens = _safe_tokens(state.tokens)
    for token in state.tokens:
        if token.children:
            token.children = _safe_tokens(token.children)


def _safe_tokens(tokens: Sequence[Token]) -> list[Token]:
    """The same with safe HTML, which ends where what it stands in ends.

    A tag left open would swallow the page, one closed too often would close what the page has around the text.
    """
    safe: list[Token] = []
    opened: dict[int, list[str]] = {}  # by how deep it is nested in what Markdown made
    for token in tokens:
        if token.nesting == -1:
            safe += _closings(opened, deeper_than=token.level)
        if token.type in ("html_block", "html_inline"):
            token.content = _safe(token.content, opened.setdefault(token.level, []))
        safe.append(token)
    return safe + list(_closings(opened, deeper_than=-1))


def _closings(opened: dict[int, list[str]], deeper_than: int) -> Iterator[Token]:
    for level in sorted((level for level in opened if level > deeper_than), reverse=True):
        if tags := opened.pop(level):
            yield Token("html_inline", "", 0, content="".join(f"</{tag}>" for tag in reversed(tags)), level=level)


def _safe(markup: str, opened: list[str]) -> str:
    """Allowed tags bare, comments gone, the rest as text; `opened` is what is open, before and after."""
    parts, at = [], 0
    for found in _TAG.finditer(markup):
        parts += [_text(markup[at : found.start()]), _tag(found, opened)]
        at = found.end()
    return "".join([*parts, _text(markup[at:])])


def _tag(found: re.Match[str], opened: list[str]) -> str:
    closing, name, rest = found.groups()
    if name is None:
        return ""
    tag = name.lower()
    if tag == "br":
        return "<br>"
    if tag not in _PAIRED:
        return _text(found.group())
    if not closing:
        opened.append(tag)
        return "<details open>" if tag == "details" and rest.split() == ["open"] else f"<{tag}>"
    if tag not in opened:
        return ""
    closed: list[str] = []
    while not closed or closed[-1] != tag:
        closed.append(opened.pop())
    return "".join(f"</{name}>" for name in closed)


def _text(markup: str) -> str:
    return escape(unescape(markup))


# --- links and boxes ---------------------------------------------------------------------------------------


def _autolinks(state: StateCore) -> None:
    """Bare addresses, `#12` and `@login` become links, `[x]` at the start of a list's item a box."""
    find: Addresses = state.env["addresses"]
    for number, token in enumerate(state.tokens):
        if token.type != "inline" or not token.children:
            continue
        in_item = number >= 2 and state.tokens[number - 2].type == "list_item_open"
        first = token.children[0]
        if in_item and first.type == "text" and (box := _TASK.match(first.content)):
            first.content = ("☐ " if box[1] == " " else "☑ ") + first.content[box.end() :]
        token.children = list(_linked(token.children, find))


def _linked(children: Sequence[Token], find: Addresses) -> Iterator[Token]:
    inside = 0
    for child in children:
        inside += {"link_open": 1, "link_close": -1}.get(child.type, 0)
        if child.type == "text" and not inside:
            yield from _pieces(child, find)
        else:
            yield child


def _pieces(token: Token, find: Addresses) -> Iterator[Token]:
    at, text = 0, token.content
    for found in _AUTOLINK.finditer(text):
        name = found.group()
        is_url = name.startswith("http")
        name = name.rstrip(".,:;!?)*_~'") if is_url else name
        address = name if is_url else find(name)
        if address is None:
            continue
        yield Token("text", "", 0, content=text[at : found.start()], level=token.level)
        yield Token("link_open", "a", 1, attrs={"href": address}, level=token.level)
        yield Token("text", "", 0, content=name, level=token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        at = found.start() + len(name)
    yield Token("text", "", 0, content=text[at:], level=token.level)


# --- wide tables scroll by themselves ----------------------------------------------------------------------


def _table_open(_self: RendererHTML, _tokens: Sequence[Token], _at: int, _options: OptionsDict, _env: EnvType) -> str:
    return '<div class="wide"><table>\n'


def _table_close(_self: RendererHTML, _tokens: Sequence[Token], _at: int, _options: OptionsDict, _env: EnvType) -> str:
    return "</table></div>\n"
