"""What one evaluation may use: without it, a short expression could run for a year or fill the memory."""

from bot.expressions.errors import Fault

STEPS = 2_000_000  # parts of the expression evaluated, and elements looked at: about half a second
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
