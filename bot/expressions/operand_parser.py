"""The operands of expressions: literals, names, calls, and the members and indexes that follow them."""

from abc import abstractmethod
from collections.abc import Callable, Collection

from bot.expressions import syntax
from bot.expressions.cursor import Cursor, N
from bot.expressions.errors import LocatedFault
from bot.expressions.lexer import Kind, Token, is_name
from bot.expressions.numbers import float_literal, integer_literal
from bot.expressions.operators import LOOSEST, UNARY
from bot.expressions.signatures import BUILTINS, PREDICATES


class OperandParser(Cursor):
    """Reads operands; how operators join them is told by `expression`."""

    def __init__(self, stream: list[Token], overridden: Collection[str]) -> None:
        super().__init__(stream)
        self._overridden = overridden
        self._predicates = 0  # how many predicates we are in: only there is `#` an expression

    @abstractmethod
    def expression(self, precedence: int = LOOSEST) -> syntax.Node:
        """An expression whose operators all bind at least so tightly."""

    @abstractmethod
    def sequence(self) -> syntax.Node:
        """Expressions with `;` between them."""

    @abstractmethod
    def block(self) -> syntax.Node:
        """A sequence in braces."""

    def primary(self) -> syntax.Node:
        """One operand with what belongs to it: signs before, members, indexes and calls behind."""
        token = self.current
        if token.kind is Kind.OPERATOR and token.text in UNARY:
            self.advance()
            operand = self.expression(UNARY[token.text])
            return self.postfix(self.made(syntax.Unary(token.text, operand, position=token.position)))
        if self.accept(Kind.BRACKET, "("):
            inside = self.sequence()
            self.expect(Kind.BRACKET, ")")
            return self.postfix(inside)
        if self._predicates and self.at(Kind.OPERATOR, "#", "."):
            name = ""
            if token.text == "#":
                self.advance()
                name = self.advance().text if self.at(Kind.NAME) else ""
            return self.postfix(self.made(syntax.Pointer(name, position=token.position)))
        if self.accept(Kind.OPERATOR, "::"):
            return self.postfix(self._call(self.expect(Kind.NAME), (), hidden=False))
        if token.kind is Kind.NAME and token.text in {"true", "false", "nil"}:
            self.advance()
            if token.text == "nil":
                return self.made(syntax.Nil(position=token.position))
            return self.made(syntax.Bool(token.text == "true", position=token.position))
        if token.kind is Kind.NUMBER:
            return self.made(_number(self.advance()))
        return self.postfix(self._operand(token))

    def _operand(self, token: Token) -> syntax.Node:
        if token.kind is Kind.NAME:
            self.advance()
            if self.at(Kind.BRACKET, "("):
                return self._call(token, ())
            return self.made(syntax.Identifier(token.text, position=token.position))
        if token.kind is Kind.STRING:
            return self.made(syntax.String(self.advance().text, position=token.position))
        if token.kind is Kind.BYTES:
            return self.made(syntax.Bytes(self.advance().data, position=token.position))
        if self.at(Kind.BRACKET, "["):
            nodes = self._list("[", "]", self.expression)
            return self.made(syntax.Array(nodes, position=token.position))
        if self.at(Kind.BRACKET, "{"):
            return self.made(syntax.Map(self._list("{", "}", self._pair), position=token.position))
        raise self.unexpected()

    def _list(self, opening: str, closing: str, item: Callable[[], N]) -> tuple[N, ...]:
        """Items between brackets; a comma may follow the last one."""
        self.expect(Kind.BRACKET, opening)
        items: list[N] = []
        while not self.at(Kind.BRACKET, closing):
            if items:
                self.expect(Kind.OPERATOR, ",")
                if self.at(Kind.BRACKET, closing):
                    break
            items.append(item())
        self.expect(Kind.BRACKET, closing)
        return tuple(items)

    def _pair(self) -> syntax.Pair:
        token = self.current
        key: syntax.Node
        if token.kind in {Kind.NUMBER, Kind.STRING, Kind.NAME}:
            key = self.made(syntax.String(self.advance().text, position=token.position))
        elif self.at(Kind.BRACKET, "("):
            key = self.expression()
        else:
            raise self.unexpected(", expected a key: a name, text, a number, or an expression in parentheses")
        self.expect(Kind.OPERATOR, ":")
        return self.made(syntax.Pair(key, self.expression(), position=token.position))

    # --- calls ------------------------------------------------------------------------------------------------

    def _call(self, name: Token, piped: tuple[syntax.Node, ...], *, hidden: bool = True) -> syntax.Node:
        own = not (hidden and name.text in self._overridden)
        if own and name.text in PREDICATES:
            arguments = self._predicate_arguments(name, piped)
            return self.made(syntax.Builtin(name.text, arguments, position=name.position))
        if own and name.text in BUILTINS:
            arguments = piped + self._list("(", ")", self.expression)
            return self.made(syntax.Builtin(name.text, arguments, position=name.position))
        callee = self.made(syntax.Identifier(name.text, position=name.position))
        arguments = piped + self._list("(", ")", self.expression)
        return self.made(syntax.Call(callee, arguments, position=name.position))

    def _predicate_arguments(self, name: Token, piped: tuple[syntax.Node, ...]) -> tuple[syntax.Node, ...]:
        shape = PREDICATES[name.text]
        self.expect(Kind.BRACKET, "(")
        arguments = list(piped)
        for index in range(len(piped), shape.most):
            if self.at(Kind.BRACKET, ")"):
                if index >= shape.least:
                    break
                raise LocatedFault(f"{name.text} needs {shape.least} arguments", self.current.position)
            if index > len(piped):
                self.expect(Kind.OPERATOR, ",")
            arguments.append(self._predicate() if index == 1 else self.expression())
        self.accept(Kind.OPERATOR, ",")
        self.expect(Kind.BRACKET, ")")
        return tuple(arguments)

    def _predicate(self) -> syntax.Node:
        position = self.current.position
        self._predicates += 1
        if self.at(Kind.BRACKET, "{"):
            node = self.block()
        else:
            node = self.expression()
            if self.at(Kind.OPERATOR, ";"):
                raise LocatedFault("put a predicate with ; in braces { }", self.current.position)
        self._predicates -= 1
        return self.made(syntax.Predicate(node, position=position))

    # --- what follows an operand --------------------------------------------------------------------------------

    def postfix(self, node: syntax.Node) -> syntax.Node:
        while True:
            optional = self.at(Kind.OPERATOR, "?.")
            if self.at(Kind.BRACKET, "["):
                node = self._index(node, optional=False)
            elif optional and (self.peek().kind, self.peek().text) == (Kind.BRACKET, "["):
                self.advance()
                node = self._index(node, optional=True)
            elif optional or self.at(Kind.OPERATOR, "."):
                self.advance()
                node = self._member(node, optional=optional)
            else:
                return node

    def _member(self, node: syntax.Node, *, optional: bool) -> syntax.Node:
        token = self.advance()
        # Words such as `in` and `not` are names here.
        if token.kind is not Kind.NAME and not (token.kind is Kind.OPERATOR and is_name(token.text)):
            raise self.unexpected(", expected a name", token)
        chained = isinstance(node, syntax.Chain)
        if isinstance(node, syntax.Chain):
            node = node.node
        name = self.made(syntax.String(token.text, position=token.position))
        member: syntax.Node = self.made(syntax.Member(node, name, optional, position=token.position))
        if self.at(Kind.BRACKET, "("):
            arguments = self._list("(", ")", self.expression)
            member = self.made(syntax.Call(member, arguments, position=token.position))
        return self.made(syntax.Chain(member, position=token.position)) if chained or optional else member

    def _index(self, node: syntax.Node, *, optional: bool) -> syntax.Node:
        position = self.expect(Kind.BRACKET, "[").position
        if self.accept(Kind.OPERATOR, ":"):
            return self._slice(node, None, position)
        index = self.expression()
        if self.accept(Kind.OPERATOR, ":"):
            return self._slice(node, index, position)
        self.expect(Kind.BRACKET, "]")
        member = self.made(syntax.Member(node, index, optional, position=position))
        return self.made(syntax.Chain(member, position=position)) if optional else member

    def _slice(self, node: syntax.Node, start: syntax.Node | None, position: int) -> syntax.Node:
        stop = None if self.at(Kind.BRACKET, "]") else self.expression()
        self.expect(Kind.BRACKET, "]")
        return self.made(syntax.Slice(node, start, stop, position=position))


def _number(token: Token) -> syntax.Integer | syntax.Float:
    written = token.text.replace("_", "").lower()
    try:
        if not written.startswith("0x") and ("." in written or "e" in written):
            return syntax.Float(float_literal(written), position=token.position)
        return syntax.Integer(integer_literal(written), position=token.position)
    except ValueError as error:
        raise LocatedFault(f"{token.text} is not a number: {error}", token.position) from None
