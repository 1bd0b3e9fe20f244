"""What goes wrong with an expression, and where."""

from bot.errors import UserError

_LONGEST = 400  # characters of a message


class ExpressionError(UserError):
    """An expression that cannot be read, checked or evaluated.

    `message` says what is wrong; `position` is the offset in the text, in characters, from 0; `line` and `column`
    count from 1, and are 0 if the error is nowhere in particular. The text of the error has all of them.
    """

    def __init__(self, message: str, position: int = 0, line: int = 0, column: int = 0) -> None:
        if len(message) > _LONGEST:  # it may quote the expression, which may be anything
            message = message[: _LONGEST - 1] + "…"
        where = f" (line {line}, column {column})" if line > 1 else f" (column {column})" if column else ""
        super().__init__(message + where)
        self.message = message
        self.position = position
        self.line = line
        self.column = column

    @classmethod
    def at(cls, message: str, code: str, position: int) -> "ExpressionError":
        """The error at an offset of the code; an offset beyond its end means the end."""
        position = min(max(position, 0), len(code))
        before = code[:position]
        return cls(message, position, before.count("\n") + 1, position - before.rfind("\n"))


class Fault(Exception):
    """A failed operation, before anybody has said where: becomes an `ExpressionError`.

    Operations and built-in functions raise it, because they know values and not positions.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LocatedFault(Fault):
    """A fault whose place in the code is known, but not yet the code."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def shortened(text: str, longest: int = 80) -> str:
    """The text in quotation marks, not too much of it."""
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")
