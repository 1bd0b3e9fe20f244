"""Problems as the terminal shows them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from bot.core.config import Loaded
from bot.core.model import Problem, Severity


def shown_path(problem: Problem, folder: Path) -> str:
    """The file, from where the command was given; problems name files from `folder`."""
    return (folder / problem.file).as_posix()


def line_of(problem: Problem, folder: Path) -> str:
    """A problem on one line, in the form that editors and terminals make a link of."""
    where = f"{shown_path(problem, folder)}:{problem.line}:{problem.column}"
    return f"{where}: {problem.severity}: {problem.message} [{problem.code}]"


def write_problems(problems: Iterable[Problem], files: Mapping[str, bytes], folder: Path, out: TextIO) -> None:
    """Every problem, with the line it is on and a mark under the place."""
    lines = {name: content.decode(errors="replace").splitlines() for name, content in files.items()}
    for problem in problems:
        print(line_of(problem, folder), file=out)
        source = lines.get(problem.file, [])
        if 0 < problem.line <= len(source):
            text = source[problem.line - 1].expandtabs(1)
            if len(text) <= 200 and problem.column <= len(text) + 1:
                print(f"    {text}\n    {' ' * (problem.column - 1)}^", file=out)


def summary(loaded: Loaded) -> str:
    """What there is, and how many problems it has."""
    errors = sum(problem.severity is Severity.ERROR for problem in loaded.problems)
    warnings = len(loaded.problems) - errors
    found = " and ".join(counted(n, what) for n, what in ((errors, "error"), (warnings, "warning")) if n)
    if loaded.pipeline is None:
        return found
    pipeline = loaded.pipeline
    holds = f"{counted(len(pipeline.warehouses), 'warehouse')}, {counted(len(pipeline.stages), 'stage')}"
    return f"{holds}: {found or 'no problems'}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
