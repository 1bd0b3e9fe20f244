"""Changing scalars of a TOML text in place: every other byte of it stays as it is.

tomlkit finds the value, by having something that occurs nowhere else put in its place; only that span is exchanged.
"""

import re
import tomllib
from collections.abc import MutableMapping, MutableSequence, Sequence
from typing import Any

import tomlkit
from tomlkit import items
from tomlkit.exceptions import TOMLKitError

from bot.errors import UserError
from bot.steps.editing.json_edit import write_json
from bot.steps.editing.yaml_edit import Update
from bot.steps.editing.yaml_keys import Part, key_parts
from bot.steps.editing.yaml_scalars import Scalar, write_scalar

_LARGEST = 2**63 - 1  # https://toml.io/en/v1.0.0#integer
_LITERAL = re.compile(r"[\t\x20-\x26\x28-\x7e\u0080-\ud7ff\ue000-\U0010ffff]*")
_MARK = "-a value to be exchanged-"


def update_toml(text: str, updates: Sequence[Update], path: str) -> str:
    """The text with these scalars changed. Raises UserError, naming `path`, for what is no TOML and for a key that
    is not there or does not lead to a scalar."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text[len(bom) :]
    try:
        for update in updates:
            text = _updated(text, update, path)
        if not updates:
            tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise UserError(f"{path} is nested too deep") from error
    return bom + text


def write_toml(value: Scalar, what: str, old: Any = None) -> str:
    """A value in TOML, in single quotes or as an integer where `old` is, if that can be. Raises UserError."""
    if value is None:
        raise UserError(f"{what} can't be set to null; TOML has none")
    if isinstance(value, str):
        if isinstance(old, items.String) and old.as_string().startswith("'") and _LITERAL.fullmatch(value):
            return f"'{value}'"
        return write_json(value, what).replace("\x7f", "\\u007f")
    if isinstance(value, float) and not (value.is_integer() and isinstance(old, items.Integer)):
        text = write_scalar(value).removeprefix(".").replace("-.", "-")
        return text if re.search(r"[.a-z]", text) else f"{text}.0"
    if not isinstance(value, bool) and abs(value) > _LARGEST:
        raise UserError(f"{what} can't be set to {write_scalar(value)}; TOML's integers have 64 bits")
    return write_scalar(value)


def _updated(text: str, update: Update, path: str) -> str:
    before = tomllib.loads(text)
    what = f"{update.key!r} of {path}"
    parts = key_parts(update.key)
    try:
        document = tomlkit.parse(text)
        holder: Any = document
        for part in parts[:-1]:
            holder = _below(holder, part, update.key, path)
        old = _below(holder, parts[-1], update.key, path)
        if isinstance(old, (MutableMapping, MutableSequence)):
            kind = "a table" if isinstance(old, MutableMapping) else "a list"
            raise UserError(f"{what} is {kind}, not a single value; name a key inside it")
        mark = _unused(text)
        holder[_place(holder, parts[-1])] = mark
        marked = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise UserError(f"{what} can't be changed ({error}); edit it by hand") from error
    start, _, after = marked.partition(f'"{mark}"')
    if not (text.startswith(start) and text.endswith(after) and len(start) + len(after) < len(text)):
        raise UserError(f"{what} can't be changed without changing more; edit it by hand")
    result = start + write_toml(update.value, what, old) + text[len(text) - len(after) :]
    _verify(before, tomllib.loads(result), parts, what)
    return result


def _unused(text: str) -> str:
    mark = _MARK
    while mark in text:
        mark += "-"
    return mark


def _below(holder: Any, part: Part, key: str, path: str) -> Any:
    """The value under a name or number. Raises UserError where there is none."""
    place = _place(holder, part)
    missing = isinstance(holder, MutableMapping) and place not in holder
    if place is None or missing or (isinstance(place, int) and place >= len(holder)):
        raise UserError(f"{path} has no key {key!r}: there is no {part.text!r}; correct the key, or add it to the file")
    return holder[place]


def _place(holder: Any, part: Part) -> str | int | None:
    if isinstance(holder, MutableMapping):
        return part.text
    if isinstance(holder, MutableSequence) and part.is_place and part.text != "-1":
        return int(part.text)
    return None


def _verify(before: Any, after: Any, parts: Sequence[Part], what: str) -> None:
    """Raises UserError unless nothing differs but the value that was to be changed."""
    for data in (before, after):
        holder = data
        for part in parts[:-1]:
            holder = holder[_place(holder, part)]
        holder[_place(holder, parts[-1])] = None
    if repr(before) != repr(after):  # by their texts: nan is not equal to itself
        raise UserError(f"{what} can't be changed without changing more; edit it by hand")
