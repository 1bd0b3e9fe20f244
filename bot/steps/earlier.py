"""What earlier steps put out, for the fields that name such a step."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.steps import StepContext
from bot.errors import UserError


def output_of(context: StepContext, alias: str, asking: str) -> Mapping[str, Any]:
    """The output of the step called `alias`, or `<task>::<alias>` when it came out of a task. Raises UserError."""
    if alias in context.outputs:
        return context.outputs[alias]
    inflated = [name for name in context.outputs if name.endswith(f"::{alias}")]
    if inflated:
        return context.outputs[inflated[-1]]
    known = ", ".join(context.outputs) or "none"
    raise UserError(f"{asking} refers to the step {alias!r}, which has not run; steps that have: {known}")


def latest(context: StepContext, field: str) -> Any:
    """The value the last step to put out `field` gave it; None when none did."""
    return next((output[field] for output in reversed(tuple(context.outputs.values())) if output.get(field)), None)
