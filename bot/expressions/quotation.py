"""Quotation marks and escapes, both ways. Escapes are Go's: https://go.dev/ref/spec#Rune_literals."""

import re

from bot.expressions.errors import LocatedFault

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))",
    re.DOTALL,
)
_LAST_CHARACTER = 0x10FFFF


def unquote(inside: str, quote: str, position: int) -> str:
    """What the text between two quotation marks means. `position` is its offset, for the error."""
    inside = inside.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" not in inside:
        return inside

    def meant(found: "re.Match[str]") -> str:
        if found[6] is not None:
            return _simple(found, quote, position)
        digits = found[1] or found[2] or found[3] or found[4]
        number = int(digits, 16) if digits else int(found[5], 8)
        if number > _LAST_CHARACTER:
            raise LocatedFault(f"{found[0]} is not a character", position + found.start())
        return "\ufffd" if 0xD800 <= number <= 0xDFFF else chr(number)

    return _ESCAPE.sub(meant, inside)


def unquote_bytes(inside: str, quote: str, position: int) -> bytes:
    """The same for `b"…"`: `\\xff` and `\\377` are one byte each, other characters their UTF-8."""
    inside = inside.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[bytes] = []
    end = 0
    for found in _ESCAPE.finditer(inside):
        parts.append(inside[end : found.start()].encode("utf-8", "replace"))
        end = found.end()
        if found[6] is not None:
            parts.append(_simple(found, quote, position).encode())
        elif found[1] or found[5]:
            parts.append(bytes([int(found[1], 16) if found[1] else int(found[5], 8)]))
        else:
            raise LocatedFault(f"{found[0]} is not allowed in bytes", position + found.start())
    parts.append(inside[end:].encode("utf-8", "replace"))
    return b"".join(parts)


def unquote_raw(inside: str) -> str:
    """Text between backticks: only a doubled backtick stands for something else."""
    return inside.replace("``", "`")


def _simple(found: "re.Match[str]", quote: str, position: int) -> str:
    character = found[6]
    if character == quote:
        return character
    if character not in _SIMPLE:
        raise LocatedFault(f"{found[0]} is not an escape", position + found.start())
    return _SIMPLE[character]


_NAMED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def quote(text: str) -> str:
    """Text in double quotation marks, escaped as Go's strconv.Quote does (https://pkg.go.dev/strconv#Quote)."""
    return '"' + ("".join(map(_escaped, text)) if needs_escapes(text) else text) + '"'


def needs_escapes(text: str) -> bool:
    """Whether `quote` has to look at each character."""
    return not (text.isascii() and text.isprintable()) or '"' in text or "\\" in text


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character == " " or (character.isprintable() and not _is_surrogate(character)):
        return character
    if character in _NAMED:
        return _NAMED[character]
    number = ord(character)
    if number < 0x20 or number == 0x7F:
        return f"\\x{number:02x}"
    if 0xDC80 <= number <= 0xDCFF:  # how a byte that is no UTF-8 is kept (see text.py)
        return f"\\x{number - 0xDC00:02x}"
    if _is_surrogate(character):
        return "\ufffd"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _is_surrogate(character: str) -> bool:
    return 0xD800 <= ord(character) <= 0xDFFF
