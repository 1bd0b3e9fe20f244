"""Whether a function can be called with arguments of these natures."""

from bot.expressions import syntax
from bot.expressions.errors import LocatedFault
from bot.expressions.natures import (
    ARRAY,
    BOOL,
    FLOAT,
    GROUPS,
    INT,
    UNTYPED,
    Kind,
    Nature,
    Signature,
    array_of,
    as_declared,
    assignable,
    element_of,
)
from bot.expressions.signatures import DECLARED, RULES


def check_builtin(node: syntax.Builtin, arguments: tuple[Nature, ...]) -> Nature:
    """The nature of what a function of the language gives. Raises `LocatedFault`."""
    if node.name in DECLARED:
        return check_arguments(node.name, DECLARED[node.name], arguments, node)
    if node.name not in RULES:  # get, with too few or too many arguments
        raise LocatedFault(f"{node.name} takes 2 arguments, got {len(arguments)}", node.position)
    result = RULES[node.name](arguments)
    if isinstance(result, str):
        raise LocatedFault(result, node.position)
    return result


def check_arguments(
    name: str, function: Nature, arguments: tuple[Nature, ...], node: syntax.Builtin | syntax.Call
) -> Nature:
    """The nature of what a function gives, by the first of its signatures that fits. Raises `LocatedFault`."""
    wrong: LocatedFault | None = None
    for signature in function.signatures:
        wrong = _mismatch(name, signature, arguments, node)
        if wrong is None:
            return signature.result
    raise wrong or LocatedFault(f"{name} is no function", node.position)


def _mismatch(
    name: str, signature: Signature, arguments: tuple[Nature, ...], node: syntax.Builtin | syntax.Call
) -> LocatedFault | None:
    count = len(signature.parameters)
    if signature.variadic:
        if len(arguments) < count - 1:
            return LocatedFault(f"{name} takes at least {count - 1} arguments, got {len(arguments)}", node.position)
    elif len(arguments) != count:
        return LocatedFault(f"{name} takes {count} arguments, got {len(arguments)}", node.position)
    for index, nature in enumerate(arguments):
        parameter = signature.parameters[min(index, count - 1)]
        if nature.unknown or assignable(nature, parameter):
            continue
        # A whole number can be a float, or of another size.
        if nature.kind is Kind.INT and (parameter == FLOAT or parameter.kind is Kind.INT):
            continue
        position = node.arguments[index].position
        return LocatedFault(f"argument {index + 1} of {name} must be {parameter}, not {nature}", position)
    return None


def predicate_result(name: str, collection: Nature, result: Nature) -> Nature:
    """The nature of what a predicate function gives, from those of its list and its predicate."""
    if name in {"all", "none", "any", "one"}:
        return BOOL
    if name in {"count", "findIndex", "findLastIndex"}:
        return INT
    if name == "map":
        return array_of(result)
    if name == "filter":
        return ARRAY if collection.unknown else array_of(element_of(collection))
    if name in {"find", "findLast"}:
        return UNTYPED if collection.unknown else element_of(collection)
    if name == "groupBy":
        return GROUPS
    if name == "sortBy":
        return collection
    return as_declared(result) if name == "sum" else result
