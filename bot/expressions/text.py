"""Text as Go sees it: UTF-8 bytes, some of which may be no characters.

Such bytes are kept as Python's `surrogateescape` keeps them, so that cutting text between bytes loses nothing.
"""

_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def to_bytes(text: str) -> bytes:
    """The bytes of the text."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, as JSON can have it
        return "".join("\ufffd" if 0xD800 <= ord(c) < 0xDC80 or 0xDCFF < ord(c) <= 0xDFFF else c for c in text).encode(
            "utf-8", "surrogateescape"
        )


def from_bytes(data: bytes) -> str:
    """The text of the bytes."""
    return data.decode("utf-8", "surrogateescape")


def byte_length(text: str) -> int:
    """How many bytes the text has."""
    return len(text) if text.isascii() else len(to_bytes(text))


def byte_slice(text: str, start: int, stop: int) -> str:
    """The bytes from start to stop, both within the text."""
    return text[start:stop] if text.isascii() else from_bytes(to_bytes(text)[start:stop])


def byte_index(text: str, index: int) -> int:
    """The offset in bytes of an offset in characters; -1 stays what it is."""
    return index if index < 0 or text.isascii() else len(to_bytes(text[:index]))


def trim_space(text: str) -> str:
    """Without white space at both ends (https://pkg.go.dev/strings#TrimSpace)."""
    return text.strip(_SPACES)


def upper(text: str) -> str:
    """In capitals, each character for itself: ß has none (https://pkg.go.dev/strings#ToUpper)."""
    return text.upper() if text.isascii() else "".join(map(_upper_character, text))


def lower(text: str) -> str:
    """In small letters, each character for itself."""
    return text.lower() if text.isascii() else "".join(character.lower()[:1] for character in text)


def _upper_character(character: str) -> str:
    for changed in (character.upper(), character.title()):
        if len(changed) == 1:
            return changed
    return character
