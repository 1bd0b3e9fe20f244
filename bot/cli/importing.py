"""`towpath import`: Kargo's manifests, wherever they are, to one configuration in Towpath's own spelling."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from bot.cli.files import CLEAN, MOST_FILES, PROBLEMS, UNREADABLE, content_of, deliver
from bot.cli.showing import summary, write_problems
from bot.core.config import PlugIns, import_manifests

_GROUPS = (b"kargo.akuity.io/", b"argoproj.io/")
_HERE = Path()


def import_(paths: Iterable[Path], output: Path | None, plugins: PlugIns, out: TextIO, err: TextIO) -> int:
    """Import files, and of folders every YAML file that names one of the API groups.

    The configuration goes to `output`, or to `out`; problems go to `err`. Returns the exit status: 0 without errors, 1
    with (then what could be carried over is written all the same), 2 when something can't be read or written.
    """
    files: dict[str, bytes] = {}
    mixed: set[str] = set()
    try:
        for path in paths:
            if not path.is_dir():
                files[path.as_posix()] = content_of(path)
                continue
            for found, content in _manifests_below(path):
                mixed.add(found.as_posix())
                files.setdefault(found.as_posix(), content)
    except OSError as error:
        print(f"towpath import: can't read {error.filename}: {error.strerror or error}", file=err)
        return UNREADABLE
    if not files:
        print("towpath import: no file there holds a manifest of Kargo; name one, or its folder.", file=err)
        return PROBLEMS
    imported = import_manifests(files, mixed - {path.as_posix() for path in paths}, plugins)
    write_problems(imported.loaded.problems, files, _HERE, err)
    print(f"towpath import: {summary(imported.loaded)}", file=err)
    try:
        if imported.text:
            deliver(imported.text, output, out)
    except OSError as error:
        print(f"towpath import: can't write {output}: {error.strerror or error}", file=err)
        return UNREADABLE
    return CLEAN if imported.loaded.pipeline is not None else PROBLEMS


def _manifests_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    found = (each for each in sorted(folder.rglob("*")) if each.suffix in {".yaml", ".yml"} and each.is_file())
    taken = 0
    for each in found:
        if any(part.startswith(".") for part in each.relative_to(folder).parts[:-1]):
            continue  # .git, .github and the like
        content = content_of(each)
        if any(group in content for group in _GROUPS) and taken < MOST_FILES:
            taken += 1
            yield each, content
