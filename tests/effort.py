"""How much work something is, counted and not timed: the same on a slow machine as on a fast one.

What is counted are the calls and returns of functions, Python's own included, and every step of a generator. Work that
C does within one call is not: what bounds that has to be asserted apart, and what never ends runs into the limit on
time that pytest has for every test.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


def within(most: int, work: Callable[[], T]) -> T:
    """What `work` gives, unless it takes more than `most` calls and returns: then it is stopped, and the test fails."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += 1
        if count > most:
            sys.setprofile(before)
            raise AssertionError(f"more than {most:,} calls and returns")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        given = work()
    finally:
        sys.setprofile(before)
    assert count <= most, f"more than {most:,} calls and returns"  # should somebody have caught the error
    return given
