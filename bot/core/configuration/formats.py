"""What the `format` of a schema asks of a text: durations, patterns, version ranges, expressions."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import re2

from bot.core.durations import DurationError, parse_duration
from bot.core.versions import Constraint, VersionError
from bot.expressions import ExpressionError, check_template, has_expressions
from bot.expressions import compile as compile_expression

Complaint = str | None
_LONG_UNITS = re.compile(r"([0-9]{1,5})\s*(d|w)(?:ays?|eeks?)?")
LONGEST_TEMPLATE = 32_768


def complain_of_template(text: str) -> Complaint:
    """What is wrong with the expressions in a text, None when nothing is."""
    return _complain_of_template(text) if has_expressions(text) else None


@lru_cache(maxsize=4096)
def _complain_of_template(text: str) -> Complaint:
    if len(text) > LONGEST_TEMPLATE:
        return f"a text with expressions may have {LONGEST_TEMPLATE} characters at most, not {len(text)}; split it up"
    try:
        check_template(text)
    except ExpressionError as error:
        return f"the expression in `{_short(text)}` can't be read: {error}"
    return None


@lru_cache(maxsize=4096)
def complain_of_expression(code: str) -> Complaint:
    """What is wrong with a bare expression, None when it compiles."""
    if not code:
        return "the expression is empty"
    try:
        compile_expression(code)
    except ExpressionError as error:
        return f"`{_short(code)}` is not an expression: {error}"
    return None


def complain_of_if(text: str) -> Complaint:
    if not has_expressions(text):
        return f"`if` wants an expression; write ${{{{ {_short(text)} }}}}"
    return complain_of_template(text)


def complain_of_metric_condition(code: str) -> Complaint:
    """Conditions of a metric: `{{args.x}}` is filled in first, so a text with it can be judged only then."""
    return None if "{{" in code else complain_of_expression(code)


def complain_of_duration(text: str) -> Complaint:
    if len(text) > 100:
        return "the duration is too long; write for example 30s, 10m or 1h30m"
    try:
        return "a duration can't be negative" if parse_duration(text).total_seconds() < 0 else None
    except DurationError:
        return f"`{_short(text)}` is not a duration; {_duration_advice(text.strip())}"


def _duration_advice(text: str) -> str:
    found = _LONG_UNITS.fullmatch(text)
    if found:
        hours = int(found[1]) * (24 if found[2] == "d" else 168)
        return f"there are no units above hours, write {hours}h"
    if text.isdecimal():
        return f"add a unit, for example {text}s or {text}m"
    return "write for example 30s, 10m or 1h30m"


def complain_of_metric_duration(text: str) -> Complaint:
    return None if "{{" in text else complain_of_duration(text)


@lru_cache(maxsize=1024)
def complain_of_regex(pattern: str) -> Complaint:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it does not compile"
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        return f"`{_short(pattern)}` is not a regular expression (RE2): {reason}"
    return None


@lru_cache(maxsize=1024)
def complain_of_range(text: str) -> Complaint:
    if len(text) > 1000:
        return "the version range is too long"
    try:
        Constraint(text)
    except VersionError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Texts that are filled in later, and so fit any field for now."""

    found: Callable[[str], bool]
    complain: Callable[[str], Complaint]


def _has_arguments(text: str) -> bool:
    return "{{" in text


def _no_complaint(_: str) -> Complaint:
    return None


EXPRESSIONS = Placeholders(has_expressions, complain_of_template)  # ${{ }}, in steps
ARGUMENTS = Placeholders(_has_arguments, _no_complaint)  # {{args.x}}, in metrics; `analyses` sees to their names

FORMATS: dict[str, Callable[[str], Complaint]] = {
    "go-duration": complain_of_duration,
    "metric-duration": complain_of_metric_duration,
    "regex": complain_of_regex,
    "semver-range": complain_of_range,
    "expression": complain_of_expression,
    "metric-condition": complain_of_metric_condition,
    "template": complain_of_template,
    "if": complain_of_if,
}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
