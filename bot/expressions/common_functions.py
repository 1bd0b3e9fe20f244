"""The functions that every template may use: quotation, YAML and JSON, and versions.

https://docs.kargo.io/user-guide/reference-docs/expressions#utility-functions
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.versions import Version, semver_diff
from bot.expressions.budget import Budget
from bot.expressions.errors import Fault
from bot.expressions.formatting import to_json
from bot.expressions.quotation import quote
from bot.expressions.values import Function, Quoted, Record
from bot.expressions.yaml_text import to_yaml


def _quote(value: object) -> Quoted:
    return Quoted(quote(value)) if isinstance(value, str) else _unsafe_quote(value)


def _unsafe_quote(value: object) -> Quoted:
    return Quoted(f'"{_written(to_json, value)}"')


def _as_yaml(value: object) -> Quoted:
    return Quoted(f'"{_written(to_yaml, value)}"')


def _as_json(value: object) -> Quoted:
    return Quoted(f'"{_written(lambda item, budget: to_json(item, budget, indent=2), value)}\n"')


def _written(write: Callable[[Any, Budget], str], value: object) -> str:
    try:
        return write(value, Budget())
    except Fault as fault:
        raise ValueError(fault.message) from None


def _semver_parse(text: str) -> Record:
    return _version(Version.parse(text))


def _version(version: Version) -> Record:
    methods: dict[str, Callable[[], object]] = {
        "Major": lambda: version.major,
        "Minor": lambda: version.minor,
        "Patch": lambda: version.patch,
        "Prerelease": lambda: version.prerelease,
        "Metadata": lambda: version.metadata,
        "Original": lambda: version.original,
        "IncMajor": lambda: _version(version.next_major()),
        "IncMinor": lambda: _version(version.next_minor()),
        "IncPatch": lambda: _version(version.next_patch()),
        "String": lambda: str(version),
    }
    return Record("Version", {name: Function(name, call, ()) for name, call in methods.items()}, text=str(version))


# What every template may use.
COMMON: Mapping[str, Function] = {
    function.name: function
    for function in (
        Function("quote", _quote, ("any",), "string"),
        Function("unsafeQuote", _unsafe_quote, ("any",), "string"),
        Function("asYAML", _as_yaml, ("any",), "string"),
        Function("asJSON", _as_json, ("any",), "string"),
        Function("semverDiff", semver_diff, ("string", "string"), "string"),
        Function("semverParse", _semver_parse, ("string",), "Version"),
    )
}
RESERVED = ("quote", "asYAML", "asJSON")
