"""The kinds of error, by what is done about them.

    Exception
    ├── UserError   somebody's mistake: shown to them as written
    ├── Retry       nobody's mistake: the same thing is tried again at a known time
    └── Broken      ours: one public line with an id, the chain of causes in the log

Anything else that escapes is treated as `Broken`.
"""

from datetime import datetime


class UserError(Exception):
    """What a person can mend. The text says where, what is wrong and what to do, and is shown as written."""


class Retry(Exception):
    """The work can't go on now. `at` is the earliest time at which trying again makes sense (aware, UTC)."""

    def __init__(self, at: datetime, because: str) -> None:
        super().__init__(f"{because}; trying again at {at:%H:%M:%S} UTC")
        self.at = at
        self.because = because


class Broken(Exception):
    """What should not have happened. The text goes to the log, never to a comment."""
