"""How much an archive may be: the limits that tests/steps/test_archives.py has no bomb for."""

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.steps.files.inflating import MOST_BYTES, Inflated

MEBIBYTE = 1024 * 1024


def hollow(file: Path, size: int) -> None:
    """A file of zeros that takes no space."""
    with file.open("wb") as opened:
        opened.truncate(size)


def test_what_is_read_from_an_archive_ends(tmp_path: Path) -> None:
    """Its names and paddings count as well, and it need not be compressed."""
    hollow(tmp_path / "a.tar", MOST_BYTES + 40 * MEBIBYTE)
    with Inflated(tmp_path / "a.tar", "a.tar") as content, pytest.raises(UserError, match="holds more than"):
        list(iter(lambda: len(content.read(MEBIBYTE)), 0))


@pytest.mark.parametrize("files", [{"large": MOST_BYTES + 1}, {f"f{number}": 0 for number in range(10_001)}])
async def test_no_archive_is_made_of_too_much(run, files):
    (run.workdir / "all").mkdir()
    for name, size in files.items():
        hollow(run.workdir / "all" / name, size)
    with pytest.raises(UserError, match="at most 10000 and 104,857,600 bytes go into an archive"):
        await run("tar", {"inPath": "all", "outPath": "all.tar"})
    assert not (run.workdir / "all.tar").exists()
