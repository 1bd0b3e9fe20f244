"""Reads a JSONPath template. Follows client-go's util/jsonpath/parser.go, its faults word for word."""

import re

from bot.core.jsonpath.nodes import (
    Field,
    Filter,
    JsonPathError,
    Literal,
    Recursive,
    Slice,
    Step,
    Steps,
    Template,
    Union,
    Wildcard,
    Word,
)

_TERMINATORS = frozenset(" \t\r\n.,[]$@{}")
_NAME = re.compile(r"(?:\\.|[^\s.,\[\]$@{}\\])*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?[0-9.]*")
_QUOTED_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?[0-9]*)(?::(-?[0-9]*))?(?::(-?[0-9]*))?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
_OPERATORS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def parse(text: str) -> Template:
    """Read a template. Raises JsonPathError."""
    parts: list[Literal | Steps] = []
    position = 0
    while position < len(text):
        brace = text.find("{", position)
        if brace != position:
            parts.append(Literal(text[position:brace] if brace > 0 else text[position:]))
        if brace < 0:
            break
        reader = _Action(text, brace + 1)
        parts.append(reader.steps())
        position = reader.position
    return Template(tuple(parts))


def _inside(text: str) -> Steps:
    """Steps that stand alone: one part of a union or of a comparison."""
    return _Action(text + "}", 0).steps()


class _Action:
    """Reads what stands between braces, from `position` to just after the closing one."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position

    def steps(self) -> Steps:
        found: list[Step] = []
        while True:
            rest = self.text[self.position : self.position + 3]
            if rest.startswith("}"):
                self.position += 1
                return tuple(found)
            if rest == "[?(":
                found.append(self._filter())
            elif rest.startswith(".."):
                if found and isinstance(found[-1], Recursive):
                    raise JsonPathError("invalid multiple recursive descent")
                self.position += 2
                found.append(Recursive())
                if rest[2:3].isalnum() or rest[2:3] == "_":
                    found.append(self._field())
            else:
                found.extend(self._step(rest[:1]))

    def _step(self, character: str) -> list[Step]:
        if character in ("", "\n", "\r"):
            raise JsonPathError("unclosed action")
        if character in "+-" or character.isdigit():
            return [self._number()]
        if character.isalpha() or character == "_":
            return [self._word()]
        self.position += 1
        if character in " @$":  # whichever it is, it means the value at hand
            return []
        if character == ".":
            return [self._field()]
        if character == "[":
            return list(_index(self._until("]", "unterminated array")))
        if character in "\"'":
            return [self._quoted(character)]
        raise JsonPathError(f"unrecognized character in action: U+{ord(character):04X} '{character}'")

    def _field(self) -> Step:
        name = self._match(_NAME)
        return Wildcard() if name == "*" else Field(name.replace("\\", ""))

    def _word(self) -> Step:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _TERMINATORS:
            self.position += 1
        word = self.text[start : self.position]
        return Literal(word == "true") if word in ("true", "false") else Word(word)

    def _number(self) -> Step:
        digits = self._match(_NUMBER)
        try:
            return Literal(float(digits))
        except ValueError as error:
            raise JsonPathError(f"cannot parse number {digits}") from error

    def _quoted(self, quote: str) -> Step:
        characters: list[str] = []
        while True:
            character = self.text[self.position : self.position + 1]
            self.position += 1
            if character in ("", "\n"):
                raise JsonPathError("unterminated quoted string")
            if character == quote:
                return Literal("".join(characters))
            if character == "\\":
                escaped = self.text[self.position : self.position + 1]
                self.position += 1
                character = _ESCAPES.get(escaped, escaped)
            characters.append(character)

    def _filter(self) -> Step:
        start = self.position = self.position + len("[?(")
        quote = ""
        while True:
            character = self.text[self.position : self.position + 1]
            if character in ("", "\n"):
                raise JsonPathError("unterminated filter")
            if character == ")" and not quote:
                break
            if character in "\"'" and self.text[self.position - 1] != "\\":
                if not quote:
                    quote = character
                elif character == quote:
                    quote = ""
            self.position += 1
        inner = self.text[start : self.position]
        if self.text[self.position + 1 : self.position + 2] != "]":
            raise JsonPathError("unclosed array expect ]")
        self.position += 2
        comparison = _COMPARISON.fullmatch(inner)
        if comparison is None:
            return Filter(_inside(inner))
        left, operator, right = comparison.groups()
        if operator not in _OPERATORS:
            raise JsonPathError(f"unrecognized filter operator {operator}")
        return Filter(_inside(left), operator, _inside(right))

    def _until(self, closing: str, fault: str) -> str:
        end = self.text.find(closing, self.position)
        found = self.text[self.position : end]
        if end < 0 or "\n" in found:
            raise JsonPathError(fault)
        self.position = end + 1
        return found

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            return ""
        self.position = match.end()
        return match[0]


def _index(text: str) -> Steps:
    """What stands between brackets, filters aside."""
    if "," in text:
        return (Union(tuple(_index(part.strip(" ")) for part in text.split(","))),)
    if text == "*":
        return (Slice(None, None, None),)
    key = _QUOTED_KEY.fullmatch(text)
    if key:
        return (Field(key[1].replace("\\", "")),)
    numbers = _SLICE.fullmatch(text)
    if numbers is None:
        raise JsonPathError(f"invalid array index {text}")
    start, stop, step = (_whole(number) for number in numbers.groups())
    return (Slice(start, stop, step, single=numbers[2] is None),)


def _whole(text: str | None) -> int | None:
    if not text:
        return None
    if text == "-":
        raise JsonPathError("array index - is not a number")
    return int(text)
