"""Keeping secrets out of what is written: whatever was read as one is masked in every text that leaves.

Masked are values of at least six characters wherever they stand, also spelt as Markdown or JSON has them, and where
lines are broken within them. Shorter ones are masked where they stand as a word, for elsewhere they would hide what has
nothing to do with them; those that are settings rather than secrets (`true`, `8080`) are not.
"""

import base64
import html
import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
_SHORTEST = 6
_SHORTEST_WORD = 3
_SETTINGS = {"true", "false", "yes", "off", "null", "none"}
_LONG = 12  # from this length on it is found whatever space is within it
# What Markdown, JSON and the like put before characters, however often; and what lines are broken by.
_ESCAPES = re.compile(r"\\|\u200b")
_BREAKS = re.compile(r"(?:\s|<br>|(?:\\r)?\\n)[\s>|]*|\\|\u200b")
_LONGEST_LINES = 16  # from this length on a line of a secret of several lines is masked by itself
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_NAMES_SECRET = re.compile(r"auth|password|secret|token|key", re.I)
_IN_AN_ADDRESS = re.compile(r"://[^\s/@:]*:([^\s/@]+)@")  # the password
# How the bot finds its own texts again; nothing of them comes from a secret.
_OWN_MARKS = re.compile(r"(<!-- towpath:[a-z-]+(?: [A-Za-z0-9_.=/:-]+)* -->)")


class Redactor:
    """Knows the values that were read as secrets, and masks them and their usual encodings.

    Its time does not grow with the number of values: they are found by their first characters.
    """

    def __init__(self, *others: "Redactor") -> None:
        """What it learns, `others` learn too."""
        self._others = others
        self._known: set[str] = set()
        self._plain, self._bare, self._joined = _Forms(), _Forms(_ESCAPES), _Forms(_BREAKS, _LONG)
        self._words: re.Pattern[str] | None = None

    def learn(self, value: str) -> None:
        if value in self._known:
            return
        self._known.add(value)
        for form in _forms(value):
            for forms in (self._plain, self._bare, self._joined):
                forms.add(form)
        if _is_word(value.strip()):
            words = sorted(re.escape(one.strip()) for one in self._known if _is_word(one.strip()))
            self._words = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")
        for other in self._others:
            other.learn(value)

    def mask(self, text: str) -> str:
        """The text without any of them. The bot's own marks in it stay as they are."""
        return self._outside_marks(text, words=True)

    def mask_all(self, data: Any) -> Any:
        """The same for all texts in a value as JSON knows them, keys included; but for words: data may mean them."""
        match data:
            case str():
                return self._outside_marks(data, words=False)
            case Mapping():
                return {self.mask_all(key): self.mask_all(value) for key, value in data.items()}
            case list() | tuple():
                return [self.mask_all(value) for value in data]
        return data

    def _outside_marks(self, text: str, *, words: bool) -> str:
        if not self._known:
            return text
        parts = _OWN_MARKS.split(text)  # every second one is a mark
        return "".join(part if number % 2 else self._masked(part, words) for number, part in enumerate(parts))

    def _masked(self, text: str, words: bool) -> str:
        spans = sorted(span for forms in (self._plain, self._bare, self._joined) for span in forms.found(text))
        parts: list[str] = []
        done = 0
        for start, end in spans:
            if start >= done:
                parts += (text[done:start], MASK)
            done = max(done, end)
        masked = "".join((*parts, text[done:]))
        return self._words.sub(MASK, masked) if words and self._words is not None else masked


class _Forms:
    """Texts by which secrets are found in others, both without what `ignored` finds in them."""

    def __init__(self, ignored: re.Pattern[str] | None = None, shortest: int = _SHORTEST) -> None:
        self._ignored = ignored
        self._shortest = shortest
        self._forms: defaultdict[str, list[str]] = defaultdict(list)  # by their beginning, the longest first

    def add(self, form: str) -> None:
        plain = self._ignored.sub("", form) if self._ignored else form
        alike = self._forms[plain[:_SHORTEST]]
        if len(plain) >= self._shortest and plain not in alike:
            alike.append(plain)
            alike.sort(key=len, reverse=True)

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they begin and end."""
        gaps = [match.span() for match in self._ignored.finditer(text)] if self._ignored else []
        if self._ignored and not gaps:
            return
        starts = [0, *(end for _, end in gaps)]  # of what is between the gaps, there …
        ends = [*(start for start, _ in gaps), len(text)]
        begins = [0]  # … and without them
        for start, end in zip(starts, ends, strict=True):
            begins.append(begins[-1] + end - start)
        for start, end in self._places("".join(text[a:b] for a, b in zip(starts, ends, strict=True))):
            first, last = bisect_right(begins, start) - 1, bisect_right(begins, end - 1) - 1
            yield starts[first] + start - begins[first], starts[last] + end - begins[last]

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        place = 0
        while place + _SHORTEST <= len(text):
            forms = self._forms.get(text[place : place + _SHORTEST], ())
            found = next((form for form in forms if text.startswith(form, place)), None)
            if found is None:
                place += 1
                continue
            yield place, place + len(found)
            place += len(found)


def _is_word(value: str) -> bool:
    letters = any(character.isalpha() for character in value)
    return _SHORTEST_WORD <= len(value) < _SHORTEST and letters and value.lower() not in _SETTINGS


def _forms(value: str) -> set[str]:
    """All that stands for a secret in a text, itself included."""
    forms: set[str] = set()
    for part in (value, value.strip(), *_inner(value)):
        in_urls = {quote(part, safe=""), quote(part), quote_plus(part)}
        in_json = {json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
        in_html = {html.escape(part), html.escape(part, quote=False)}
        forms |= {part, *in_urls, *map(_in_small_letters, in_urls), *in_json, *in_html}
        forms.update(_in_base64(part.encode("utf-8", "surrogatepass")))
    return {form for form in forms if len(form) >= _SHORTEST}


def _in_small_letters(url: str) -> str:
    return _PERCENT.sub(lambda found: found[0].lower(), url)


def _inner(value: str) -> Iterator[str]:
    """What is secret by itself in a secret of several lines, or one that is JSON (a Docker `config.json`)."""
    for line in value.splitlines():
        if len(line.strip()) >= _LONGEST_LINES:
            yield line.strip()
        yield from map(unquote, _IN_AN_ADDRESS.findall(line))
    if value.lstrip()[:1] == "{":
        try:
            yield from _secret_leaves(json.loads(value), named=False)
        except (ValueError, RecursionError):
            return


def _secret_leaves(data: object, *, named: bool) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _secret_leaves(value, named=isinstance(value, str) and bool(_NAMES_SECRET.search(key)))
    elif isinstance(data, list):
        for value in data:
            yield from _secret_leaves(value, named=named)
    elif isinstance(data, str) and named:
        yield data


def _in_base64(value: bytes) -> Iterator[str]:
    """What every base64 text that holds the value has in common, wherever the value begins (`user:value`)."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value).rstrip(b"=")
        first = (0, 2, 3)[before]  # characters that depend on what is before it …
        last = len(encoded) - (1 if (before + len(value)) % 3 else 0)  # … and behind
        text = encoded[first:last].decode()
        yield text
        yield text.translate(str.maketrans("+/", "-_"))
