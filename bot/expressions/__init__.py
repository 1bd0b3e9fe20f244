"""The expression language (https://expr-lang.org) as Kargo and Argo Rollouts use it, and the templates around it.

Pure: nothing here reads files or the network. An expression sees only what it is given, and can't run long or large.
"""

from bot.expressions.errors import ExpressionError
from bot.expressions.program import Program, compile, evaluate
from bot.expressions.templates import Mode, check_template, has_expressions, render
from bot.expressions.times import Duration, Time
from bot.expressions.values import FloatList, Function, Record

__all__ = [
    "Duration",
    "ExpressionError",
    "FloatList",
    "Function",
    "Mode",
    "Program",
    "Record",
    "Time",
    "check_template",
    "compile",
    "evaluate",
    "has_expressions",
    "render",
]
