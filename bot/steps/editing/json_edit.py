"""Changing scalars of a JSON text in place, and adding what is not there in the text's own layout.

Every byte that is not part of a changed or added value stays: the order of keys, indentation, numbers as written.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from bot.errors import UserError
from bot.steps.editing.yaml_edit import Update
from bot.steps.editing.yaml_keys import Part, key_parts
from bot.steps.editing.yaml_scalars import Scalar, write_scalar

_SPACE = re.compile(r"[ \t\r\n]*")
_SPACES = " \t\r\n"
_INDENT = re.compile(r"[ \t]*")
_KINDS = {"{": "an object", "[": "a list"}


@dataclass(frozen=True, slots=True)
class _Member:
    """A value in an object or list: its key is text[start:colon], it is text[value:end]. In a list both begin alike."""

    name: str
    start: int
    colon: int
    value: int
    end: int


def update_json(text: str, updates: Sequence[Update], path: str) -> str:
    """The text with these values set, one after the other. Missing keys are added, as by sjson.

    Raises UserError, naming `path`, for what is no JSON, and for a key that leads to or through what it can't.
    """
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text[len(bom) :]
    try:
        _parse(text, path)
        for update in updates:
            written = write_json(update.value, f"{update.key!r} of {path}")
            text = _Edit(text, path, update.key).set(written)
    except RecursionError as error:
        raise UserError(f"{path} is nested too deep") from error
    return bom + text


def write_json(value: Scalar, what: str) -> str:
    """A value in JSON. Raises UserError for a number that JSON has no way to write."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{what} can't be set to {value}; JSON has no such number")
    if not isinstance(value, str):
        return write_scalar(value)
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if any("\ud800" <= letter <= "\udfff" for letter in text) else text


def _parse(text: str, path: str) -> None:
    def refused(name: str) -> NoReturn:
        raise ValueError(f"{name} is no JSON")

    try:
        json.loads(text, parse_constant=refused, parse_int=str, parse_float=str)  # numbers may be of any length
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error


class _Edit:
    def __init__(self, text: str, path: str, key: str) -> None:
        self._text = text
        self._path = path
        self._key = key
        self._end_of_line = "\r\n" if "\r\n" in text else "\n"
        self._decoder = json.JSONDecoder(parse_int=str, parse_float=str)
        self._unit, self._colon = self._layout()

    def _layout(self) -> tuple[str, str]:
        """By what lines are indented ("": everything is on one), and what is between a key and its value."""
        start = self._skip(0)
        members = self._members(start) if self._text[start] in _KINDS else []
        if not members:
            return "", ": "
        first = members[0]
        gap = self._text[start + 1 : first.start]
        unit = gap.rpartition("\n")[2] if "\n" in gap else ""
        return unit, self._text[first.colon : first.value] or ": "

    def set(self, written: str) -> str:
        parts = key_parts(self._key)
        at = begins = self._skip(0)
        for number, part in enumerate(parts):
            opening = self._text[at]
            if opening not in _KINDS:
                above = ".".join(part.text for part in parts[:number]) or "the whole"
                raise self._mistake(f"{above} is a single value, and can't hold {part.text!r}")
            members = self._members(at)
            found = self._find(part, opening, members)
            if found is None:
                unit = self._unit if "\n" in self._gap(begins) else ""
                return self._added(at, members, self._to_add(parts[number:], opening), written, unit)
            begins, at, end = found.start, found.value, found.end
        if self._text[at] in _KINDS:
            raise self._mistake(f"it is {_KINDS[self._text[at]]}, not a single value; name a key inside it")
        return self._text[:at] + written + self._text[end:]

    def _find(self, part: Part, opening: str, members: Sequence[_Member]) -> _Member | None:
        if opening == "[":
            if not part.is_place:
                raise self._mistake(f"{part.text!r} is asked of a list; write the number of an item, from 0")
            if part.text != "-1" and int(part.text) > len(members):
                raise self._mistake(f"there is no item {part.text} in a list of {len(members)}; -1 adds one")
            return None if part.text == "-1" or int(part.text) == len(members) else members[int(part.text)]
        found = [member for member in members if member.name == part.text]
        if len(found) > 1:
            raise self._mistake(f"{part.text!r} is there twice")
        return found[0] if found else None

    def _to_add(self, parts: Sequence[Part], opening: str) -> Sequence[Part]:
        """What is missing. Digits are a name in an object that is there, and the first item of a list that is not."""
        for part in parts[1:]:
            if part.is_place and part.text not in {"0", "-1"}:
                raise self._mistake(f"there is no list yet that could have an item {part.text}; the first is 0")
        return (replace(parts[0], is_name=opening == "{"), *parts[1:])

    def _members(self, at: int) -> list[_Member]:
        """What the object or list at `at` holds. The text is known to be sound."""
        is_object = self._text[at] == "{"
        members: list[_Member] = []
        at = self._skip(at + 1)
        while self._text[at] not in "}]":
            start, colon, name = at, at, ""
            if is_object:
                name, colon = self._decoder.raw_decode(self._text, at)
                at = self._skip(self._skip(colon) + 1)
            _, end = self._decoder.raw_decode(self._text, at)
            members.append(_Member(name, start, colon, at, end))
            at = self._skip(end)
            if self._text[at] == ",":
                at = self._skip(at + 1)
        return members

    def _added(self, at: int, members: Sequence[_Member], rest: Sequence[Part], written: str, unit: str) -> str:
        """The text with one more member in the object or list at `at`, laid out as the others are.

        One that is empty is laid out by `unit`, as `_nested` is.
        """
        text = self._text
        if not members:
            close = self._skip(at + 1)
            indent = _INDENT.match(text, text.rfind("\n", 0, at) + 1)
            return text[:at] + self._nested(rest, written, indent[0] if indent else "", unit) + text[close + 1 :]
        last = members[-1]
        gap = self._gap(last.start)
        is_split = "\n" in gap
        new = self._member(rest, written, gap.rpartition("\n")[2], self._unit if is_split else "")
        if len(members) == 1 and not is_split:
            gap = " " if self._colon[-1:].isspace() else ""
        return f"{text[: last.end]},{gap}{new}{text[last.end :]}"

    def _gap(self, at: int) -> str:
        """The white space before."""
        before = self._text[:at]
        return before[len(before.rstrip(_SPACES)) :]

    def _nested(self, parts: Sequence[Part], written: str, indent: str, unit: str) -> str:
        """An object or list with one member; on one line without `unit`, by which lines are indented further."""
        opening, closing = "[]" if parts[0].is_place else "{}"
        member = self._member(parts, written, indent + unit, unit)
        if not unit:
            return f"{opening}{member}{closing}"
        line = self._end_of_line
        return f"{opening}{line}{indent}{unit}{member}{line}{indent}{closing}"

    def _member(self, parts: Sequence[Part], written: str, indent: str, unit: str) -> str:
        first, rest = parts[0], parts[1:]
        value = self._nested(rest, written, indent, unit) if rest else written
        if first.is_place:
            return value
        return f"{json.dumps(first.text, ensure_ascii=False)}{self._colon}{value}"

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _mistake(self, what: str) -> UserError:
        return UserError(f"{self._key!r} of {self._path} can't be set: {what}")
