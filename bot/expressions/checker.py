"""Checks an expression before it is run: kinds that can never fit, unknown names, names declared twice.

Literals have kinds in any case; names only when the values at hand are given (Argo Rollouts does, Kargo does not).
The rules are those of expr-lang v1.17.8, and apply to branches that are never taken as well.
"""

from collections.abc import Mapping
from itertools import pairwise

from bot.expressions import syntax
from bot.expressions.calls import check_arguments, check_builtin, predicate_result
from bot.expressions.errors import LocatedFault
from bot.expressions.methods import method_nature
from bot.expressions.natures import (
    ANY,
    ARRAY,
    BOOL,
    BYTES,
    FLOAT,
    INT,
    MAP,
    NIL,
    STRING,
    UNTYPED,
    Kind,
    Nature,
    array_of,
    assignable,
    element_of,
    same_kind,
)
from bot.expressions.operands import binary_nature
from bot.expressions.patterns import compile_pattern
from bot.expressions.signatures import BUILTINS, PREDICATES, builtin_as_value

_LITERALS: dict[type, Nature] = {
    syntax.Nil: NIL,
    syntax.Bool: BOOL,
    syntax.Integer: INT,
    syntax.Float: FLOAT,
    syntax.String: STRING,
    syntax.Bytes: BYTES,
}


