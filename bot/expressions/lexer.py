"""Text to tokens. The grammar is that of https://expr-lang.org/docs/language-definition."""

import re
from dataclasses import dataclass
from enum import Enum

from bot.expressions.errors import LocatedFault, shortened
from bot.expressions.quotation import unquote, unquote_bytes, unquote_raw

LONGEST = 100_000  # characters; no expression anybody writes comes near


class Kind(Enum):
    """What sort of token."""

    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    BYTES = "bytes"
    OPERATOR = "operator"
    BRACKET = "bracket"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what it says: for strings what is meant, for numbers what is written."""

    kind: Kind
    text: str
    position: int
    data: bytes = b""

    def __str__(self) -> str:
        return "the end" if self.kind is Kind.END else shortened(self.text)


WORD_OPERATORS = frozenset(
    ("not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else")
)

_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TOKEN = re.compile(
    rf"""
      (?P<skip>    [{_SPACE}]+ | //[^\n]* | /\*(?s:.*?)\*/ )
    | (?P<open>    /\* )
    | (?P<number>  (?: 0[xX][0-9a-fA-F_]* | 0[oO][0-7_]* | 0[bB][01_]* | [0-9][0-9_]* | (?=\.[0-9]) ) )
    | (?P<bytes>   [bB]["'] )
    | (?P<quote>   ["'`] )
    | (?P<name>    [\w$]+ )
    | (?P<bracket> [(){{}}\[\]] )
    | (?P<operator> \|\|? | ::? | \?[.?]? | \.\.? | \#\#? | [&!=*<>][&=*]? | [,;%+\-^/] )
    """,
    re.VERBOSE,
)
_QUOTED = {quote: re.compile(rf"(?:[^{quote}\\\n]|\\(?!\n).)*{quote}") for quote in "\"'"}
_RAW = re.compile(r"(?:[^`]|``)*`")


def tokens(code: str) -> list[Token]:
    """All tokens, the last being the end. Raises `LocatedFault` where the text is none."""
    if len(code) > LONGEST:
        raise LocatedFault(f"the expression is longer than {LONGEST} characters", LONGEST)
    found: list[Token] = []
    position = 0
    while position < len(code):
        match = _TOKEN.match(code, position)
        if match is None:
            raise LocatedFault(f"unexpected character {code[position]!r}", position)
        kind = match.lastgroup
        if kind == "skip":
            position = match.end()
            continue
        if kind == "open":
            raise LocatedFault("the comment is not closed", position)
        if kind == "name":
            token, position = _name(match.group(), position), match.end()
        elif kind == "number":
            token, position = _number(code, match)
        elif kind in {"quote", "bytes"}:
            token, position = _string(code, match)
        else:
            token = Token(Kind.BRACKET if kind == "bracket" else Kind.OPERATOR, match.group(), position)
            position = match.end()
        found.append(token)
        # After `#` a word is the pointer's name, even one that is an operator elsewhere.
        if token.text in {"#", "##"} and token.kind is Kind.OPERATOR:
            pointer = _POINTER_NAME.match(code, position)
            if pointer:
                found.append(_name(pointer.group(), position, always_name=True))
                position = pointer.end()
    found.append(Token(Kind.END, "", len(code)))
    return found


_POINTER_NAME = re.compile(r"[\w$]+")


def is_name(text: str) -> bool:
    """Whether the text can stand after a point: letters, digits, `_` and `$`, and no digit first."""
    return bool(text) and not text[0].isdecimal() and all(_in_name(character) for character in text)


def _in_name(character: str) -> bool:
    return character in "_$" or character.isalpha() or character.isdecimal()


def _name(text: str, position: int, *, always_name: bool = False) -> Token:
    for offset, character in enumerate("" if text.isascii() else text):
        if not _in_name(character):
            raise LocatedFault(f"unexpected character {character!r}", position + offset)
    operator = text in WORD_OPERATORS and not always_name
    return Token(Kind.OPERATOR if operator else Kind.NAME, text, position)


_FRACTION = re.compile(r"\.(?!\.)")
_EXPONENT = re.compile(r"[eE][+-]?")


def _number(code: str, match: "re.Match[str]") -> tuple[Token, int]:
    whole, position = match.group(), match.end()
    digits = _DIGITS.get(whole[:2].lower(), _DIGITS[""])
    point = _FRACTION.match(code, position)  # `1..5` is a range, not `1.` and `.5`
    if point:
        position = digits.match(code, point.end()).end()  # type: ignore[union-attr]  # it matches no digits too
    exponent = _EXPONENT.match(code, position)
    if exponent:
        position = digits.match(code, exponent.end()).end()  # type: ignore[union-attr]
    written = code[match.start() : position]
    if position < len(code) and _in_name(code[position]):
        raise LocatedFault(f"{shortened(written + code[position])} is not a number", match.start())
    return Token(Kind.NUMBER, written, match.start()), position


_DIGITS = {
    "": re.compile("[0-9_]*"),
    "0x": re.compile("[0-9a-fA-F_]*"),
    "0o": re.compile("[0-7_]*"),
    "0b": re.compile("[01_]*"),
}


def _string(code: str, match: "re.Match[str]") -> tuple[Token, int]:
    start, quote = match.start(), match.group()[-1]
    end = (_RAW if quote == "`" else _QUOTED[quote]).match(code, match.end())
    if end is None:
        raise LocatedFault("the text is not closed: its quotation mark is missing", start)
    inside = code[match.end() : end.end() - 1]
    if quote == "`":
        return Token(Kind.STRING, unquote_raw(inside), start), end.end()
    if match.lastgroup == "bytes":
        return Token(Kind.BYTES, "", start, unquote_bytes(inside, quote, match.end())), end.end()
    return Token(Kind.STRING, unquote(inside, quote, match.end()), start), end.end()
