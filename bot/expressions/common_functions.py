"""The functions that every template may use: quotation, YAML and JSON, and versions.

https://docs.kargo.io/user-guide/reference-docs/expressions#utility-functions
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from bot.core.versions import Version, semver_diff
from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.formatting import to_json
from bot.expressions.quotation import needs_escapes, quote
from bot.expressions.values import Function, Quoted, Record
from bot.expressions.yaml_text import to_yaml


def _quote(budget: Budget, value: object) -> Quoted:
    if not isinstance(value, str):
        return _unsafe_quote(budget, value)
    budget.spend(3 * len(value) if needs_escapes(value) else len(value) >> 5)
    return Quoted(quote(value))


def _unsafe_quote(budget: Budget, value: object) -> Quoted:
    return Quoted(f'"{_written(to_json, value, budget)}"')


def _as_yaml(budget: Budget, value: object) -> Quoted:
    return Quoted(f'"{_written(to_yaml, value, budget)}"')


def _as_json(budget: Budget, value: object) -> Quoted:
    return Quoted(f'"{_written(lambda item, budget: to_json(item, budget, indent=2), value, budget)}\n"')


def _written(write: Callable[[Any, Budget], str], value: object, budget: Budget) -> str:
    try:
        return write(value, budget)
    except Fault as fault:
        raise ValueError(fault.message) from None


def _semver_parse(text: str) -> Record:
    return _version(Version.parse(text))


def _version(version: Version) -> Record:
    return Record("Version", _Methods(version), text=str(version))


_METHODS: Mapping[str, Callable[[Version], object]] = {
    "Major": lambda version: version.major,
    "Minor": lambda version: version.minor,
    "Patch": lambda version: version.patch,
    "Prerelease": lambda version: version.prerelease,
    "Metadata": lambda version: version.metadata,
    "Original": lambda version: version.original,
    "IncMajor": lambda version: _version(version.next_major()),
    "IncMinor": lambda version: _version(version.next_minor()),
    "IncPatch": lambda version: _version(version.next_patch()),
    "String": str,
}


class _Methods(Mapping[str, object]):
    """The methods of one version, each made when it is asked for: thousands of versions may be read in one go."""

    __slots__ = ("_version",)

    def __init__(self, version: Version) -> None:
        self._version = version

    def __getitem__(self, name: str) -> Function:
        return Function(name, partial(_METHODS[name], self._version), ())

    def __iter__(self) -> Iterator[str]:
        return iter(_METHODS)

    def __len__(self) -> int:
        return len(_METHODS)


# What every template may use.
COMMON: Mapping[str, Function] = {
    function.name: function
    for function in (
        Function("quote", _quote, ("any",), "string", metered=True),
        Function("unsafeQuote", _unsafe_quote, ("any",), "string", metered=True),
        Function("asYAML", _as_yaml, ("any",), "string", metered=True),
        Function("asJSON", _as_json, ("any",), "string", metered=True),
        Function("semverDiff", semver_diff, ("string", "string"), "string"),
        Function("semverParse", _semver_parse, ("string",), "Version"),
    )
}
RESERVED = ("quote", "asYAML", "asJSON")
