"""What expressions refer to by name, as far as that can be read off them: variables, earlier steps, functions.

https://docs.kargo.io/user-guide/reference-docs/expressions
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from bot.core.configuration.places import Path, Place
from bot.core.configuration.problems import Problems, names
from bot.expressions import ExpressionError, check_template, has_expressions
from bot.expressions import syntax as expr
from bot.expressions.common_functions import COMMON
from bot.expressions.functions import freight_functions, metadata_functions, secret_functions, status_functions

SEPARATOR = "::"  # between the alias of a task and that of a step inflated from it


class Kind(Enum):
    VARIABLE = "vars"
    OUTPUT = "outputs"
    TASK_OUTPUT = "task.outputs"
    FUNCTION = "functions"


@dataclass(frozen=True, slots=True)
class Reference:
    """A name as an expression has it. `optional`: the expression itself says what to do when it is not there."""

    kind: Kind
    name: str
    optional: bool = False


@lru_cache(maxsize=4096)
def references(text: str) -> tuple[Reference, ...]:
    """What the expressions of a text name outright; names that are themselves computed are left alone."""
    try:
        programs = check_template(text)
    except ExpressionError:  # told of elsewhere
        return ()
    return tuple(dict.fromkeys(found for program in programs for found in _in_tree(program.tree)))


def _in_tree(tree: expr.Node) -> Iterator[Reference]:
    waiting: list[tuple[expr.Node, bool]] = [(tree, False)]
    while waiting:
        node, optional = waiting.pop()
        match node:
            case expr.Let(name="vars" | "outputs" | "task", value=value):
                waiting.append((value, False))  # from here on the name means something else
            case expr.Member(node=base, name=expr.String(value=name)) if (kind := _kind(base)) is not None:
                yield Reference(kind, name, optional)
                continue
            case expr.Call(callee=expr.Identifier(name=name), arguments=arguments):
                yield Reference(Kind.FUNCTION, name)
                waiting += [(below, False) for below in arguments]
            case expr.Binary(operator="??" | "==" | "!=" as operator, left=left, right=right):
                waiting += [(right, operator != "??"), (left, True)]
            case expr.Chain() | expr.Member(optional=True):
                waiting += [(below, True) for below in expr.children(node)]
            case _:
                waiting += [(below, False) for below in expr.children(node)]


def _kind(node: expr.Node) -> Kind | None:
    """Of which kind the members of this node are."""
    match node:
        case expr.Identifier(name="vars"):
            return Kind.VARIABLE
        case expr.Identifier(name="outputs"):
            return Kind.OUTPUT
        case expr.Member(node=expr.Identifier(name="task"), name=expr.String(value="outputs")):
            return Kind.TASK_OUTPUT
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What there is where an expression stands. `outputs`: of earlier steps. `later`: names of all the others, too."""

    variables: Collection[str]
    outputs: Collection[str] = ()
    task_outputs: Collection[str] = ()
    later: Collection[str] = ()
    in_task: bool = False


@lru_cache(maxsize=1)
def functions() -> frozenset[str]:
    """What expressions of steps and variables may call, apart from the functions of the language itself."""
    return frozenset(
        {
            *COMMON,
            *freight_functions(()),
            *metadata_functions({}, {}, lambda _: None),
            *secret_functions(lambda _: {}),
            *status_functions({}, failed=False),
        }
    )


def templates(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text with `${{ }}` inside a value, with the path to it."""
    if isinstance(value, str):
        if has_expressions(value):
            yield path, value
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in entries:
        yield from templates(item, (*path, step))


def check_references(value: Any, known: Known, place: Place, problems: Problems) -> None:
    """Tell of every name in the texts of a value that nobody defines."""
    for path, text in templates(value):
        for reference in references(text):
            check_reference(reference, known, place.at(path), problems)


def check_reference(
    reference: Reference, known: Known, place: Place, problems: Problems, *, where: str = "", key: bool = False
) -> None:
    """Tell of a name that nobody defines; where the expression can do without it, only if a known one is nearly it."""
    there: Collection[str] = {
        Kind.FUNCTION: functions(),
        Kind.VARIABLE: known.variables,
        Kind.OUTPUT: known.outputs,
        Kind.TASK_OUTPUT: known.task_outputs,
    }[reference.kind]
    name = reference.name
    if name in there:
        return
    near = problems.closest(name, there)
    hint = near or (f"; known are {names(there)}" if there else "")
    if reference.kind is Kind.VARIABLE:  # to Kargo it is just nil, and so it may be meant
        if near or not reference.optional:
            message = f"{where}there is no variable `{name[:60]}`{hint or '; define it in `vars`'}"
            problems.warn(place, "unknown-variable", message, key=key)
        return
    if reference.kind is Kind.FUNCTION:
        message = f"{where}there is no function `{name[:60]}`{near or ' in expressions of steps'}"
        problems.error(place, "unknown-function", message, key=key)
        return
    message = f"{where}no step before this one is called `{name[:60]}`"
    if reference.optional:
        if near:
            problems.warn(place, "unknown-alias", f"{message}{near}", key=key)
        return
    if reference.kind is Kind.OUTPUT and name in known.task_outputs:
        hint = f"; for a step of the same task write task.outputs{_member(name)}"
    elif reference.kind is Kind.TASK_OUTPUT and not known.in_task:
        hint = f"; this is not a step of a task, so write outputs{_member(name)}"
    elif name in known.later:
        hint = "; the step of that name is not done yet here"
    problems.error(place, "unknown-alias", f"{message}{hint}", key=key)


def _member(name: str) -> str:
    return f".{name}" if name.isidentifier() else f'["{name}"]'
