"""How the story is told: to a person at a terminal, or to a program, one JSON object per event."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table


class Teller(Protocol):
    def chapter(self, title: str) -> None: ...

    def told(self, text: str, seconds: float) -> None:
        """Something came about as it should."""
        ...

    def waiting(self, text: str) -> Any:
        """A context manager for the time in which nothing is seen to happen."""
        ...

    def wrong(self, text: str) -> None: ...

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None: ...

    def note(self, text: str) -> None: ...


class Aloud:
    """Lines for people: colour and a moving mark on a terminal, plain text elsewhere."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def chapter(self, title: str) -> None:
        self._console.print(f"\n[bold]{title}[/bold]")

    def told(self, text: str, seconds: float) -> None:
        self._console.print(f"  [green]✓[/green] {text} [dim]{seconds:.1f} s[/dim]")

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(f"{text} …"):
            yield

    def wrong(self, text: str) -> None:
        self._console.print(f"  [red]✗ {text}[/red]", markup=True)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        drawn = Table(title=title, title_justify="left", title_style="bold")
        for name in head:
            drawn.add_column(name)
        for row in rows:
            drawn.add_row(*row)
        self._console.print()
        self._console.print(drawn)

    def note(self, text: str) -> None:
        self._console.print(text)


class AsJson:
    """One JSON object per line: `event` says which, `at` the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def _say(self, event: str, **data: Any) -> None:
        line = {"event": event, "at": round(time.monotonic() - self._start, 3), **data}
        print(json.dumps(line, ensure_ascii=False), file=sys.stdout, flush=True)

    def chapter(self, title: str) -> None:
        self._say("chapter", title=title)

    def told(self, text: str, seconds: float) -> None:
        self._say("told", text=text, seconds=round(seconds, 3))

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        yield

    def wrong(self, text: str) -> None:
        self._say("wrong", text=text)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._say("table", title=title, rows=[dict(zip(head, row, strict=True)) for row in rows])

    def note(self, text: str) -> None:
        self._say("note", text=text)
