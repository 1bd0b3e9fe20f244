"""`towpath check`: every problem of a configuration, for people, programs or GitHub Actions."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from bot.cli.files import CLEAN, MOST_FILES, PROBLEMS, UNREADABLE, content_of
from bot.cli.showing import line_of, shown_path, summary, write_problems
from bot.core.config import ROOT, Loaded, PlugIns, explain, load
from bot.core.model import Problem

_INCLUDED = ".promotion"


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


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
    try:
        shown_in, files = read_configuration(path)
    except OSError as error:
        root = _root(path)
        reason = error.strerror or str(error)
        print(f"towpath check: can't read {root}: {reason}. Name a {ROOT} or its folder.", file=err)
        return UNREADABLE
    loaded = load(files, plugins)
    if explained and loaded.pipeline is not None:
        if format is Format.TEXT:
            out.writelines(f"# {line_of(problem, shown_in)}\n" for problem in loaded.problems)
        out.write(explain(loaded.pipeline))
    elif format is Format.JSON:
        _write_json(loaded, shown_in, out)
    elif format is Format.GITHUB:
        out.writelines(_command(problem, shown_in) + "\n" for problem in loaded.problems)
    else:
        write_problems(loaded.problems, files, shown_in, out)
        print(summary(loaded), file=out)
    return CLEAN if loaded.pipeline is not None else PROBLEMS


def _root(path: Path) -> Path:
    return path / ROOT if path.is_dir() else path


def read_configuration(path: Path) -> tuple[Path, dict[str, bytes]]:
    """A configuration, or that of a directory, and the files it could include, by their path from the folder returned.

    Raises OSError.
    """
    root = _root(path)
    files = {root.name: content_of(root)}
    folder = root.parent / _INCLUDED
    found = sorted(each for each in folder.rglob("*") if each.suffix in {".yaml", ".yml"} and each.is_file())
    for each in found[:MOST_FILES]:
        files[each.relative_to(root.parent).as_posix()] = content_of(each)
    return root.parent, files


def _write_json(loaded: Loaded, folder: Path, out: TextIO) -> None:
    problems = [
        {
            "file": shown_path(problem, folder),
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
    file = _escaped(shown_path(problem, folder)).replace(":", "%3A").replace(",", "%2C")
    place = f"file={file},line={problem.line},col={problem.column},title={problem.code}"
    return f"::{problem.severity.value} {place}::{message}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
