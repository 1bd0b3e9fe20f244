"""The syntax tree of an expression. `position` is an offset in the code and has no part in equality."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Any expression."""

    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Nil(Node):
    """`nil`"""


@dataclass(frozen=True, slots=True)
class Bool(Node):
    """`true` or `false`"""

    value: bool


@dataclass(frozen=True, slots=True)
class Integer(Node):
    """A whole number of 64 bits."""

    value: int


@dataclass(frozen=True, slots=True)
class Float(Node):
    """A number with a point or an exponent."""

    value: float


@dataclass(frozen=True, slots=True)
class String(Node):
    """Text, in any of its three kinds of quotation marks."""

    value: str


@dataclass(frozen=True, slots=True)
class Bytes(Node):
    """`b"…"`"""

    value: bytes


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A variable, a name of the environment, or `$env` for all of that."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer(Node):
    """`#` in a predicate, or `#index` and `#acc`: then the name is not empty."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`not x`, `!x`, `-x`, `+x`"""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two operands and what stands between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`a < b <= c`: every neighbouring pair must hold. One operator fewer than operands."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`node.name`, `node[index]` and their optional forms with `?.`"""

    node: Node
    name: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """What a `?.` skips if it meets nil: the members and calls down to that `?.`"""

    node: Node


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`node[start:stop]`"""

    node: Node
    start: Node | None
    stop: Node | None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of something in the environment, or of a method."""

    callee: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Builtin(Node):
    """A call of a function of the language."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Predicate(Node):
    """The argument that is evaluated once per element."""

    node: Node


@dataclass(frozen=True, slots=True)
class Let(Node):
    """`let name = value; body`"""

    name: str
    value: Node
    body: Node


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    """`a; b`: the value is the last one's."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`c ? a : b` and `if c {a} else {b}`. Without `then` it is `c ?: b`."""

    condition: Node
    then: Node | None
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Array(Node):
    """`[a, b]`"""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pair(Node):
    """One entry of a map. The key of a literal is text; a key in parentheses is any expression."""

    key: Node
    value: Node


@dataclass(frozen=True, slots=True)
class Map(Node):
    """`{a: 1, "b": 2, (c): 3}`"""

    pairs: tuple[Pair, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The expressions directly below a node, in the order in which they are written."""
    match node:
        case Unary(operand=below) | Chain(node=below) | Predicate(node=below):
            return (below,)
        case Binary(left=left, right=right):
            return (left, right)
        case Comparison(operands=below) | Sequence(nodes=below) | Array(nodes=below) | Map(pairs=below):
            return below
        case Member(node=base, name=name):
            return (base, name)
        case Slice(node=base, start=start, stop=stop):
            return tuple(part for part in (base, start, stop) if part is not None)
        case Call(callee=callee, arguments=arguments):
            return (callee, *arguments)
        case Builtin(arguments=arguments):
            return arguments
        case Let(value=value, body=body):
            return (value, body)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return (condition, otherwise) if then is None else (condition, then, otherwise)
        case Pair(key=key, value=value):
            return (key, value)
    return ()


def depth(node: Node) -> int:
    """How many nodes the longest way down has. Works without recursion, for it guards what recurses."""
    deepest, level = 0, [node]
    while level:
        deepest += 1
        level = [below for above in level for below in children(above)]
    return deepest
