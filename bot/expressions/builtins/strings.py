"""Functions for text (https://pkg.go.dev/strings)."""

from collections.abc import Callable

from bot.expressions import text as utf8
from bot.expressions.errors import Fault
from bot.expressions.formatting import to_text
from bot.expressions.frame import Frame
from bot.expressions.operations import as_index
from bot.expressions.values import NilList, kind_of


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Fault(f"{name} takes text, not {kind_of(value)}")


def _string(frame: Frame, value: object) -> str:
    return to_text(value, frame.budget)


def _trim(frame: Frame, value: object, characters: object = None) -> str:
    text = _text("trim", value)
    frame.budget.reserve(len(text))
    if characters is None:
        return utf8.trim_space(text)
    unwanted = "".join(dict.fromkeys(_text("trim", characters)))  # each of them is looked for at every character
    frame.budget.spend(len(text) * (len(unwanted) + 64) >> 10)
    return text.strip(unwanted)


def _trim_prefix(frame: Frame, value: object, prefix: object = " ") -> str:
    return frame.budget.text(_text("trimPrefix", value).removeprefix(_text("trimPrefix", prefix)))


def _trim_suffix(frame: Frame, value: object, suffix: object = " ") -> str:
    return frame.budget.text(_text("trimSuffix", value).removesuffix(_text("trimSuffix", suffix)))


def _upper(frame: Frame, value: object) -> str:
    return utf8.upper(_cased("upper", frame, value))


def _lower(frame: Frame, value: object) -> str:
    return utf8.lower(_cased("lower", frame, value))


def _cased(name: str, frame: Frame, value: object) -> str:
    text = _text(name, value)
    if not text.isascii():
        frame.budget.spend(3 * len(text))
    return frame.budget.text(text)


def _splitter(name: str, *, keep: bool) -> Callable[..., object]:
    def split(frame: Frame, value: object, separator: object, most: object = -1) -> object:
        if not isinstance(value, str) or not isinstance(separator, str):
            raise Fault(f"{name} takes text, not {kind_of(separator if isinstance(value, str) else value)}")
        text, between, count = value, separator, -1 if most == -1 else as_index(most)
        if count == 0:
            return NilList()
        frame.budget.reserve(len(text))
        parts = _parts(text, between, count)
        if len(parts) > 1:
            frame.budget.grow(len(parts) >> 3)
            frame.budget.spend(4 + (len(parts) if keep else len(parts) >> 2))
        if keep and between:
            parts[:-1] = [part + between for part in parts[:-1]]
        return parts

    return split


def _parts(text: str, separator: str, most: int) -> list[str]:
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    if most < 0 or most >= len(text):
        return list(text)
    return [*text[: most - 1], text[most - 1 :]]


def _replace(frame: Frame, value: object, old: object, new: object, most: object = -1) -> str:
    text, before, after = (_text("replace", part) for part in (value, old, new))
    limit = as_index(most)
    frame.budget.read(text, each=32)
    found = text.count(before)
    times = found if limit < 0 else min(found, limit)
    frame.budget.spend(times >> 3)
    frame.budget.reserve(len(text) + times * max(len(after) - len(before), 0))
    return text.replace(before, after, times)


def _repeat(frame: Frame, value: object, times: object) -> str:
    text, count = _text("repeat", value), as_index(times)
    if count < 0:
        raise Fault(f"repeat takes a number from 0 on, got {count}")
    if count > 1_000_000:
        raise Fault("the expression needs too much memory")
    frame.budget.grow(utf8.byte_length(text) * count)
    return frame.budget.text(text * count)


def _join(frame: Frame, value: object, separator: object = "") -> str:
    between = _text("join", separator)
    if not isinstance(value, list):
        raise Fault(f"join takes a list of texts, not {kind_of(value)}")
    parts = [_text("join", part) for part in value]
    frame.budget.spend(len(parts))
    frame.budget.reserve(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)


def _index_of(frame: Frame, value: object, part: object) -> int:
    text = _text("indexOf", value)
    frame.budget.read(text, each=32)
    return utf8.byte_index(text, text.find(_text("indexOf", part)))


def _last_index_of(frame: Frame, value: object, part: object) -> int:
    text = _text("lastIndexOf", value)
    sought = _text("lastIndexOf", part)
    # From the end, Python compares at every place.
    frame.budget.spend(len(text) * (len(sought) + 8) >> 8)
    return utf8.byte_index(text, text.rfind(sought))


def _has_prefix(frame: Frame, value: object, prefix: object) -> bool:
    frame.budget.read(_text("hasPrefix", prefix), each=256)
    return _text("hasPrefix", value).startswith(_text("hasPrefix", prefix))


def _has_suffix(frame: Frame, value: object, suffix: object) -> bool:
    frame.budget.read(_text("hasSuffix", suffix), each=256)
    return _text("hasSuffix", value).endswith(_text("hasSuffix", suffix))


STRINGS: dict[str, Callable[..., object]] = {
    "string": _string,
    "trim": _trim,
    "trimPrefix": _trim_prefix,
    "trimSuffix": _trim_suffix,
    "upper": _upper,
    "lower": _lower,
    "split": _splitter("split", keep=False),
    "splitAfter": _splitter("splitAfter", keep=True),
    "replace": _replace,
    "repeat": _repeat,
    "join": _join,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "hasPrefix": _has_prefix,
    "hasSuffix": _has_suffix,
}
