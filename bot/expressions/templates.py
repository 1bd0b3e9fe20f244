"""Templates: text with expressions in `${{ }}` or `${% %}`, anywhere in a nested value.

Kargo turns every evaluated text into whatever it looks like. Here, a value that is exactly one expression keeps the
kind of its result, and anything else is text: tag 1.20 stays "1.20". Kargo's way is there as well (`Mode.KARGO`).
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from bot.expressions.budget import Budget
from bot.expressions.builtins.encoding import parse_json
from bot.expressions.common_functions import COMMON, RESERVED
from bot.expressions.errors import ExpressionError, Fault
from bot.expressions.formatting import to_json, value_entries
from bot.expressions.numbers import parse_float
from bot.expressions.program import Program, compile, utc_now
from bot.expressions.times import Duration, Month, Time, Weekday
from bot.expressions.values import Quoted, Record

_CLOSING = {"${{": "}}", "${%": "%}"}
_DEEPEST = 200


class Mode(Enum):
    """What becomes of an evaluated text."""

    TYPED = "typed"
    KARGO = "kargo"


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression in a text: its code, and where that begins and the text goes on."""

    code: str
    start: int
    end: int


def has_expressions(text: str) -> bool:
    """Whether the text is a template."""
    return "${{" in text or "${%" in text


def parts(text: str) -> tuple[str | Expression, ...]:
    """The text as pieces of plain text and expressions. The first closing mark ends an expression, wherever it stands.

    Raises `ExpressionError` if it is missing.
    """
    found: list[str | Expression] = []
    position = 0
    while True:
        starts = [(index, mark) for mark in _CLOSING if (index := text.find(mark, position)) >= 0]
        if not starts:
            return (*found, text[position:]) if position < len(text) else tuple(found)
        start, mark = min(starts)
        end = text.find(_CLOSING[mark], start + 3)
        if end < 0:
            raise ExpressionError.at(f"the expression is not closed: {_CLOSING[mark]} is missing", text, start)
        if start > position:
            found.append(text[position:start])
        position = end + 2
        found.append(Expression(text[start + 3 : end], start + 3, position))


def check_template(text: str) -> tuple[Program, ...]:
    """Compile all expressions of a text. Raises `ExpressionError` with the position in the text."""
    return tuple(_compiled(text, part) for part in parts(text) if isinstance(part, Expression))


def _compiled(text: str, expression: Expression) -> Program:
    if not expression.code.strip():
        raise ExpressionError.at("the expression is empty", text, expression.start)
    try:
        return compile(expression.code)
    except ExpressionError as error:
        raise ExpressionError.at(error.message, text, expression.start + error.position) from error


def render(
    value: Any, env: Mapping[str, object], *, mode: Mode = Mode.TYPED, now: Callable[[], datetime] = utc_now
) -> Any:
    """The value with every expression in it evaluated: text, and lists and maps of it. Keys stay as they are.

    `env` has the names that expressions may use; `quote`, `unsafeQuote`, `asYAML`, `asJSON`, `semverDiff` and
    `semverParse` are there in any case. The result is plain data such as JSON has. Raises `ExpressionError`; its
    message begins with the place in the value.
    """
    taken = [name for name in RESERVED if name in env]
    if taken:
        raise ExpressionError(f"{taken[0]} is a function of every template: the environment cannot have that name")
    return _render(value, _Rendering({**COMMON, **env}, mode, now), (), 0)


@dataclass(frozen=True, slots=True)
class _Rendering:
    env: Mapping[str, object]
    mode: Mode
    now: Callable[[], datetime]


