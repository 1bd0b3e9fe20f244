"""The pages as somebody without eyes or scripts uses them: reads words, follows links, fills forms, presses buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import aiohttp

_VOID = {"br", "meta", "input", "img", "hr", "link"}


@dataclass(slots=True)
class Form:
    """A form: where it goes, what it already holds, its buttons by their words as (name, value)."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Reader(HTMLParser):
    """Takes a page apart. `tags` are all start tags with their attributes, `unbalanced` what was closed wrongly."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.forms: list[Form] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self._button: tuple[str, str] | None = None
        self._select = ""
        self.feed(html)
        self.close()

    @property
    def words(self) -> str:
        """All text, in one line."""
        return " ".join(" ".join(self.text).split())

    @property
    def links(self) -> list[str]:
        """Where the page's links lead."""
        return [attributes["href"] for tag, attributes in self.tags if tag == "a" and "href" in attributes]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "form":
            self.forms.append(Form(given["action"]))
        elif tag in ("input", "textarea") and self.forms and "name" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and ("selected" in given or self._select not in self.forms[-1].fields):
            self.forms[-1].fields[self._select] = given.get("value", "")
        elif tag == "button":
            self._button = given.get("name", ""), given.get("value", "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1:] == [tag]:
            self.open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self._button is not None and self.forms and data.strip():
            self.forms[-1].buttons[data.strip()] = self._button
            self._button = None
        if "style" not in self.open and "script" not in self.open:
            self.text.append(data)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it came, and taken apart. `path` is where the way ended."""

    status: int
    path: str
    html: str
    headers: dict[str, str]
    reader: Reader

    @property
    def words(self) -> str:
        """What is to be read."""
        return self.reader.words

    def form(self, button: str) -> Form:
        """The form with a button of these words."""
        found = [form for form in self.reader.forms if button in form.buttons]
        assert len(found) == 1, f"{len(found)} forms of {self.path} have a button {button!r}"
        return found[0]

    def has_button(self, words: str) -> bool:
        """Whether there is such a button at all."""
        return any(words in form.buttons for form in self.reader.forms)


@dataclass(frozen=True, slots=True)
class Site:
    """A browser with its cookies, on one sandbox."""

    url: str
    session: aiohttp.ClientSession

    async def open(self, path: str) -> Shown:
        """A page, after all that it leads on to."""
        async with self.session.get(urljoin(self.url, path)) as response:
            return await _shown(response)

    async def become(self, login: str, path: str = "/") -> Shown:
        """Say who one is; ends on the page where it was said."""
        page = await self.open(path)
        form = page.form("Switch")
        return await self.send(form.action, form.fields | {"account": login})

    async def press(self, page: Shown, button: str, **fields: str) -> Shown:
        """Fill in a form and press one of its buttons."""
        form = page.form(button)
        name, value = form.buttons[button]
        return await self.send(form.action, form.fields | fields | ({name: value} if name else {}))

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> Shown:
        """Send a form as a browser does from a page of this site; `headers` with underscores replace its own."""
        ours = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        ours |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(urljoin(self.url, path), data=fields, headers=ours) as response:
            return await _shown(response)


async def _shown(response: aiohttp.ClientResponse) -> Shown:
    html = await response.text()
    path = urlsplit(str(response.url)).path
    return Shown(response.status, path, html, dict(response.headers), Reader(html))
