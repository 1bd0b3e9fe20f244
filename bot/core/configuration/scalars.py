"""What a plain YAML scalar means.

YAML 1.1 reads `on` as true, `1.10` as 1.1 and `12:30` as 750, and Kargo's users are bitten by all three. Here a
plain scalar is a number only when its text is that number's usual spelling, and true or false only when it says so;
anything else stays the text that was written. A field that wants another type converts it (`fitting`).
"""

import re

Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SPECIAL = frozenset("-0123456789~nNtTfF")
# https://yaml.org/type/bool.html, taken only where a field wants true or false
_YES = frozenset(("true", "yes", "on", "y"))
_NO = frozenset(("false", "no", "off", "n"))
_ANY_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_ANY_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")


def resolve(text: str) -> Scalar:
    """The value of a plain scalar: text, unless it is the canonical spelling of something else."""
    if text[:1] not in _SPECIAL:
        return text or None
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) < 20 and _FLOAT.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return text


def as_text(value: bool | int | float) -> str:
    """The text a number or truth value was written as (`resolve` takes only canonical spellings)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_boolean(text: str) -> bool | None:
    """What a text says where true or false is wanted; None when it is neither."""
    word = text.lower()
    return True if word in _YES else False if word in _NO else None


def as_number(text: str, *, whole: bool) -> int | float | None:
    """What a text says where a number is wanted; None when it is none."""
    if _ANY_INTEGER.fullmatch(text):
        return int(text)
    if not whole and len(text) < 40 and _ANY_NUMBER.fullmatch(text):
        return float(text)
    return None
