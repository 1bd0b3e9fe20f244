"""`towpath check`: every problem of a configuration, for people, programs or GitHub Actions."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from bot.core.config import ROOT, Loaded, PlugIns, explain, load
from bot.core.model import Problem, Severity

_INCLUDED = ".promotion"
_MOST_BYTES = 2 * 1024 * 1024 + 1  # one more than is taken, so that a longer file is seen to be too long
_MOST_FILES = 1000


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


CLEAN, PROBLEMS, UNREADABLE = 0, 1, 2


def check(
    path: Path,
    format: Format,
    explained: bool,
    plugins: PlugIns,
    out: TextIO,
    err: TextIO,
) -> int:
    """Check a `.promotion.yaml`, or that of a directory, and what it includes.

    Problems go to `out` in the format asked for; with `explained`, a configuration without errors is printed in its
    long form instead. Returns the exit status: 0 without errors, 1 with, 2 when it can't be read (why goes to `err`).
    """
    root = path / ROOT if path.is_dir() else path
    try:
        files = _read(root)
    except OSError as error:
        reason = error.strerror or str(error)
        print(f"towpath check: can't read {root}: {reason}. Name a {ROOT} or its folder.", file=err)
        return UNREADABLE
    loaded = load(files, plugins)
    shown_in = root.parent
    if explained and loaded.pipeline is not None:
        if format is Format.TEXT:
            out.writelines(f"# {_line(problem, shown_in)}\n" for problem in loaded.problems)
        out.write(explain(loaded.pipeline))
    elif format is Format.JSON:
        _write_json(loaded, shown_in, out)
    elif format is Format.GITHUB:
        out.writelines(_command(problem, shown_in) + "\n" for problem in loaded.problems)
    else:
        _write_text(loaded, files, shown_in, out)
    return CLEAN if loaded.pipeline is not None else PROBLEMS


def _read(root: Path) -> dict[str, bytes]:
    """The configuration and the files it could include, by their path in the repository."""
    files = {root.name: _content(root)}
    folder = root.parent / _INCLUDED
    found = sorted(each for each in folder.rglob("*") if each.suffix in {".yaml", ".yml"} and each.is_file())
    for each in found[:_MOST_FILES]:
        files[each.relative_to(root.parent).as_posix()] = _content(each)
    return files


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _shown(problem: Problem, folder: Path) -> str:
    return (folder / problem.file).as_posix()


def _line(problem: Problem, folder: Path) -> str:
    where = f"{_shown(problem, folder)}:{problem.line}:{problem.column}"
    return f"{where}: {problem.severity}: {problem.message} [{problem.code}]"


def _write_text(loaded: Loaded, files: Mapping[str, bytes], folder: Path, out: TextIO) -> None:
    lines = {name: content.decode(errors="replace").splitlines() for name, content in files.items()}
    for problem in loaded.problems:
        print(_line(problem, folder), file=out)
        source = lines.get(problem.file, [])
        if 0 < problem.line <= len(source):
            text = source[problem.line - 1].expandtabs(1)
            if len(text) <= 200 and problem.column <= len(text) + 1:
                print(f"    {text}\n    {' ' * (problem.column - 1)}^", file=out)
    errors = sum(problem.severity is Severity.ERROR for problem in loaded.problems)
    warnings = len(loaded.problems) - errors
    found = " and ".join(_counted(n, what) for n, what in ((errors, "error"), (warnings, "warning")) if n)
    if loaded.pipeline is None:
        print(found, file=out)
        return
    pipeline = loaded.pipeline
    holds = f"{_counted(len(pipeline.warehouses), 'warehouse')}, {_counted(len(pipeline.stages), 'stage')}"
    print(f"{holds}: {found or 'no problems'}", file=out)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _write_json(loaded: Loaded, folder: Path, out: TextIO) -> None:
    problems = [
        {
            "file": _shown(problem, folder),
            "line": problem.line,
            "column": problem.column,
            "severity": problem.severity.value,
            "code": problem.code,
            "message": problem.message,
        }
        for problem in loaded.problems
    ]
    json.dump(problems, out, indent=2, ensure_ascii=False)
    out.write("\n")


def _command(problem: Problem, folder: Path) -> str:
    """An annotation as GitHub Actions reads it from a job's output.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
    """
    message = _escaped(problem.message)
    file = _escaped(_shown(problem, folder)).replace(":", "%3A").replace(",", "%2C")
    place = f"file={file},line={problem.line},col={problem.column},title={problem.code}"
    return f"::{problem.severity.value} {place}::{message}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
