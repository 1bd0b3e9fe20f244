"""Tokens to a syntax tree: a Pratt parser (precedence climbing) for expr-lang.

What a `{` or a `#` means is decided by where it stands, so the grammar is written by hand.
"""

from collections.abc import Collection

from bot.expressions import syntax
from bot.expressions.errors import ExpressionError, LocatedFault
from bot.expressions.lexer import Kind, Token, tokens
from bot.expressions.operand_parser import OperandParser
from bot.expressions.operators import BINARY, COMPARISONS, LOOSEST, NEGATABLE, RIGHT_ASSOCIATIVE

DEEPEST_TREE = 220  # nodes below one another: a chain of operators counts too


def parse(code: str, overridden: Collection[str] = ()) -> syntax.Node:
    """The syntax tree of an expression.

    `overridden` are names of the environment that hide a built-in function. Raises `ExpressionError`.
    """
    try:
        tree = Parser(tokens(code), overridden).whole()
    except LocatedFault as fault:
        raise ExpressionError.at(fault.message, code, fault.position) from None
    except RecursionError:
        raise ExpressionError.at("the expression is nested too deeply", code, 0) from None
    if syntax.depth(tree) > DEEPEST_TREE:
        raise ExpressionError.at("the expression is nested too deeply", code, 0)
    return tree


class Parser(OperandParser):
    """One pass over the tokens. Raises `LocatedFault` at the first one that does not fit."""

    def whole(self) -> syntax.Node:
        """The expression that all tokens together are."""
        tree = self.sequence()
        if not self.at(Kind.END):
            raise self.unexpected()
        return tree

    def sequence(self) -> syntax.Node:
        first = self.expression()
        nodes = [first]
        while self.accept(Kind.OPERATOR, ";"):
            if self.at(Kind.END):
                break
            nodes.append(self.expression())
        return first if len(nodes) == 1 else self.made(syntax.Sequence(tuple(nodes), position=first.position))

    def expression(self, precedence: int = LOOSEST) -> syntax.Node:
        self.descend()
        try:
            if precedence == LOOSEST and self.at(Kind.OPERATOR, "let"):
                return self._let()
            if precedence == LOOSEST and self.at(Kind.OPERATOR, "if"):
                return self._if()
            node = self._operators(self.primary(), precedence)
            return self._conditional(node) if precedence == LOOSEST else node
        finally:
            self.ascend()

    def _operators(self, left: syntax.Node, precedence: int) -> syntax.Node:
        before = ""
        while self.current.kind is Kind.OPERATOR:
            token, negation = self.current, None
            if token.text == "not":
                token, negation = self.peek(), token
                if token.text not in NEGATABLE or token.kind is not Kind.OPERATOR:
                    raise self.unexpected(token=token)
            binding = BINARY.get(token.text, -1)
            if binding < precedence:
                break
            if negation:
                self.advance()
            self.advance()
            if before == "??" and token.text not in {"??", "|"}:
                raise LocatedFault(
                    f"?? and {token.text} cannot be mixed: put one of them in parentheses", token.position
                )
            left = self._binary(left, token, binding)
            if negation:
                left = self.made(syntax.Unary("not", left, position=negation.position))
            before = token.text
        return left

    def _binary(self, left: syntax.Node, token: Token, binding: int) -> syntax.Node:
        if token.text == "|":
            return self._call(self.expect(Kind.NAME), (left,))
        if token.text in COMPARISONS:
            return self._comparison(left, token, binding)
        right = self.expression(binding if token.text in RIGHT_ASSOCIATIVE else binding + 1)
        return self.made(syntax.Binary(token.text, left, right, position=token.position))

    def _comparison(self, left: syntax.Node, token: Token, binding: int) -> syntax.Node:
        operands, operators = [left, self.expression(binding + 1)], [token.text]
        while self.current.kind is Kind.OPERATOR and self.current.text in COMPARISONS:
            operators.append(self.advance().text)
            operands.append(self.expression(binding + 1))
        if len(operators) == 1:
            return self.made(syntax.Binary(token.text, *operands, position=token.position))
        return self.made(syntax.Comparison(tuple(operands), tuple(operators), position=token.position))

    def _conditional(self, node: syntax.Node) -> syntax.Node:
        while self.at(Kind.OPERATOR, "?"):
            position = self.advance().position
            then = None
            if not self.at(Kind.OPERATOR, ":"):
                then = self.expression()
            self.expect(Kind.OPERATOR, ":")
            node = self.made(syntax.Conditional(node, then, self.expression(), position=position))
        return node

    def _if(self) -> syntax.Node:
        position = self.advance().position
        condition = self.expression()
        then = self.block()
        self.expect(Kind.OPERATOR, "else")
        otherwise = self.expression() if self.at(Kind.OPERATOR, "if") else self.block()
        return self.made(syntax.Conditional(condition, then, otherwise, position=position))

    def block(self) -> syntax.Node:
        self.expect(Kind.BRACKET, "{")
        node = self.sequence()
        self.expect(Kind.BRACKET, "}")
        return node

    def _let(self) -> syntax.Node:
        self.advance()
        name = self.expect(Kind.NAME)
        self.expect(Kind.OPERATOR, "=")
        value = self.expression()
        self.expect(Kind.OPERATOR, ";")
        return self.made(syntax.Let(name.text, value, self.sequence(), position=name.position))
