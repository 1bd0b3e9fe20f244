"""The folder a promotion works in is its own, and goes away."""

import asyncio
import fcntl
import os
import struct
from pathlib import Path

import pytest

from bot.engine.running import workdir as module
from bot.engine.running.workdir import workdir
from tests.engine.desk import until


async def test_it_is_empty_its_own_and_soon_gone(tmp_path: Path) -> None:
    async with workdir(tmp_path) as one, workdir(tmp_path) as other:
        assert one != other
        assert one.parent == other.parent == tmp_path
        assert list(one.iterdir()) == []
        assert one.stat().st_mode & 0o777 == 0o700
        (one / "deep/er").mkdir(parents=True)
        (one / "deep/er/file").write_text("a")
        (one / "link").symlink_to(other)
        (other / "file").write_text("b")
    await until(lambda: list(tmp_path.iterdir()) == [], what="the folders are gone")


async def test_it_goes_whatever_happens(tmp_path: Path) -> None:
    made = []

    async def fail() -> None:
        async with workdir(tmp_path) as folder:
            made.append(folder)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    await until(lambda: not made[0].exists(), what="the folder is gone")


def test_it_is_gone_once_the_loop_has_ended(tmp_path: Path) -> None:
    async def run() -> None:
        async with workdir(tmp_path) as folder:
            for number in range(500):
                (folder / str(number)).write_text("a")

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def flags(folder: Path) -> int:
    handle = os.open(folder, os.O_RDONLY)
    try:
        (found,) = struct.unpack("i", fcntl.ioctl(handle, module._GET_FLAGS, bytes(4)))
        return int(found)
    except OSError:
        pytest.skip("this file system has no such flags")
    finally:
        os.close(handle)


async def test_ext4_is_told_that_promotions_have_nothing_to_do_with_one_another(tmp_path: Path) -> None:
    before = flags(tmp_path)
    async with workdir(tmp_path):
        pass
    after = flags(tmp_path)
    if after == before:
        pytest.skip("this file system places folders by itself")
    assert after == before | module._TOP_FOLDER


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with workdir(tmp_path / "nowhere"):
            pass
