"""What the parts of an expression cost in steps, whatever their values: so much every round of a loop takes.

Measured, and checked by `python -m benchmarks expressions`. What depends on a value is taken when the value is there.
"""

from bot.expressions import syntax

_BUILTIN = 6
_BUILTINS = {
    "len": 4,
    **dict.fromkeys(("split", "splitAfter"), 8),
    **dict.fromkeys(("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr", "round"), 10),
    **dict.fromkeys(("get", "first", "last", "hasPrefix", "hasSuffix", "int", "float", "trim"), 10),
    **dict.fromkeys(("indexOf", "lastIndexOf", "repeat", "upper", "lower"), 12),
    **dict.fromkeys(("take", "reverse", "replace", "concat", "keys", "values", "toPairs", "join"), 16),
    **dict.fromkeys(("toBase64", "fromBase64", "toJSON", "uniq", "flatten", "fromPairs", "sort"), 20),
    **dict.fromkeys(("max", "min", "mean", "median"), 25),
    "fromJSON": 40,
    "now": 60,
}
_LOOP = 30  # beside its rounds
_OPERATORS = {"**": 12, "^": 12, "matches": 25, "..": 5, "in": 5, "/": 2, "%": 6}


def cost(node: syntax.Node) -> int:
    """The steps that one evaluation of the node takes at least. Works without recursion."""
    total, waiting = 0, [node]
    while waiting:
        part = waiting.pop()
        total += _own(part)
        waiting.extend(syntax.children(part))
    return total


def _own(node: syntax.Node) -> int:
    match node:
        case syntax.Builtin(arguments=arguments) if any(isinstance(one, syntax.Predicate) for one in arguments):
            return _LOOP
        case syntax.Builtin(name=name):
            return _BUILTINS.get(name, _BUILTIN)
        case syntax.Predicate():
            return 0
        case syntax.Binary(operator=operator):
            return _OPERATORS.get(operator, 2)
        case syntax.Member(name=name):
            return 2 if isinstance(name, syntax.String) else 4
        case syntax.Unary():
            return 2
        case syntax.Slice():
            return 8
        case syntax.Array(nodes=nodes):
            return 2 + len(nodes)
    return 1
