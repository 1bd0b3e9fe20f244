"""Where the parser stands among the tokens, and how much it has built."""

from typing import TypeVar

from bot.expressions.errors import LocatedFault
from bot.expressions.lexer import Kind, Token
from bot.expressions.syntax import Node

MOST_NODES = 10_000
DEEPEST = 110  # parentheses, calls and the like inside one another

N = TypeVar("N", bound=Node)


class Cursor:
    """The current token, and the limits on what is made of the tokens. Errors are `LocatedFault`s."""

    def __init__(self, stream: list[Token]) -> None:
        self._stream = stream
        self._next = 0
        self._nesting = 0
        self._nodes = 0
        self.current = stream[0]

    def advance(self) -> Token:
        """The current token; the one after it is the current one then."""
        token = self.current
        self._next = min(self._next + 1, len(self._stream) - 1)
        self.current = self._stream[self._next]
        return token

    def peek(self) -> Token:
        """The token after the current one."""
        return self._stream[min(self._next + 1, len(self._stream) - 1)]

    def at(self, kind: Kind, *texts: str) -> bool:
        """Whether the current token is of the kind, and one of the texts if there are any."""
        return self.current.kind is kind and (not texts or self.current.text in texts)

    def accept(self, kind: Kind, *texts: str) -> bool:
        """`at`, and if so, one token further."""
        if self.at(kind, *texts):
            self.advance()
            return True
        return False

    def expect(self, kind: Kind, *texts: str) -> Token:
        """`advance`, but only over what is expected."""
        if not self.at(kind, *texts):
            wanted = " or ".join(map(repr, texts)) if texts else f"a {kind.value}"
            raise self.unexpected(f", expected {wanted}")
        return self.advance()

    def unexpected(self, hint: str = "", token: Token | None = None) -> LocatedFault:
        """The error that the token (or the current one) can't stand here."""
        token = token or self.current
        return LocatedFault(f"unexpected {token}{hint}", token.position)

    def made(self, node: N) -> N:
        """The node, counted."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise LocatedFault(f"the expression has more than {MOST_NODES} parts", node.position)
        return node

    def descend(self) -> None:
        """Note that the parser goes one level deeper; `ascend` undoes it."""
        self._nesting += 1
        if self._nesting > DEEPEST:
            raise LocatedFault("the expression is nested too deeply", self.current.position)

    def ascend(self) -> None:
        """Note that the parser comes back."""
        self._nesting -= 1
