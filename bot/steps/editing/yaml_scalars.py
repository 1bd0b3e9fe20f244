"""Writing one value as a YAML scalar that every reader takes for the same value, be it of YAML 1.1 or 1.2."""

import json
import math
import re

import yaml
from yaml.resolver import Resolver

Scalar = str | int | float | bool | None

_STRING = "tag:yaml.org,2002:str"
# What must not begin a plain scalar, or would end one. https://yaml.org/spec/1.2.2/#733-plain-style
_SPECIAL_START = re.compile(r"[-?:](\s|$)|[,\[\]{}#&*!|>'\"%@`=]|---|\.\.\.|\s")
_SPECIAL_WITHIN = re.compile(r":(\s|$)|\s#|\s$|[\t\n]")
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# `?` may stand within one by the specification, and libyaml refuses it there.
_FLOW = re.compile(r"[,\[\]{}?]|^[-:]|:(?=[,\[\]{}]|$)")
# Numbers and truths of YAML 1.1 and 1.2, of JSON, and of Go's parsers, which read most manifests in the end.
_NUMBER = re.compile(
    r"""[-+]?(
      (\.[0-9_]+ | [0-9][0-9_]*(\.[0-9_]*)?) (e[-+]?[0-9]+)?
    | 0x[0-9a-f_]+(\.[0-9a-f_]*)?(p[-+]?[0-9]+)? | 0o[0-7_]+ | 0b[01_]+
    | [0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?
    | \.?inf | \.?nan | infinity
    )""",
    re.I | re.X,
)
_TRUTH = re.compile(r"y|n|t|f|yes|no|on|off|true|false|null|~", re.I)
_RESOLVER = Resolver()
_INTEGRAL = 1e15


def write_scalar(value: Scalar, *, in_flow: bool = False) -> str:
    """The value on one line: plain where that can only be read as this value, else in double quotes."""
    if isinstance(value, str):
        return value if is_plain(value, in_flow=in_flow) else double_quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return str(value)


def is_plain(text: str, *, in_flow: bool) -> bool:
    if not text or _SPECIAL_START.match(text) or _SPECIAL_WITHIN.search(text):
        return False
    if not is_printable(text):
        return False
    if in_flow and _FLOW.search(text):
        return False
    if _TRUTH.fullmatch(text) or _NUMBER.fullmatch(text):
        return False
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag == _STRING


def is_printable(text: str) -> bool:
    """Whether YAML takes every letter of it unescaped. https://yaml.org/spec/1.2.2/#51-character-set"""
    return _UNPRINTABLE.search(text) is None


def double_quoted(text: str) -> str:
    """JSON's escapes are YAML's too. Whatever is not plainly printable is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    if value.is_integer() and abs(value) < _INTEGRAL:
        return str(int(value))
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    return text if not exponent or "." in mantissa else f"{mantissa}.0e{power}"  # YAML 1.1 wants the dot
