"""What was rendered is kept whole, found again, and bounded."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.render_cache import KeptRenders
from bot.errors import UserError

FILES = {"": b"kind: Service\n"}
KEY = "a1" + "0" * 62


class Renderer:
    """Counts how often it renders, and how many do so at once."""

    def __init__(self, files: Mapping[str, bytes] | None = FILES) -> None:
        self.files = files
        self.times = 0
        self.most = 0
        self.at_once = 0

    async def __call__(self) -> Mapping[str, bytes] | None:
        self.times += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        for _ in range(10):
            await asyncio.sleep(0)
        self.at_once -= 1
        return self.files


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_the_same_is_rendered_once_also_by_the_next_process(tmp_path: Path) -> None:
    make = Renderer()
    first, second = KeptRenders(tmp_path / "renders"), KeptRenders(tmp_path / "renders")
    assert await first.render(KEY, make) == FILES
    assert await first.render(KEY, make) == FILES
    assert await second.render(KEY, make) == FILES
    assert make.times == 1
    assert await second.render("b" * 64, make) == FILES
    assert make.times == 2


async def test_what_is_kept_can_be_asked_for_from_a_thread(tmp_path: Path) -> None:
    cache = KeptRenders(tmp_path)
    assert await asyncio.to_thread(cache.kept, KEY) is None
    await cache.render(KEY, Renderer())
    assert await asyncio.to_thread(cache.kept, KEY) == FILES
    assert cache.kept("") is None
    (path,) = entries(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.kept(KEY) is None


async def test_what_has_no_key_is_rendered_each_time_and_not_kept(tmp_path: Path) -> None:
    make, cache = Renderer(), KeptRenders(tmp_path)
    assert [await cache.render("", make) for _ in range(2)] == [FILES, FILES]
    assert make.times == 2
    assert entries(tmp_path) == []


async def test_what_is_being_rendered_is_waited_for(tmp_path: Path) -> None:
    make, cache = Renderer(), KeptRenders(tmp_path)
    assert await asyncio.gather(*(cache.render(KEY, make) for _ in range(5))) == [FILES] * 5
    assert make.times == 1


async def test_no_more_are_rendered_at_once_than_may_be(tmp_path: Path) -> None:
    make, cache = Renderer(), KeptRenders(tmp_path, at_once=2)
    await asyncio.gather(*(cache.render(f"{number:064}", make) for number in range(6)), cache.render("", make))
    assert make.most == 2


async def test_a_mistake_is_told_to_each_who_asks_and_nothing_is_kept(tmp_path: Path) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise UserError("a broken template")

    cache = KeptRenders(tmp_path)
    found = await asyncio.gather(cache.render(KEY, fail), cache.render(KEY, fail), return_exceptions=True)
    assert [str(one) for one in found] == ["a broken template"] * 2
    assert await cache.render(KEY, Renderer()) == FILES


async def test_one_that_is_cancelled_leaves_the_work_to_the_next(tmp_path: Path) -> None:
    forever, cache, make = asyncio.Event(), KeptRenders(tmp_path), Renderer()
    begun = asyncio.Event()

    async def stuck() -> None:
        begun.set()
        await forever.wait()

    first = asyncio.create_task(cache.render(KEY, stuck))
    await begun.wait()
    second = asyncio.create_task(cache.render(KEY, make))
    first.cancel()
    assert await second == FILES


async def test_what_changed_while_it_was_rendered_is_not_kept(tmp_path: Path) -> None:
    cache = KeptRenders(tmp_path)
    assert await cache.render(KEY, Renderer(None)) is None
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content.replace(b"Service", b"ServicE"),
        lambda content: content + b"more",
        lambda content: b"no digest",
    ],
    ids=["empty", "cut off", "altered", "longer", "something else"],
)
async def test_a_damaged_entry_is_rendered_again(tmp_path: Path, spoil) -> None:
    make, cache = Renderer(), KeptRenders(tmp_path)
    await cache.render(KEY, make)
    (entry,) = entries(tmp_path)
    entry.write_bytes(spoil(entry.read_bytes()))
    assert await cache.render(KEY, make) == FILES
    assert make.times == 2
    assert await cache.render(KEY, make) == FILES
    assert make.times == 2


async def test_an_entry_in_the_place_of_another_is_not_believed(tmp_path: Path) -> None:
    make, cache = Renderer(), KeptRenders(tmp_path)
    await cache.render(KEY, make)
    (entry,) = entries(tmp_path)
    other = entry.with_name("a1" + "f" * 62)
    other.write_bytes(entry.read_bytes())
    await cache.render(other.name, make)
    assert make.times == 2


async def test_what_was_used_longest_ago_makes_room(tmp_path: Path) -> None:
    content = {"": b"x" * 6_000}
    cache = KeptRenders(tmp_path, limit=100_000)
    for number in range(30):
        await cache.render(f"{number:064}", Renderer(content))
        for age, entry in enumerate(entries(tmp_path)):  # all of them older than what is used from now on
            os.utime(entry, (1_000_000 + int(entry.name), 1_000_000 + int(entry.name)))
            assert age < 17
        await cache.render("0" * 64, Renderer(content))
    assert sum(entry.stat().st_size for entry in entries(tmp_path)) <= 100_000
    kept = {int(entry.name) for entry in entries(tmp_path)}
    assert {0, 29} <= kept
    assert 1 not in kept


async def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    await KeptRenders(tmp_path, limit=16_000).render(KEY, Renderer({"": b"x" * 2_000}))
    assert entries(tmp_path) == []


async def test_what_a_killed_process_left_half_written_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "a1"
    folder.mkdir()
    old, young = folder / ".new-old", folder / ".new-young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (1_000_000, 1_000_000))
    await KeptRenders(tmp_path).render(KEY, Renderer())
    assert [path.name for path in sorted(folder.iterdir())] == [".new-young", KEY]


async def test_only_we_may_read_it(tmp_path: Path) -> None:
    await KeptRenders(tmp_path / "renders").render(KEY, Renderer())
    (entry,) = entries(tmp_path)
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600


async def test_a_disk_that_fails_costs_time_and_no_promotion(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "renders").write_text("no folder")
    assert await KeptRenders(tmp_path / "renders").render(KEY, Renderer()) == FILES
    assert "keeping what was rendered" in caplog.text


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=200), max_size=5))
def test_files_come_back_as_they_were(files: dict[str, bytes]) -> None:
    async def twice(folder: Path) -> None:
        assert await KeptRenders(folder).render(KEY, Renderer(files)) == files
        assert await KeptRenders(folder).render(KEY, Renderer({"not": b"this"})) == files

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(twice(Path(folder)))
