"""One measurement judged: what a metric's conditions say of a result.

Rules: EvaluateResult and EvalCondition in Argo Rollouts' utils/evaluate/evaluate.go.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.analysis.state import Phase
from bot.core.model import Metric
from bot.expressions import ExpressionError, Function, evaluate

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?(inf|infinity)|nan", re.IGNORECASE)


class _ConditionError(ValueError):
    """A condition that gives no answer."""


def judge(metric: Metric, result: Any, now: datetime) -> tuple[Phase, str]:
    """The phase of a measurement with this result, and for an Error the message. Arguments are resolved already.

    `now` is the time that `now()` tells in a condition.

    Only a success condition: what is no success is a failure. Only a failure condition: what is no failure is a
    success. Both: failure wins, and neither is Inconclusive. None: every result is a success.
    """
    success = failure = None
    try:
        if metric.success_condition:
            success = _holds(metric.success_condition, "successCondition", result, now)
        if metric.failure_condition:
            failure = _holds(metric.failure_condition, "failureCondition", result, now)
    except _ConditionError as error:
        return Phase.ERROR, str(error)
    if failure or (failure is None and success is False):
        return Phase.FAILED, ""
    if failure is False and success is False:
        return Phase.INCONCLUSIVE, ""
    return Phase.SUCCESSFUL, ""


def _holds(condition: str, field: str, result: Any, now: datetime) -> bool:
    try:
        outcome = evaluate(condition, _environment(result), typed=True, now=lambda: now)
    except ExpressionError as error:
        because = error.message
    else:
        if isinstance(outcome, bool):
            return outcome
        because = f"expected bool, but got {_go_type(outcome)}"
    if result is None or (isinstance(result, list | tuple) and not result):
        because = "metric result is nil or empty: no data returned from the metric provider"
    raise _ConditionError(f'could not evaluate {field} "{condition}": {because}')


def _environment(result: Any) -> Mapping[str, object]:
    """`isNil` and `default` look at the whole result, whatever they are given: so it is there."""
    return {
        "result": result,
        "asInt": Function("asInt", _as_int, ("any",), "int64"),
        "asFloat": Function("asFloat", _as_float, ("any",), "float"),
        "isNaN": Function("isNaN", math.isnan, ("float",), "bool"),
        "isInf": Function("isInf", math.isinf, ("float",), "bool"),
        "isNil": Function("isNil", lambda _: result is None, ("any",), "bool"),
        "default": Function("default", lambda _, other: other if result is None else result, ("any", "any"), "any"),
    }


def _as_int(value: object) -> int:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError(f'"{value}" is not a whole number')
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return int(value)
    raise ValueError(f"not supported on {_go_type(value)} {value}")


def _as_float(value: object) -> float:
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError(f'"{value}" is not a number')
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"not supported on {_go_type(value)} {value}")


def _go_type(value: object) -> str:
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    names = {type(None): "<nil>", bool: "bool", int: "int", float: "float64", str: "string", list: "[]interface {}"}
    return names.get(type(value), type(value).__name__)
