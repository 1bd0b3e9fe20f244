"""The pipeline that a command is about."""

from pathlib import Path
from typing import TextIO

from bot.cli.check import read_configuration
from bot.cli.files import UNREADABLE
from bot.cli.showing import summary, write_problems
from bot.core.config import PlugIns, load
from bot.core.model import Pipeline


def pipeline_of(command: str, path: Path, plugins: PlugIns, err: TextIO, broken: int = UNREADABLE) -> Pipeline | int:
    """The pipeline of a configuration or, once its problems have been told, the exit status: 2 where it can't be read,
    `broken` where it has errors."""
    try:
        folder, files = read_configuration(path)
    except OSError as error:
        print(f"towpath {command}: can't read {error.filename}: {error.strerror or error}", file=err)
        return UNREADABLE
    loaded = load(files, plugins)
    if loaded.pipeline is None:
        write_problems(loaded.problems, files, folder, err)
        print(summary(loaded), file=err)
        return broken
    return loaded.pipeline
