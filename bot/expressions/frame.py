"""What an expression sees while it runs."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.expressions.budget import Budget
from bot.expressions.errors import ExpressionError, Fault, LocatedFault
from bot.expressions.patterns import priced_pattern

# A compiled part of an expression: given the frame, its value.
Code = Callable[["Frame"], object]


class Frame:
    """The environment, the variables, and the element a predicate is looking at."""

    __slots__ = ("_patterns", "accumulated", "budget", "environment", "index", "item", "now", "variables")

    def __init__(self, environment: Mapping[str, object], variables: int, now: Callable[[], datetime]) -> None:
        self.environment = environment
        self.variables: list[object] = [None] * variables
        self.budget = Budget()
        self.now = now
        self._patterns: dict[str, Any] = {}
        # Of the innermost predicate.
        self.item: object = None
        self.index = 0
        self.accumulated: object = None

    def pattern(self, expression: str) -> Any:
        """The compiled regular expression, which is paid for once. Raises `ValueError`."""
        if expression not in self._patterns:
            self._patterns[expression] = priced_pattern(expression, self.budget)
        return self._patterns[expression]


def located(fault: Fault, position: int) -> LocatedFault:
    """The fault, with a position if it has none yet."""
    return fault if isinstance(fault, LocatedFault) else LocatedFault(fault.message, position)


def explained(fault: Fault, code: str) -> ExpressionError:
    """The fault as an error in the code."""
    position = fault.position if isinstance(fault, LocatedFault) else 0
    return ExpressionError.at(fault.message, code, position)
