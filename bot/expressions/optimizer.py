"""Constant parts computed beforehand, as expr-lang does it, for some of it can be noticed.

`x and false` is false whatever x is, `1 % 0` fails even where it is never reached, and `filter(l, p)[0]` stops at the
first hit. https://github.com/expr-lang/expr/tree/master/optimizer
"""

from collections.abc import Callable
from dataclasses import replace
from operator import is_
from typing import Any, TypeVar

from bot.expressions import syntax
from bot.expressions.errors import LocatedFault
from bot.expressions.numbers import divide, power, wrap
from bot.expressions.operations import remainder

FIND_OR_FAIL = {0: "find!", -1: "findLast!"}  # as `find` and `findLast`, but nothing found is an error

N = TypeVar("N", bound=syntax.Node)

_AND, _OR = frozenset(("and", "&&")), frozenset(("or", "||"))
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def optimize(node: syntax.Node) -> syntax.Node:
    """The same expression with less to do. Raises `LocatedFault` for a division by a constant zero."""
    return _patched(_with_children(node))


def _with_children(node: syntax.Node) -> syntax.Node:
    match node:
        case syntax.Unary():
            return _changed(node, operand=optimize(node.operand))
        case syntax.Chain() | syntax.Predicate():
            return _changed(node, node=optimize(node.node))
        case syntax.Binary():
            return _changed(node, left=optimize(node.left), right=optimize(node.right))
        case syntax.Comparison():
            return _changed(node, operands=_each(node.operands))
        case syntax.Sequence() | syntax.Array():
            return _changed(node, nodes=_each(node.nodes))
        case syntax.Map():
            pairs = (_changed(pair, key=optimize(pair.key), value=optimize(pair.value)) for pair in node.pairs)
            return _changed(node, pairs=tuple(pairs))
        case syntax.Member():
            return _changed(node, node=optimize(node.node), name=optimize(node.name))
        case syntax.Slice():
            start = None if node.start is None else optimize(node.start)
            stop = None if node.stop is None else optimize(node.stop)
            return _changed(node, node=optimize(node.node), start=start, stop=stop)
        case syntax.Call():
            return _changed(node, callee=optimize(node.callee), arguments=_each(node.arguments))
        case syntax.Builtin():
            return _changed(node, arguments=_each(node.arguments))
        case syntax.Let():
            return _changed(node, value=optimize(node.value), body=optimize(node.body))
        case syntax.Conditional():
            then = None if node.then is None else optimize(node.then)
            condition, otherwise = optimize(node.condition), optimize(node.otherwise)
            return _changed(node, condition=condition, then=then, otherwise=otherwise)
    return node


def _each(nodes: tuple[syntax.Node, ...]) -> tuple[syntax.Node, ...]:
    optimized = tuple(map(optimize, nodes))
    return nodes if all(map(is_, nodes, optimized)) else optimized


def _changed(node: N, /, **parts: Any) -> N:
    """The node with these parts; itself if it has them already, as most do."""
    return node if all(getattr(node, name) is part for name, part in parts.items()) else replace(node, **parts)


def _patched(node: syntax.Node) -> syntax.Node:
    match node:
        case syntax.Unary(operator="-", operand=syntax.Integer(value=value)):
            return syntax.Integer(wrap(-value), position=node.position)
        case syntax.Unary(operator="-", operand=syntax.Float(value=value)):
            return syntax.Float(-value, position=node.position)
        case syntax.Unary(operator="+", operand=syntax.Integer() | syntax.Float()):
            return node.operand
        case syntax.Unary(operator="not" | "!", operand=syntax.Bool(value=value)):
            return syntax.Bool(not value, position=node.position)
        case syntax.Binary():
            return _binary(node)
        case syntax.Member(node=syntax.Builtin(name="filter") as found, name=syntax.Integer(value=0 | -1 as index)):
            return node if node.optional else replace(found, name=FIND_OR_FAIL[index])
        case syntax.Builtin(name="filter", arguments=(base, predicate)):
            return _merged(node, base, predicate)
        case syntax.Builtin(name="map", arguments=(syntax.Builtin(name="filter", arguments=(_, _)) as found, change)):
            # The third argument is what becomes of those that pass.
            return node if _uses_index(change) else replace(found, arguments=(*found.arguments, change))
        case syntax.Builtin(name="first" | "last", arguments=(syntax.Builtin(name="filter") as found,)):
            return replace(found, name="find" if node.name == "first" else "findLast")
        case syntax.Builtin(name="len", arguments=(syntax.Builtin(name="filter", arguments=(_, _)) as found,)):
            return replace(found, name="count")
        case syntax.Builtin(name="sum", arguments=(syntax.Array(nodes=(first, *others)),)):
            # Added up one by one: so texts can be summed too, unless all are constant.
            if others and not all(isinstance(part, _CONSTANTS) for part in (first, *others)):
                return _added(first, others)
        case syntax.Builtin(name="sum", arguments=(syntax.Builtin(name="map", arguments=arguments),)):
            return replace(node, arguments=arguments)
        case syntax.Builtin(name="sum", arguments=(syntax.Binary(operator=".."),)):
            return _sum_of_range(node, node.arguments[0])
    return node


