"""The functions of the language, by subject. The ones with a predicate are in `bot.expressions.loops`.

Each takes the frame and the arguments, and raises `Fault` for what it cannot take.
"""

from collections.abc import Callable
from functools import lru_cache
from inspect import signature

from bot.expressions.builtins.collections import COLLECTIONS
from bot.expressions.builtins.dates import DATES
from bot.expressions.builtins.encoding import ENCODING
from bot.expressions.builtins.numbers import NUMBERS
from bot.expressions.builtins.strings import STRINGS

BUILTIN_CODE: dict[str, Callable[..., object]] = {**COLLECTIONS, **DATES, **ENCODING, **NUMBERS, **STRINGS}


@lru_cache(maxsize=1024)
def takes(name: str, count: int) -> bool:
    """Whether a function can be called with so many arguments."""
    try:
        signature(BUILTIN_CODE[name]).bind(None, *[None] * count)
    except TypeError:
        return False
    return True
