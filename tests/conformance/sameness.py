"""When a value is the one that is expected: 1 and 1.0 differ, and so do 0.0 and -0.0."""

import math


def same(got: object, expected: object) -> bool:
    """Whether both are the same JSON, with whole numbers told from floats."""
    if type(got) is not type(expected):
        return False
    if isinstance(got, float) and isinstance(expected, float):
        both_nan = math.isnan(got) and math.isnan(expected)
        return both_nan or (got == expected and math.copysign(1, got) == math.copysign(1, expected))
    if isinstance(got, list) and isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(got, dict) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[key], expected[key]) for key in expected)
    return got == expected
