"""What the commands read and write, and the exit status they end with."""

from pathlib import Path
from typing import TextIO

CLEAN, PROBLEMS, UNREADABLE = 0, 1, 2
MOST_FILES = 1000
_MOST_BYTES = 2 * 1024 * 1024 + 1  # one more than is taken, so that a longer file is seen to be too long


def content_of(path: Path) -> bytes:
    """The beginning of a file: all of it, or more than a configuration may have. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def deliver(text: str, output: Path | None, out: TextIO) -> None:
    """Write a result to the file asked for, else to `out`. Raises OSError."""
    if output is None:
        out.write(text)
    else:
        output.write_text(text, encoding="utf-8")
