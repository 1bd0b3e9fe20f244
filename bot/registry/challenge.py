"""What a registry asks of those who come without permission: the `WWW-Authenticate` header, read.

https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_SCHEME = re.compile(r"\s*,?\s*([A-Za-z][A-Za-z0-9!#$&^_.+-]*)(?=\s|$|,)(?!\s*=)")
_PARAMETER = re.compile(r"\s*,?\s*([A-Za-z0-9_-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+))")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to be let in: `scheme` is `bearer`, `basic` or another, in lower case as the parameters' names are."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """All challenges of all `WWW-Authenticate` headers, in order; what can't be read ends its header's list."""
    found: list[Challenge] = []
    for header in headers:
        position = 0
        while scheme := _SCHEME.match(header, position):
            position = scheme.end()
            parameters: dict[str, str] = {}
            while parameter := _PARAMETER.match(header, position):
                position = parameter.end()
                quoted, plain = parameter[2], parameter[3]
                parameters[parameter[1].lower()] = re.sub(r"\\(.)", r"\1", quoted) if plain is None else plain
            found.append(Challenge(scheme[1].lower(), parameters))
    return tuple(found)