def _merged(node: syntax.Builtin, base: syntax.Node, predicate: syntax.Node) -> syntax.Node:
    """`filter(filter(l, p), q)` as one filter."""
    match base, predicate:
        case syntax.Builtin(name="filter", arguments=(elements, syntax.Predicate(node=first))), syntax.Predicate():
            both = _binary(syntax.Binary("&&", first, predicate.node, position=node.position))
            return replace(node, arguments=(elements, replace(predicate, node=both)))
    return node


def _uses_index(node: syntax.Node) -> bool:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, syntax.Pointer) and part.name == "index":
            return True
        waiting.extend(syntax.children(part))
    return False


_CONSTANTS = (syntax.Integer, syntax.Float, syntax.String, syntax.Bool)


def _sum_of_range(node: syntax.Builtin, limits: syntax.Node) -> syntax.Node:
    match limits:
        case syntax.Binary(left=syntax.Integer(value=first), right=syntax.Integer(value=last)) if first <= last:
            total = (last - first + 1) * (first + last)
            return node if wrap(total) != total else syntax.Integer(total // 2, position=node.position)
    return node


def _added(first: syntax.Node, others: list[syntax.Node]) -> syntax.Node:
    right = _added(others[0], others[1:]) if len(others) > 1 else others[0]
    return syntax.Binary("+", first, right, position=first.position)


def _binary(node: syntax.Binary) -> syntax.Node:
    operator, left, right = node.operator, node.left, node.right
    if operator in _AND or operator in _OR:
        return _logic(node, neutral=operator in _AND)
    if isinstance(left, syntax.String) and isinstance(right, syntax.String) and operator in {"+", "=="}:
        if operator == "+":
            return syntax.String(left.value + right.value, position=node.position)
        return syntax.Bool(left.value == right.value, position=node.position)
    if isinstance(left, syntax.Bool) and isinstance(right, syntax.Bool) and operator == "==":
        return syntax.Bool(left.value == right.value, position=node.position)
    if isinstance(left, (syntax.Integer, syntax.Float)) and isinstance(right, (syntax.Integer, syntax.Float)):
        return _arithmetic(node, left.value, right.value)
    return node


def _logic(node: syntax.Binary, neutral: bool) -> syntax.Node:
    """`true and x` is x, `x and false` false; with true and false exchanged for `or`."""
    left = node.left.value if isinstance(node.left, syntax.Bool) else None
    right = node.right.value if isinstance(node.right, syntax.Bool) else None
    if left is neutral:
        return node.right
    if right is neutral:
        return node.left
    if left is (not neutral) or right is (not neutral):
        return syntax.Bool(not neutral, position=node.position)
    return node


def _arithmetic(node: syntax.Binary, left: int | float, right: int | float) -> syntax.Node:
    whole = isinstance(left, int) and isinstance(right, int)
    if node.operator in _ARITHMETIC:
        result = _ARITHMETIC[node.operator](left, right)
        if whole:
            return syntax.Integer(wrap(result), position=node.position)
        return syntax.Float(result, position=node.position)
    if node.operator == "/":
        return syntax.Float(divide(float(left), float(right)), position=node.position)
    if node.operator in {"**", "^"}:
        return syntax.Float(power(float(left), float(right)), position=node.position)
    if node.operator == "%" and whole:
        if right == 0:
            raise LocatedFault("division by zero", node.position)
        return syntax.Integer(remainder(left, right), position=node.position)
    if node.operator == "==" and whole:
        return syntax.Bool(left == right, position=node.position)
    return node
