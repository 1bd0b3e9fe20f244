"""A checked syntax tree to nested Python functions, which run several times faster than walking the tree."""

from bot.expressions import syntax
from bot.expressions.access import END, cut, fetch
from bot.expressions.builtins import BUILTIN_CODE, takes
from bot.expressions.costs import cost
from bot.expressions.errors import Fault, LocatedFault
from bot.expressions.export import handed
from bot.expressions.frame import Code, Frame, located
from bot.expressions.literal_code import array_code, map_code
from bot.expressions.loops import LOOPS, pointer
from bot.expressions.name_code import environment_code, name_code
from bot.expressions.operations import negate
from bot.expressions.operator_code import (
    comparison_code,
    matches_code,
    membership_code,
    operator_code,
    range_membership_code,
)
from bot.expressions.optimizer import FIND_OR_FAIL
from bot.expressions.signatures import PREDICATES
from bot.expressions.values import Function, is_nil, kind_of

_CUT_SHORT = object()  # what a `?.` that met nil gives to the rest of its chain
_LOOPING = frozenset(PREDICATES) | frozenset(FIND_OR_FAIL.values())


class Compiler:
    """Makes code of nodes. Variables become numbered places in the frame."""

    def __init__(self) -> None:
        self.variables = 0
        self._places: list[tuple[str, int]] = []

    def compile(self, node: syntax.Node) -> Code:
        """The code of a node; it raises `LocatedFault`."""
        match node:
            case syntax.Nil():
                return lambda frame: None
            case syntax.Bool(value=value) | syntax.Integer(value=value) | syntax.Float(value=value):
                return lambda frame: value
            case syntax.String(value=text):
                return lambda frame: text
            case syntax.Bytes(value=data):
                return lambda frame: data
            case syntax.Identifier():
                return self._identifier(node)
            case syntax.Pointer(name=name):
                return pointer(name, node.position)
            case syntax.Unary():
                return self._unary(node)
            case syntax.Binary():
                return self._binary(node)
            case syntax.Comparison(operands=operands, operators=operators):
                return comparison_code([self.compile(operand) for operand in operands], operators, node.position)
            case syntax.Member():
                return self._member(node)
            case syntax.Chain(node=below):
                return self._chain(below)
            case syntax.Slice():
                return self._slice(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Builtin():
                return self._builtin(node)
            case syntax.Predicate(node=below):
                return self.compile(below)
            case syntax.Let():
                return self._let(node)
            case syntax.Sequence(nodes=nodes):
                return self._sequence([self.compile(below) for below in nodes])
            case syntax.Conditional():
                return self._conditional(node)
            case syntax.Array(nodes=nodes):
                return array_code([self.compile(below) for below in nodes], node.position)
            case syntax.Map(pairs=pairs):
                entries = [(self.compile(pair.key), self.compile(pair.value), pair.position) for pair in pairs]
                return map_code(entries, node.position)
        raise AssertionError(f"unknown node {node}")

    def _identifier(self, node: syntax.Identifier) -> Code:
        name, position = node.name, node.position
        for variable, place in reversed(self._places):
            if variable == name:
                return lambda frame: frame.variables[place]
        return environment_code if name == "$env" else name_code(name, position)

    def _unary(self, node: syntax.Unary) -> Code:
        operand, position = self.compile(node.operand), node.position
        if node.operator == "+":
            return operand

        def invert(frame: Frame) -> object:
            value = operand(frame)
            if value is True:
                return False
            if value is False:
                return True
            raise LocatedFault(f"not cannot take {kind_of(value)}", position)

        def minus(frame: Frame) -> object:
            try:
                return negate(operand(frame))
            except Fault as fault:
                raise located(fault, position) from fault

        return minus if node.operator == "-" else invert

    def _binary(self, node: syntax.Binary) -> Code:
        left, position = self.compile(node.left), node.position
        match node.right:
            case syntax.Binary(operator="..", left=first, right=last) if node.operator == "in":
                return range_membership_code(left, self.compile(first), self.compile(last), position)
        right = self.compile(node.right)
        if node.operator == "matches":
            pattern = node.right.value if isinstance(node.right, syntax.String) else None
            return matches_code(left, right, pattern, position)
        if node.operator == "in" and isinstance(node.right, syntax.Array):
            return membership_code(left, right, node.right.nodes, position)
        return operator_code(node.operator, left, right, position)

    def _member(self, node: syntax.Member, cut_short: bool = False) -> Code:
        """A member or index. In a chain, `cut_short` tells the members above that a `?.` met nil."""
        base, position, optional = self._link(node.node, cut_short), node.position, node.optional
        if isinstance(node.name, syntax.String):
            key = node.name.value

            def by_name(frame: Frame) -> object:
                value = base(frame)
                if type(value) is dict and (found := value.get(key, _CUT_SHORT)) is not _CUT_SHORT:
                    if type(found) is str or type(found) is dict:
                        return found
                elif value is _CUT_SHORT or (optional and is_nil(value)):
                    return _CUT_SHORT
                try:
                    return fetch(value, key)
                except Fault as fault:
                    raise located(fault, position) from fault

            return by_name
        name = self.compile(node.name)

        def by_index(frame: Frame) -> object:
            value = base(frame)
            if value is _CUT_SHORT or (optional and is_nil(value)):
                return _CUT_SHORT
            try:
                if type(value) is str and not value.isascii():
                    frame.budget.read(value, each=64)
                return fetch(value, name(frame))
            except Fault as fault:
                raise located(fault, position) from fault

        return by_index

    def _link(self, node: syntax.Node, cut_short: bool) -> Code:
        """A part of a chain: members and calls pass on that a `?.` below them met nil."""
        if cut_short and isinstance(node, syntax.Member):
            return self._member(node, cut_short=True)
        if cut_short and isinstance(node, syntax.Call):
            return self._call(node, cut_short=True)
        return self.compile(node)

    def _chain(self, below: syntax.Node) -> Code:
        code = self._link(below, cut_short=True)

        def chain(frame: Frame) -> object:
            value = code(frame)
            return None if value is _CUT_SHORT or is_nil(value) else value

        return chain

    def _slice(self, node: syntax.Slice) -> Code:
        base, position = self.compile(node.node), node.position
        start = (lambda frame: 0) if node.start is None else self.compile(node.start)
        stop = (lambda frame: END) if node.stop is None else self.compile(node.stop)

        def part(frame: Frame) -> object:
            value = base(frame)
            last = stop(frame)
            first = start(frame)
            try:
                return cut(value, first, last, frame.budget)
            except Fault as fault:
                raise located(fault, position) from fault

        return part

    def _call(self, node: syntax.Call, cut_short: bool = False) -> Code:
        callee = self._link(node.callee, cut_short)
        arguments, position = [self.compile(argument) for argument in node.arguments], node.position

        def call(frame: Frame) -> object:
            values = [argument(frame) for argument in arguments]
            function = callee(frame)
            if function is _CUT_SHORT:
                return _CUT_SHORT
            try:
                values = [handed(value, frame.budget) for value in values]
                if not isinstance(function, Function):
                    raise Fault(f"{_name_of(node.callee)} is no function but {kind_of(function)}")
                return function.run(frame.budget, values)
            except Fault as fault:
                raise located(fault, position) from fault

        return call

    def _builtin(self, node: syntax.Builtin) -> Code:
        arguments = [self.compile(argument) for argument in node.arguments]
        if node.name in _LOOPING:
            weight = sum(map(cost, node.arguments[1:])) + 2
            return LOOPS[node.name](arguments, node.position, weight)
        function, position = BUILTIN_CODE[node.name], node.position
        # The arguments of a call that is not known are not checked, so this one may not have been.
        if not takes(node.name, len(arguments)):
            return _failing(f"{node.name} cannot take {len(arguments)} arguments", position)

        def call(frame: Frame) -> object:
            try:
                return function(frame, *[argument(frame) for argument in arguments])
            except Fault as fault:
                raise located(fault, position) from fault

        def call_with_one(frame: Frame) -> object:
            try:
                return function(frame, first(frame))
            except Fault as fault:
                raise located(fault, position) from fault

        if len(arguments) != 1:
            return call
        (first,) = arguments
        return call_with_one

    def _let(self, node: syntax.Let) -> Code:
        value, place = self.compile(node.value), self.variables
        self.variables += 1
        self._places.append((node.name, place))
        body = self.compile(node.body)
        self._places.pop()

        def let(frame: Frame) -> object:
            frame.variables[place] = value(frame)
            return body(frame)

        return let

    @staticmethod
    def _sequence(codes: list[Code]) -> Code:
        *before, last = codes

        def sequence(frame: Frame) -> object:
            for code in before:
                code(frame)
            return last(frame)

        return sequence

    def _conditional(self, node: syntax.Conditional) -> Code:
        condition, otherwise = self.compile(node.condition), self.compile(node.otherwise)
        then = (lambda frame: True) if node.then is None else self.compile(node.then)
        position = node.condition.position

        def choose(frame: Frame) -> object:
            value = condition(frame)
            if value is True:
                return then(frame)
            if value is False:
                return otherwise(frame)
            raise LocatedFault(f"a condition must be true or false, not {kind_of(value)}", position)

        return choose


def _failing(message: str, position: int) -> Code:
    def fail(frame: Frame) -> object:
        raise LocatedFault(message, position)

    return fail


def _name_of(callee: syntax.Node) -> str:
    match callee:
        case syntax.Identifier(name=name) | syntax.Member(name=syntax.String(value=name)):
            return name
    return "it"
