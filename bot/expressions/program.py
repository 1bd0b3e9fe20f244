"""An expression ready to run, and what may be known of it before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from bot.expressions import syntax
from bot.expressions.checker import Checker
from bot.expressions.compiler import Compiler
from bot.expressions.environment import natures_of
from bot.expressions.errors import ExpressionError, Fault, LocatedFault
from bot.expressions.export import exported
from bot.expressions.frame import Code, Frame, explained
from bot.expressions.optimizer import optimize
from bot.expressions.parser import parse


def utc_now() -> datetime:
    """The time that `now()` tells unless told otherwise."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression. It keeps no state, so it can run any number of times, in any thread."""

    code: str
    tree: syntax.Node = field(repr=False)
    _run: Code = field(repr=False)
    _variables: int = field(repr=False)

    def run(self, env: Mapping[str, object] | None = None, *, now: Callable[[], datetime] = utc_now) -> object:
        """The value of the expression.

        `env` has the names it may use: plain data (nested, too), datetimes, `Record`s and functions. The result is
        plain data, a `Time`, a `Duration` or a `Record`. Raises `ExpressionError`.
        """
        frame = Frame(env or {}, self._variables, now)
        try:
            value = self._run(frame)
            return value if type(value) in _SIMPLE else exported(value, frame.budget)
        except Fault as fault:
            raise explained(fault, self.code) from fault.__cause__
        except RecursionError:
            raise ExpressionError.at("the expression is nested too deeply", self.code, 0) from None

    @property
    def names(self) -> frozenset[str]:
        """The names it takes from the environment, functions included."""
        found: set[str] = set()
        waiting: list[tuple[syntax.Node, frozenset[str]]] = [(self.tree, frozenset())]
        while waiting:
            node, declared = waiting.pop()
            if isinstance(node, syntax.Identifier) and node.name not in declared and node.name != "$env":
                found.add(node.name)
            if isinstance(node, syntax.Let):
                waiting += [(node.value, declared), (node.body, declared | {node.name})]
            else:
                waiting += [(below, declared) for below in syntax.children(node)]
        return frozenset(found)


_SIMPLE = frozenset((type(None), bool, int, float, str))


def compile(code: str, *, typed_env: Mapping[str, object] | None = None) -> Program:
    """Read and check an expression.

    With `typed_env` it is checked against those values, as Argo Rollouts does: an unknown name or a kind that does not
    fit is an error, wherever it stands. Without, names are checked when they are reached. Raises `ExpressionError`.
    """
    if typed_env is None and len(code) <= _REMEMBERED:
        return _compile_untyped(code)
    return _compile(code, typed_env)


_REMEMBERED = 500  # characters: longer ones would take room that nobody bounds


@lru_cache(maxsize=1024)
def _compile_untyped(code: str) -> Program:
    return _compile(code, None)


def _compile(code: str, typed_env: Mapping[str, object] | None) -> Program:
    tree = parse(code, typed_env or ())
    try:
        names = None if typed_env is None else natures_of(typed_env)
        Checker(names).check(tree)
        compiler = Compiler()
        run = compiler.compile(optimize(tree))
    except LocatedFault as fault:
        raise explained(fault, code) from fault.__cause__
    except Fault as fault:
        raise ExpressionError.at(fault.message, code, 0) from fault.__cause__
    except RecursionError:
        raise ExpressionError.at("the expression is nested too deeply", code, 0) from None
    return Program(code, tree, run, compiler.variables)


def evaluate(
    code: str, env: Mapping[str, object] | None = None, *, typed: bool = False, now: Callable[[], datetime] = utc_now
) -> object:
    """The value of an expression: `compile` and `run`. Raises `ExpressionError`."""
    return compile(code, typed_env=(env or {}) if typed else None).run(env, now=now)