def _render(value: Any, rendering: _Rendering, path: tuple[str, ...], depth: int) -> Any:
    if depth > _DEEPEST:
        raise ExpressionError(f"{''.join(path[:3])}…: the value is nested too deeply")
    match value:
        case str():
            return _text(value, rendering, path)
        case Mapping():
            return {key: _render(item, rendering, (*path, f".{key}"), depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_render(item, rendering, (*path, f"[{index}]"), depth + 1) for index, item in enumerate(value)]
    return value


def _text(text: str, rendering: _Rendering, path: tuple[str, ...]) -> Any:
    if not has_expressions(text):
        return text
    try:
        return _kargo(text, rendering) if rendering.mode is Mode.KARGO else _typed(text, rendering)
    except ExpressionError as error:
        if not path:
            raise
        where = "".join(path).lstrip(".")
        raise ExpressionError(f"{where}: {error.message}", error.position, error.line, error.column) from error


def _evaluate(text: str, expression: Expression, rendering: _Rendering) -> object:
    program = _compiled(text, expression)
    try:
        return program.run(rendering.env, now=rendering.now)
    except ExpressionError as error:
        raise ExpressionError.at(error.message, text, expression.start + error.position) from error


def _typed(text: str, rendering: _Rendering) -> Any:
    pieces = parts(text)
    # A block of YAML (`|`) ends with a newline, which is no text around the expression.
    newline = "\n" if len(pieces) == 2 and pieces[1] == "\n" else ""
    if isinstance(pieces[0], Expression) and (len(pieces) == 1 or newline):
        value = _evaluate(text, pieces[0], rendering)
        if isinstance(value, str):
            return (str(value[1:-1]) if isinstance(value, Quoted) else value) + newline
        return _plain(text, value, pieces[0])
    return "".join(_joined(text, piece, rendering) for piece in pieces)


def _joined(text: str, piece: str | Expression, rendering: _Rendering) -> str:
    """A piece as it stands among others: texts as they are, everything else as compact JSON."""
    if isinstance(piece, str):
        return piece
    value = _evaluate(text, piece, rendering)
    if isinstance(value, str):
        return value
    try:
        return to_json(value, Budget())
    except Fault as fault:
        raise ExpressionError.at(fault.message, text, piece.start) from fault


def _plain(text: str, value: object, expression: Expression) -> Any:
    """The value as JSON has it: dates and records become text and maps."""
    match value:
        case float() if not math.isfinite(value):
            raise ExpressionError.at(f"the result is {value}, which is not a number", text, expression.start)
        case list():
            return [_plain(text, item, expression) for item in value]
        case dict():
            return {_key(text, key, expression): _plain(text, item, expression) for key, item in value.items()}
        case Record(text=None):
            return {name: _plain(text, item, expression) for name, item in value_entries(value)}
        case None | bool() | int() | float() | str():
            return value
        case Time() | Duration() | Month() | Weekday() | bytes() | Record():
            return json.loads(to_json(value, Budget()))
    raise ExpressionError.at(f"the result is {type(value).__name__.lower()}, which is no data", text, expression.start)


def _key(text: str, key: object, expression: Expression) -> str:
    if isinstance(key, str):
        return key
    raise ExpressionError.at("the result is a map whose keys are not text", text, expression.start)


def _kargo(text: str, rendering: _Rendering) -> Any:
    """Kargo's rule (pkg/expressions/json_templates.go): whatever the whole text looks like, it becomes."""
    joined = ""
    for piece in parts(text):
        if isinstance(piece, Expression) and not piece.code:  # the rest is not looked at
            joined += text[piece.end :]
            break
        joined += _joined(text, piece, rendering)
    newline = "\n" if joined.endswith("\n") else ""
    joined = joined.removesuffix("\n")
    if len(joined) > 1 and joined[0] == joined[-1] == '"':
        return joined[1:-1] + newline
    for read in (parse_float, _bool, parse_json):
        try:
            value = read(joined)
        except ValueError:
            continue
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpressionError.at(f"the result is {joined}, which is not a number", text, 0)
        return value
    return joined + newline


def _bool(text: str) -> bool:
    if text in {"1", "t", "T", "TRUE", "true", "True"}:
        return True
    if text in {"0", "f", "F", "FALSE", "false", "False"}:
        return False
    raise ValueError(f"{text!r} is neither true nor false")
