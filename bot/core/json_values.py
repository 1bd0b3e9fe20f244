"""What steps and expressions give, as JSON has it."""

from collections.abc import Mapping
from typing import Any

from bot.expressions.values import Function
from bot.expressions.values import Record as ExpressionRecord


def plain(value: Any) -> Any:
    """Artifacts by their fields, functions not at all, and what else JSON has no word for as text."""
    if isinstance(value, ExpressionRecord):
        value = {name: each for name, each in value.fields.items() if not isinstance(each, Function)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)
