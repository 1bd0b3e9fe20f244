"""JSON as Argo Rollouts' providers see it: Go's encoding/json, where every number is a float64."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn


def read(body: bytes) -> Any:
    """The document, all its numbers floats. Raises ValueError for what is not JSON, `NaN` and `1e999` included."""
    try:
        return json.loads(
            body.decode(errors="replace"), parse_int=_finite, parse_float=_finite, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def compact(value: Any) -> str:
    """The value as JSON text for people: no spaces, sorted keys, whole numbers without a point."""
    return json.dumps(_whole(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value
