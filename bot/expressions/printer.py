"""A syntax tree back to text. Reading the text again gives the same tree."""

from bot.expressions import syntax
from bot.expressions.lexer import WORD_OPERATORS, is_name
from bot.expressions.operators import BINARY, COMPARISONS, RIGHT_ASSOCIATIVE, UNARY

_LOOSE = (syntax.Conditional, syntax.Let, syntax.Sequence)  # what must be in parentheses inside anything
_NOT_POSTFIX = (  # what nothing can follow directly
    syntax.Unary,
    syntax.Binary,
    syntax.Comparison,
    syntax.Nil,
    syntax.Bool,
    syntax.Integer,
    syntax.Float,
    *_LOOSE,
)


def unparse(node: syntax.Node) -> str:
    """The expression as text, in one line, with spaces round operators and no more parentheses than are safe."""
    match node:
        case syntax.Nil():
            return "nil"
        case syntax.Bool(value=value):
            return "true" if value else "false"
        case syntax.Integer(value=value):
            return str(value)
        case syntax.Float(value=value):
            return repr(value)
        case syntax.String(value=text):
            return _quoted(text)
        case syntax.Bytes(value=data):
            return 'b"' + "".join(_escaped(chr(byte)) if byte < 0x80 else f"\\x{byte:02x}" for byte in data) + '"'
        case syntax.Identifier(name=name):
            return name
        case syntax.Pointer(name=name):
            return f"#{name}"
        case syntax.Unary(operator=operator, operand=operand):
            wrapped = isinstance(operand, (syntax.Binary, syntax.Comparison, *_LOOSE))
            return (f"{operator} " if operator == "not" else operator) + _wrap(operand, wrapped)
        case syntax.Binary():
            return _binary(node)
        case syntax.Comparison(operands=(first, *others), operators=operators):
            parts = (
                f" {operator} {_right(other, operator)}" for operator, other in zip(operators, others, strict=True)
            )
            return _left(first, operators[0]) + "".join(parts)
        case syntax.Conditional(condition=condition, then=None, otherwise=otherwise):
            return f"{_part(condition)} ?: {_part(otherwise)}"
        case syntax.Conditional(condition=condition, then=syntax.Node() as then, otherwise=otherwise):
            return f"{_part(condition)} ? {_part(then)} : {_part(otherwise)}"
        case syntax.Let(name=name, value=value, body=body):
            return f"let {name} = {_part(value)}; {unparse(body)}"
        case syntax.Sequence(nodes=nodes):
            return "; ".join(_part(below) for below in nodes)
        case syntax.Array(nodes=nodes):
            return f"[{_list(nodes)}]"
        case syntax.Map(pairs=pairs):
            return "{" + ", ".join(f"{_key(pair.key)}: {_part(pair.value)}" for pair in pairs) + "}"
    return _postfix(node)


def _postfix(node: syntax.Node) -> str:
    match node:
        case syntax.Chain(node=below):
            return unparse(below)
        case syntax.Member(node=base, name=name, optional=optional):
            dot = "?." if optional else ""
            # After a chain, `.name` would belong to it.
            if isinstance(name, syntax.String) and is_name(name.value) and not isinstance(base, syntax.Chain):
                return f"{_base(base)}{dot or '.'}{name.value}"
            return f"{_base(base)}{dot}[{_part(name)}]"
        case syntax.Slice(node=base, start=start, stop=stop):
            bounds = ":".join("" if bound is None else _part(bound) for bound in (start, stop))
            return f"{_base(base)}[{bounds}]"
        case syntax.Call(callee=syntax.Identifier(name="true" | "false" | "nil" as name), arguments=arguments):
            return f"::{name}({_list(arguments)})"  # what `x | nil()` calls
        case syntax.Call(callee=callee, arguments=arguments):
            return f"{unparse(callee)}({_list(arguments)})"
        case syntax.Builtin(name=name, arguments=arguments):
            return f"{name}({_list(arguments)})"
        case syntax.Predicate(node=below):
            text = unparse(below)
            return f"{{{text}}}" if text.startswith("{") or isinstance(below, (syntax.Let, syntax.Sequence)) else text
    raise AssertionError(f"unknown node {node}")


def _list(nodes: tuple[syntax.Node, ...]) -> str:
    return ", ".join(_part(below) for below in nodes)


def _wrap(node: syntax.Node, wrapped: bool) -> str:
    return f"({unparse(node)})" if wrapped else unparse(node)


def _part(node: syntax.Node) -> str:
    return _wrap(node, isinstance(node, _LOOSE))


def _base(node: syntax.Node) -> str:
    return _wrap(node, isinstance(node, _NOT_POSTFIX))


def _binary(node: syntax.Binary) -> str:
    return f"{_left(node.left, node.operator)} {node.operator} {_right(node.right, node.operator)}"


def _binding(node: syntax.Node) -> int:
    """How tightly the node's own operator holds it together."""
    match node:
        case syntax.Binary(operator="??"):
            return -1  # can't be next to another operator
        case syntax.Binary(operator=operator):
            return BINARY[operator]
        case syntax.Comparison(operators=operators):
            return BINARY[operators[0]]
        case syntax.Unary(operator=operator):
            return UNARY[operator]
    return -1 if isinstance(node, _LOOSE) else 1000


def _left(node: syntax.Node, operator: str) -> str:
    binding = _binding(node)
    wrapped = binding < BINARY[operator] or (binding == BINARY[operator] and operator in RIGHT_ASSOCIATIVE)
    match node:
        case syntax.Binary(operator="??") if operator == "??":
            wrapped = False
        case syntax.Binary(operator=other) if other in COMPARISONS and operator in COMPARISONS:
            wrapped = True  # else it would be one chain of comparisons
        case syntax.Comparison() if operator in COMPARISONS:
            wrapped = True
    return _wrap(node, wrapped)


def _right(node: syntax.Node, operator: str) -> str:
    binding = _binding(node)
    return _wrap(
        node, binding < BINARY[operator] or (binding == BINARY[operator] and operator not in RIGHT_ASSOCIATIVE)
    )


def _key(node: syntax.Node) -> str:
    if not isinstance(node, syntax.String):
        return f"({unparse(node)})"
    text = node.value
    return text if is_name(text) and text not in WORD_OPERATORS else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\x{ord(character):02x}" if character < " " or character == "\x7f" else character
