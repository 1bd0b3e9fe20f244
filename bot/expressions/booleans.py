"""What counts as true or false where an expression gives something else. https://pkg.go.dev/strconv#ParseBool"""

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


def as_bool(result: object) -> bool:
    """The result of an expression as Kargo takes it for a condition. Raises ValueError for what is neither."""
    if isinstance(result, bool):
        return result
    text = str(int(result)) if isinstance(result, float) and result.is_integer() else str(result)
    if text not in _TRUE | _FALSE:
        raise ValueError(f"it gives {'nil' if result is None else repr(text)}, which is neither true nor false")
    return text in _TRUE
