"""Programs are run without a shell, with nothing of our environment, for a limited time."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.steps.rendering import programs

PYTHON = (sys.executable, "-S", "-c")


async def test_a_program_sees_only_what_it_is_given(tmp_path):
    code = "import os; print(sorted(os.environ), os.getcwd())"
    answer = await programs.run((*PYTHON, code), folder=tmp_path, environment={"GIVEN": "1"})
    assert answer.status == 0
    names, _, folder = answer.output.decode().rpartition("] ")
    assert folder.strip() == str(tmp_path)
    assert set(names.strip("[").replace("'", "").split(", ")) <= {"GIVEN", "LC_ALL", "LC_CTYPE", "PATH"}


async def test_arguments_are_no_shell_words(tmp_path):
    code = "import sys; print(sys.argv[1:])"
    answer = await programs.run((*PYTHON, code), "$(touch x)", "; ls", folder=tmp_path, environment={})
    assert answer.output.decode().strip() == "['$(touch x)', '; ls']"
    assert list(tmp_path.iterdir()) == []


async def test_how_it_ended_is_told(tmp_path):
    code = "import sys; print('out'); print('why', file=sys.stderr); sys.exit(3)"
    answer = await programs.run((*PYTHON, code), folder=tmp_path, environment={})
    assert answer == programs.Answer(3, b"out\n", "why")


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never came to be")


def written(file: Path) -> bool:
    return file.exists() and file.read_text() != ""


def has_ended(pid_file: Path) -> bool:
    status = Path("/proc", pid_file.read_text(), "status")
    try:
        return "\nState:\tZ" in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_one_that_takes_too_long_is_ended_with_all_it_started(tmp_path):
    child = "import pathlib, os, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {child!r}])"
    with pytest.raises(UserError, match="had not finished"):
        await programs.run((*PYTHON, code), folder=tmp_path, environment={}, seconds=2)
    await until(lambda: has_ended(tmp_path / "pid"))


async def test_one_that_is_cancelled_is_ended(tmp_path):
    code = "import pathlib, os, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)"
    running = asyncio.create_task(programs.run((*PYTHON, code), folder=tmp_path, environment={}))
    await until(lambda: written(tmp_path / "pid"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert has_ended(tmp_path / "pid")


async def test_one_that_prints_without_end_is_ended(tmp_path):
    with pytest.raises(UserError, match="printed more than"):
        await programs.run((*PYTHON, "while True: print('x' * 65536)"), folder=tmp_path, environment={})


def test_what_a_program_said_names_no_path_of_this_machine(tmp_path):
    assert programs.without_folder(f"open {tmp_path}/src/a: no", tmp_path) == "open ./src/a: no"
    assert len(programs.without_folder("x" * 9000, tmp_path)) == 2000
