"""JSON and base64."""

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any

from bot.expressions.errors import Fault
from bot.expressions.formatting import to_json
from bot.expressions.frame import Frame
from bot.expressions.text import from_bytes, to_bytes
from bot.expressions.values import kind_of


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Fault(f"{name} takes text, not {kind_of(value)}")


def _to_json(frame: Frame, value: object) -> str:
    return to_json(value, frame.budget, indent=2)


def parse_json(text: str) -> object:
    """JSON as Go reads it: every number is a float. Raises `ValueError`."""
    try:
        value = json.loads(text, parse_int=_json_number, parse_float=_json_number, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    # Half a surrogate pair can be written in JSON, but is no character.
    return _repaired(value) if "\\ud" in text.lower() else value


def _json_number(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise ValueError(f"{written[:50]} is too large")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return "".join("\ufffd" if 0xD800 <= ord(character) <= 0xDFFF else character for character in value)
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in value.items()}
    return value


def _from_json(frame: Frame, text: object) -> object:
    written = _text("fromJSON", text)
    frame.budget.reserve(len(written))
    frame.budget.read(written, each=32)
    most = sum(map(written.count, ",:[{"))  # values
    frame.budget.grow(most)
    frame.budget.spend(4 * most)
    try:
        return parse_json(written)
    except ValueError as error:
        raise Fault(f"not JSON: {error}") from None


def _to_base64(frame: Frame, text: object) -> str:
    data = to_bytes(frame.budget.text(_text("toBase64", text)))
    frame.budget.spend(len(data) >> 5)
    frame.budget.reserve(2 * len(data))
    return base64.b64encode(data).decode()


def _from_base64(frame: Frame, text: object) -> str:
    written = frame.budget.text(_text("fromBase64", text))
    frame.budget.read(written, each=32)
    try:
        return from_bytes(base64.b64decode(to_bytes(written.replace("\n", "").replace("\r", "")), validate=True))
    except binascii.Error as error:
        raise Fault(f"not base64: {error}") from None


ENCODING: dict[str, Callable[..., object]] = {
    "toJSON": _to_json,
    "fromJSON": _from_json,
    "toBase64": _to_base64,
    "fromBase64": _from_base64,
}
