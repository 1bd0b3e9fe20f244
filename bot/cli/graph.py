"""`towpath graph`: the pipeline as a picture."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from bot.cli.check import read_configuration
from bot.cli.files import CLEAN, PROBLEMS, UNREADABLE, deliver
from bot.cli.showing import summary, write_problems
from bot.core.config import PlugIns, load
from bot.core.graph import as_data, mermaid, svg
from bot.core.model import Pipeline


class Picture(StrEnum):
    MERMAID = "mermaid"
    SVG = "svg"
    JSON = "json"


def graph(path: Path, picture: Picture, output: Path | None, plugins: PlugIns, out: TextIO, err: TextIO) -> int:
    """Draw the pipeline of a `.promotion.yaml`, or of that in a directory, to `output` or to `out`.

    Returns the exit status: 0 when drawn, 1 when the configuration has errors (which go to `err`), 2 when it can't be
    read or the picture can't be written.
    """
    try:
        folder, files = read_configuration(path)
    except OSError as error:
        print(f"towpath graph: can't read {error.filename}: {error.strerror or error}", file=err)
        return UNREADABLE
    loaded = load(files, plugins)
    if loaded.pipeline is None:
        write_problems(loaded.problems, files, folder, err)
        print(summary(loaded), file=err)
        return PROBLEMS
    try:
        deliver(_drawn(loaded.pipeline, picture), output, out)
    except OSError as error:
        print(f"towpath graph: can't write {output}: {error.strerror or error}", file=err)
        return UNREADABLE
    return CLEAN


def _drawn(pipeline: Pipeline, picture: Picture) -> str:
    if picture is Picture.JSON:
        return json.dumps(as_data(pipeline), indent=2, ensure_ascii=False) + "\n"
    return svg(pipeline) if picture is Picture.SVG else mermaid(pipeline)