class Checker:
    """Finds the nature of every part. `names` are the natures of the environment, None if it is not known.

    Raises `LocatedFault`.
    """

    def __init__(self, names: Mapping[str, Nature] | None) -> None:
        self._names = names
        self._variables: list[tuple[str, Nature]] = []
        self._scopes: list[tuple[Nature, dict[str, Nature]]] = []  # the collection, #index and #acc

    def check(self, node: syntax.Node) -> Nature:
        """The nature of a part, all below it checked."""
        literal = _LITERALS.get(type(node))
        if literal is not None:
            return literal
        match node:
            case syntax.Identifier():
                return self._identifier(node)
            case syntax.Member():
                return self._member(node)
            case syntax.Binary():
                return self._binary(node)
            case syntax.Unary():
                return self._unary(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Builtin():
                return self._builtin(node)
            case syntax.Pointer():
                return self._pointer(node)
            case syntax.Chain(node=below) | syntax.Predicate(node=below):
                return self.check(below)
            case syntax.Conditional():
                return self._conditional(node)
            case syntax.Comparison(operands=operands, operators=operators):
                natures = [self.check(operand) for operand in operands]
                for operator, left, right in zip(operators, natures, natures[1:], strict=False):
                    self._operate(operator, left, right, node.position)
                return BOOL
            case syntax.Slice():
                return self._slice(node)
            case syntax.Let():
                return self._let(node)
            case syntax.Array(nodes=nodes):
                return self._array(nodes)
            case syntax.Sequence(nodes=nodes):
                return [self.check(below) for below in nodes][-1]
        for below in syntax.children(node):  # a map, or one of its pairs
            self.check(below)
        return MAP

    def _identifier(self, node: syntax.Identifier) -> Nature:
        for name, nature in reversed(self._variables):
            if name == node.name:
                return nature
        if node.name == "$env":
            return UNTYPED
        return self._name(node.name, node.position, builtins=True)

    def _name(self, name: str, position: int, *, strict: bool = True, builtins: bool = False) -> Nature:
        if self._names is not None and name in self._names:
            return self._names[name]
        if builtins and (name in BUILTINS or name in PREDICATES):
            return builtin_as_value(name)
        if self._names is not None and strict:
            known = ", ".join(sorted(self._names))
            raise LocatedFault(f"unknown name {name}" + (f"; known are {known}" if known else ""), position)
        return UNTYPED

    def _unary(self, node: syntax.Unary) -> Nature:
        operand = self.check(node.operand)
        if node.operator in {"!", "not"}:
            if operand.kind is Kind.BOOL or operand.unknown:
                return BOOL
        elif operand.number:
            return operand
        elif operand.unknown:
            return UNTYPED
        raise LocatedFault(f"cannot evaluate {node.operator} {operand}", node.position)

    def _binary(self, node: syntax.Binary) -> Nature:
        left, right = self.check(node.left), self.check(node.right)
        if node.operator == "matches" and isinstance(node.right, syntax.String):
            try:
                compile_pattern(node.right.value)
            except ValueError as error:
                raise LocatedFault(str(error), node.right.position) from None
        return self._operate(node.operator, left, right, node.position)

    @staticmethod
    def _operate(operator: str, left: Nature, right: Nature, position: int) -> Nature:
        nature = binary_nature(operator, left, right)
        if nature is None:
            raise LocatedFault(f"cannot evaluate {left} {operator} {right}", position)
        return nature

    def _member(self, node: syntax.Member) -> Nature:
        name = node.name.value if isinstance(node.name, syntax.String) else None
        if isinstance(node.node, syntax.Identifier) and node.node.name == "$env":
            if name is None:
                return UNTYPED
            return self._name(name, node.position, strict=not node.optional)
        base, key = self.check(node.node), self.check(node.name)
        if base.unknown:
            return UNTYPED
        if name is not None:
            found = method_nature(base, name)
            if found is not None:
                return found
        if base.kind is Kind.MAP:
            if not (key.unknown or assignable(key, _key_of(base))):
                raise LocatedFault(f"a key of {base} cannot be {key}", node.name.position)
            return element_of(base)
        if base.listlike:
            if not (key.kind is Kind.INT or key.unknown):
                raise LocatedFault(f"an index must be int, not {key}", node.name.position)
            return element_of(base)
        for field, nature in base.fields if name is not None else ():
            if field == name:
                return nature
        raise LocatedFault(f"{base} has no {name if name is not None else f'member [{key}]'}", node.position)

    def _slice(self, node: syntax.Slice) -> Nature:
        base = self.check(node.node)
        if base.unknown:  # then its bounds are not looked at either
            return UNTYPED
        if not (base.listlike or base.kind is Kind.STRING):
            raise LocatedFault(f"cannot slice {base}", node.position)
        for bound in (node.start, node.stop):
            if bound is not None:
                nature = self.check(bound)
                if not (nature.kind is Kind.INT or nature.unknown):
                    raise LocatedFault(f"an index must be int, not {nature}", bound.position)
        return base

    def _call(self, node: syntax.Call) -> Nature:
        if isinstance(node.callee, syntax.Identifier) and node.callee.name == "$env":
            raise LocatedFault("$env is no function", node.position)
        callee = self.check(node.callee)
        if callee.unknown:
            return UNTYPED
        if callee.kind is not Kind.FUNCTION:
            raise LocatedFault(f"{callee} is no function", node.position)
        return check_arguments(_called(node.callee), callee, self._natures(node.arguments), node)

    def _natures(self, nodes: tuple[syntax.Node, ...]) -> tuple[Nature, ...]:
        return tuple(self.check(below) for below in nodes)

    def _builtin(self, node: syntax.Builtin) -> Nature:
        if node.name in PREDICATES:
            return self._predicate_call(node)
        if node.name != "get" or len(node.arguments) != 2:
            return check_builtin(node, self._natures(node.arguments))
        base, key = self._natures(node.arguments)
        first, second = node.arguments
        if isinstance(first, syntax.Identifier) and first.name == "$env":
            name = second.value if isinstance(second, syntax.String) else ""
            return (self._names or {}).get(name, UNTYPED)
        if base.unknown:
            return UNTYPED
        if base.listlike and not (key.kind is Kind.INT or key.unknown):
            raise LocatedFault(f"an index must be int, not {key}", second.position)
        if base.kind is Kind.MAP and not (key.unknown or assignable(key, _key_of(base))):
            raise LocatedFault(f"a key of {base} cannot be {key}", second.position)
        if not (base.listlike or base.kind is Kind.MAP):
            raise LocatedFault(f"get cannot look into {base}", first.position)
        return element_of(base)

    def _predicate_call(self, node: syntax.Builtin) -> Nature:
        collection = self.check(node.arguments[0])
        if not (collection.listlike or collection.unknown):
            raise LocatedFault(f"{node.name} takes a list, not {collection}", node.arguments[0].position)
        if len(node.arguments) == 1:
            if node.name == "count":
                return INT
            return UNTYPED if collection.unknown else element_of(collection)
        pointers: dict[str, Nature] = {}
        if node.name in {"map", "reduce"}:
            pointers["index"] = INT
        if node.name == "reduce":
            pointers["acc"] = UNTYPED
        self._scopes.append((collection, pointers))
        result = self.check(node.arguments[1])
        self._scopes.pop()
        if len(node.arguments) == 3:
            third = self.check(node.arguments[2])
            if node.name == "sortBy" and not (third.kind is Kind.STRING or third.unknown):
                raise LocatedFault(f"the order must be text, not {third}", node.arguments[2].position)
        if result.kind is Kind.NIL:
            raise LocatedFault(f"the predicate of {node.name} is nil", node.arguments[1].position)
        wants_bool = node.name not in {"map", "sum", "groupBy", "sortBy", "reduce"}
        if wants_bool and not (result.kind is Kind.BOOL or result.unknown):
            raise LocatedFault(f"the predicate of {node.name} must be bool, not {result}", node.arguments[1].position)
        return predicate_result(node.name, collection, result)

    def _pointer(self, node: syntax.Pointer) -> Nature:
        # The parser lets pointers stand in predicates only.
        collection, pointers = self._scopes[-1]
        if not node.name:
            return UNTYPED if collection.unknown else element_of(collection)
        if node.name not in pointers:
            raise LocatedFault(f"there is no #{node.name} here", node.position)
        return pointers[node.name]

    def _let(self, node: syntax.Let) -> Nature:
        taken = (self._names or {}).keys() | {name for name, _ in self._variables}
        if node.name in taken or node.name in BUILTINS or node.name in PREDICATES:
            raise LocatedFault(f"{node.name} is already declared", node.position)
        self._variables.append((node.name, self.check(node.value)))
        nature = self.check(node.body)
        self._variables.pop()
        return nature

    def _conditional(self, node: syntax.Conditional) -> Nature:
        condition = self.check(node.condition)
        if not (condition.kind is Kind.BOOL or condition.unknown):
            raise LocatedFault(f"a condition must be bool, not {condition}", node.condition.position)
        then = condition if node.then is None else self.check(node.then)
        otherwise = self.check(node.otherwise)
        if then.kind is Kind.NIL:
            return otherwise
        if otherwise.kind is Kind.NIL:
            return then
        if not assignable(then, otherwise):
            return UNTYPED
        if then.listlike and otherwise.listlike:
            first, second = element_of(then), element_of(otherwise)
            if not (assignable(first, second) and assignable(second, first)):
                return ARRAY
        return then

    def _array(self, nodes: tuple[syntax.Node, ...]) -> Nature:
        natures = self._natures(nodes)
        if all(same_kind(a, b) for a, b in pairwise(natures)):
            return array_of(natures[-1] if natures else UNTYPED)
        return ARRAY


def _key_of(base: Nature) -> Nature:
    return STRING if base.type == MAP.type else ANY


def _called(callee: syntax.Node) -> str:
    match callee:
        case syntax.Identifier(name=name) | syntax.Member(name=syntax.String(value=name)):
            return name
    return "the function"
