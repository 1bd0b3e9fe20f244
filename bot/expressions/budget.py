"""What one evaluation may use: without it, a short expression could run for a year or fill the memory.

A step stands for about 0.1 µs of a processor: one simple part of an expression, for example. Whatever does more than
that takes as many steps as it is worth, by the sizes of what it looks at (`costs` has what does not depend on them).
"""

from bot.expressions.errors import Fault

STEPS = 3_500_000  # a third of a second; the longest of expr-lang's own examples takes 3.2 million
ELEMENTS = 1_000_000  # of lists and maps made; the number is expr-lang's own
CHARACTERS = 16_000_000  # of text made


class Budget:
    """What is left. Everything that repeats or grows takes from it first. Errors are `Fault`s."""

    __slots__ = ("_characters", "_elements", "steps")

    def __init__(self) -> None:
        self.steps = STEPS
        self._elements = ELEMENTS
        self._characters = CHARACTERS

    def spend(self, steps: int) -> None:
        """Take steps."""
        self.steps -= steps
        if self.steps < 0:
            raise Fault("the expression takes too long")

    def grow(self, elements: int) -> None:
        """Take room for a list or map of so many elements."""
        self._elements -= elements
        if self._elements <= 0:
            raise Fault("the expression needs too much memory")

    def reserve(self, characters: int) -> None:
        """Take room for text of so many characters, before it is made."""
        self._characters -= characters
        self.steps -= characters >> 8
        if self._characters < 0:
            raise Fault("the expression needs too much memory")

    def text(self, text: str) -> str:
        """The text, having taken the room it needs."""
        self.reserve(len(text))
        return text

    def read(self, text: str, each: int = 1) -> None:
        """Take the steps for looking at every character, of which so many are looked at in one step."""
        self.spend(len(text) // each + 1)
