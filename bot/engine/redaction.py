"""Keeping secrets out of what is written: whatever was read as one is masked in every text that leaves.

Masked are values of at least six characters: a shorter one would hide words that have nothing to do with it.
"""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 6
_LONGEST_LINES = 16  # from this length on a line of a secret of several lines is masked by itself
_NAMES_SECRET = re.compile(r"auth|password|secret|token|key", re.I)
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
        self._forms: defaultdict[str, list[str]] = defaultdict(list)  # by their beginning, the longest first

    def learn(self, value: str) -> None:
        if value in self._known:
            return
        self._known.add(value)
        for form in _forms(value):
            alike = self._forms[form[:_SHORTEST]]
            if form not in alike:
                alike.append(form)
                alike.sort(key=len, reverse=True)
        for other in self._others:
            other.learn(value)

    def mask(self, text: str) -> str:
        """The text without any of them. The bot's own marks in it stay as they are."""
        if not self._forms:
            return text
        parts = _OWN_MARKS.split(text)  # every second one is a mark
        return "".join(part if number % 2 else self._masked(part) for number, part in enumerate(parts))

    def mask_all(self, data: Any) -> Any:
        """The same for all texts in a value as JSON knows them, keys included."""
        match data:
            case str():
                return self.mask(data)
            case Mapping():
                return {self.mask_all(key): self.mask_all(value) for key, value in data.items()}
            case list() | tuple():
                return [self.mask_all(value) for value in data]
        return data

    def _masked(self, text: str) -> str:
        parts: list[str] = []
        done = place = 0
        while place + _SHORTEST <= len(text):
            found = next(
                (form for form in self._forms.get(text[place : place + _SHORTEST], ()) if text.startswith(form, place)),
                None,
            )
            if found is None:
                place += 1
                continue
            parts += (text[done:place], MASK)
            done = place = place + len(found)
        return "".join((*parts, text[done:]))


def _forms(value: str) -> set[str]:
    """All that stands for a secret in a text, itself included."""
    forms: set[str] = set()
    for part in (value, value.strip(), *_inner(value)):
        escaped = json.dumps(part)[1:-1]
        forms |= {
            part,
            quote(part, safe=""),
            quote(part),
            quote_plus(part),
            escaped,
            json.dumps(part, ensure_ascii=False)[1:-1],
        }
        forms.update(_in_base64(part.encode("utf-8", "surrogatepass")))
    return {form for form in forms if len(form) >= _SHORTEST}


def _inner(value: str) -> Iterator[str]:
    """What is secret by itself in a secret of several lines, or one that is JSON (a Docker `config.json`)."""
    for line in value.splitlines():
        if len(line.strip()) >= _LONGEST_LINES:
            yield line.strip()
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
