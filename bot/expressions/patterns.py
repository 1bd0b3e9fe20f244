"""Regular expressions, in RE2, which takes time in proportion to the text whatever the expression."""

from functools import lru_cache
from typing import Any

import re2

from bot.expressions.budget import Budget
from bot.expressions.errors import shortened
from bot.expressions.text import to_bytes

_LONGEST = 10_000
_SMALL = 16  # instructions, of which at most 2^12 sets are states: measured to fit in `max_mem`


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> Any:
    """The compiled expression (https://github.com/google/re2/wiki/Syntax). Raises `ValueError`."""
    if len(pattern) > _LONGEST:
        raise ValueError(f"the regular expression is longer than {_LONGEST} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(to_bytes(pattern), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        shown = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"{shortened(pattern)} is not a regular expression: {shown}") from None


def priced_pattern(pattern: str, budget: Budget) -> Any:
    """The same, having taken what compiling it costs. Raises `ValueError` and `Fault`."""
    budget.spend(200 + 4 * len(pattern))
    compiled = compile_pattern(pattern)
    budget.spend(10 * compiled.programsize)
    return compiled


def matches(pattern: Any, text: str | bytes, budget: Budget) -> bool:
    """Whether a compiled expression is found anywhere in the text."""
    data = to_bytes(text) if isinstance(text, str) else text
    # RE2 makes an automaton, which is fast, as long as it has few states: those of a small expression always fit.
    # Without one it looks, at worst, at every instruction of the compiled expression for every byte.
    instructions = pattern.programsize
    budget.spend(len(data) >> 5 if instructions <= _SMALL else instructions * len(data) >> 3)
    return pattern.search(data) is not None
