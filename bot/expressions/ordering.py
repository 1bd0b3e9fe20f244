"""Sorting values of one kind."""

import math
from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

from bot.expressions.budget import Budget
from bot.expressions.operations import less


def sorted_by(pairs: Sequence[tuple[object, object]], descending: bool, budget: Budget) -> list[tuple[object, object]]:
    """Pairs in the order of what stands first in them; equal ones stay as they were.

    Raises `Fault` if two of them cannot be compared.
    """
    kinds = {type(key) for key, _ in pairs}
    comparisons = len(pairs) * max(len(pairs).bit_length(), 1)
    # Python's own order serves where it is the language's: it does not for NaN, nor for mixed kinds.
    if kinds <= {int} or kinds <= {str} or (kinds <= {float} and not any(map(_is_nan, pairs))):
        longest = max((len(key) for key, _ in pairs if isinstance(key, str)), default=0)
        budget.spend(comparisons * (1 + (longest >> 10)))
        return sorted(pairs, key=_plain_key, reverse=descending)
    budget.spend(10 * comparisons)

    def compare(left: tuple[object, object], right: tuple[object, object]) -> int:
        if less(left[0], right[0]):
            return 1 if descending else -1
        if less(right[0], left[0]):
            return -1 if descending else 1
        return 0

    return sorted(pairs, key=cmp_to_key(compare))


def _is_nan(pair: tuple[Any, object]) -> bool:
    return math.isnan(pair[0])


def _plain_key(pair: tuple[Any, object]) -> Any:
    return pair[0]
