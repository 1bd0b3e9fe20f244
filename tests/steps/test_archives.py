"""tar and untar: what goes in comes out, and nothing comes out elsewhere, or more than fits."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.steps.files import inflating

MEBIBYTE = 1024 * 1024


def entry(name: str, content: bytes = b"x", **more) -> tuple[tarfile.TarInfo, bytes]:
    about = tarfile.TarInfo(name)
    about.size = len(content)
    for field, value in more.items():
        setattr(about, field, value)
    return about, content


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, b"", type=kind, linkname=target)


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, b"", type=tarfile.DIRTYPE)


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for about, content in entries:
            tar.addfile(about, io.BytesIO(content))
    return out.getvalue()


def tree(where: Path) -> dict[str, str]:
    return {
        path.relative_to(where).as_posix(): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        for path in sorted(where.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def untarred(run):
    async def untarred(content: bytes, **more) -> dict[str, str]:
        (run.workdir / "a.tar").write_bytes(content)
        await run("untar", {"inPath": "./a.tar", "outPath": "./out", **more})
        return tree(run.workdir / "out")

    return untarred


@pytest.fixture
def source(run) -> Path:
    where = run.workdir / "in"
    for name in ("a.txt", "deep/b.log", "deep/c", "temp/d", ".git/config"):
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(name)
    (where / "deep/c").chmod(0o755)
    (where / "link").symlink_to("deep/c")
    return where


@pytest.mark.parametrize("zipped", [False, True])
async def test_what_goes_in_comes_out(run, source, zipped):
    await run("tar", {"inPath": "./in", "outPath": "./new/a.tar", "gzip": zipped})
    assert (run.workdir / "new/a.tar").read_bytes().startswith(b"\x1f\x8b") == zipped
    await run("untar", {"inPath": "./new/a.tar", "outPath": "./out"})
    out = run.workdir / "out"
    assert tree(out) == {
        "a.txt": "a.txt", "deep/b.log": "deep/b.log", "deep/c": "deep/c", "link": "-> deep/c", "temp/d": "temp/d",
    }  # fmt: skip
    assert [(out / name).stat().st_mode & 0o777 for name in ("a.txt", "deep/c")] == [0o644, 0o755]
    assert sorted(path.name for path in run.workdir.iterdir()) == ["in", "new", "out"]


async def test_the_same_files_make_the_same_archive(run, source):
    await run("tar", {"inPath": "in", "outPath": "in/a.tgz", "gzip": True})
    first = (source / "a.tgz").read_bytes()
    (source / "a.txt").touch()
    await run("tar", {"inPath": "in", "outPath": "in/a.tgz", "gzip": True})
    assert (source / "a.tgz").read_bytes() == first


async def test_one_file_goes_in_by_its_name(run, source):
    await run("tar", {"inPath": "in/deep/c", "outPath": "a.tar"})
    with tarfile.open(run.workdir / "a.tar") as tar:
        assert tar.getnames() == ["c"]


IGNORE = "# what nobody needs\n*.log\ntemp/\n!deep/b.log\n"


async def test_what_is_ignored_stays_out(run, source, untarred):
    await run("tar", {"inPath": "in", "outPath": "b.tar", "ignore": IGNORE})
    await run("untar", {"inPath": "b.tar", "outPath": "all"})
    assert list(tree(run.workdir / "all")) == ["a.txt", "deep/b.log", "deep/c", "link"]
    names = ("a.log", "deep/b.log", "temp/d", "x/temp/d", "c")
    assert list(await untarred(archive(*map(entry, names)), ignore=IGNORE)) == ["c", "deep/b.log"]


@pytest.mark.parametrize(("strip", "expected"), [(0, ["./a/b/c", "d"]), (1, ["b/c"]), (2, ["c"]), (3, [])])
async def test_components_are_stripped(untarred, strip, expected):
    content = archive(folder("./a"), entry("./a/b/c"), entry("d"))
    assert list(await untarred(content, stripComponents=strip)) == [name.removeprefix("./") for name in expected]


async def test_an_archive_takes_the_place_of_what_was_there(run, untarred):
    for name in ("out/old", "out/.git/HEAD"):
        (run.workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (run.workdir / name).write_text("kept?")
    assert await untarred(archive(entry("new"))) == {".git/HEAD": "kept?", "new": "x"}


async def test_an_archive_does_not_take_a_checkout_away(run, untarred):
    (run.workdir / "out/src/.git").mkdir(parents=True)
    with pytest.raises(UserError, match="has a checkout in it"):
        await untarred(archive(entry("new")))
    await run("untar", {"inPath": "a.tar", "outPath": "."})
    assert (run.workdir / "out/src/.git").is_dir()
    assert (run.workdir / "new").read_text() == "x"


async def test_links_within_the_archive_are_kept(untarred):
    content = archive(
        entry("a", b"first"), link("b", "a", tarfile.LNKTYPE), link("deep/c", "../a"), entry("a", b"again")
    )
    assert await untarred(content) == {"a": "again", "b": "first", "deep/c": "-> ../a"}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([entry("/etc/passwd")], "leads out"),
        ([entry("../x")], "leads out"),
        ([entry("a/../../x")], "leads out"),
        ([entry("a/b/../../../x")], "leads out"),
        ([entry(".git/config")], "Git's own"),
        ([entry("sub/.GIT/hooks/post-checkout")], "Git's own"),
        ([link("a", "/etc/passwd")], "out of the folder"),
        ([link("a", "../x")], "out of the folder"),
        ([link("deep/a", "../../x")], "out of the folder"),
        ([link("a", ".git/config")], "Git's own"),
        ([link("b", "."), link("a", "b/../x")], "out of the folder"),
        ([link("a", "b"), link("b", "a")], "leads to itself"),
        ([link("a", "deep"), entry("a/x")], "goes through a link"),
        ([link("a", "/tmp"), entry("a/x")], "goes through a link"),
        ([entry("a"), entry("a/x")], "goes through a link or file"),
        ([folder("a"), entry("a")], "folder and a file"),
        ([link("a", "/etc/passwd", tarfile.LNKTYPE)], "leads out"),
        ([link("a", "none", tarfile.LNKTYPE)], "no file before it"),
        ([link("a", "/etc/passwd"), link("b", "a", tarfile.LNKTYPE)], "no file before it"),
        ([entry("a", b"", type=tarfile.CHRTYPE)], "neither a file"),
        ([entry("a", b"", type=tarfile.BLKTYPE)], "neither a file"),
        ([entry("a", b"", type=tarfile.FIFOTYPE)], "neither a file"),
        ([entry("n" * 300)], "too long"),
    ],
)
async def test_nothing_comes_out_elsewhere(run, untarred, entries, says):
    before = sorted(path.name for path in run.workdir.parent.iterdir())
    with pytest.raises(UserError, match=says):
        await untarred(archive(entry("harmless"), *entries))
    assert sorted(path.name for path in run.workdir.iterdir()) == ["a.tar"]
    assert sorted(path.name for path in run.workdir.parent.iterdir()) == before


async def test_set_user_id_is_dropped(run, untarred):
    await untarred(archive(entry("a", mode=0o6777)))
    assert (run.workdir / "out/a").stat().st_mode & 0o7777 == 0o755


def zeros(size: int) -> bytes:
    """A small gzip file that grows: an archive of one file of so many zeros."""
    about = tarfile.TarInfo("zeros")
    about.size = size
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as zipped:
        zipped.write(about.tobuf())
        for _ in range(size // MEBIBYTE):
            zipped.write(bytes(MEBIBYTE))
    return out.getvalue()


def long_header(size: int) -> bytes:
    """The name of an entry, said to be so long."""
    about = tarfile.TarInfo("././@LongLink")
    about.size, about.type = size, tarfile.GNUTYPE_LONGNAME
    return gzip.compress(about.tobuf() + bytes(size))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda: zeros(8 * MEBIBYTE), "200 times its size"),
        (lambda: long_header(8 * MEBIBYTE), "200 times its size"),
        (lambda: entry("a", b"")[0].tobuf() * (inflating.MOST_ENTRIES + 1), "more than 10000 entries"),
        (entry("a", size=inflating.MOST_BYTES + 1)[0].tobuf, "more than 104,857,600 bytes"),
    ],
    ids=["zeros", "long name", "many entries", "large file"],
)
async def test_bombs_do_not_go_off(run, untarred, content, says):
    with pytest.raises(UserError, match=says):
        await untarred(content())
    assert [path.name for path in run.workdir.iterdir()] == ["a.tar"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"\x1f\x8bno gzip",
        gzip.compress(archive(entry("a", b"x" * 5000)))[:-60],
        archive(entry("a", b"x" * 5000))[:2000],
    ],
    ids=["empty", "text", "no gzip", "cut gzip", "cut"],
)
async def test_what_is_no_archive_is_said(untarred, content):
    with pytest.raises(UserError, match="can't be read as a tar archive"):
        await untarred(content)


@pytest.mark.parametrize(
    ("uses", "config", "says"),
    [
        ("tar", {"inPath": "none", "outPath": "a"}, "nothing at"),
        ("tar", {"inPath": "../x", "outPath": "a"}, "leads out"),
        ("tar", {"inPath": "in", "outPath": "../a"}, "leads out"),
        ("tar", {"inPath": "in", "outPath": "in/.git/config"}, "Git's own"),
        ("tar", {"inPath": "in", "outPath": "in/deep"}, "is a folder"),
        ("tar", {"inPath": "in/a.txt", "outPath": "in/a.txt"}, "of itself"),
        ("tar", {"inPath": "in", "outPath": "a", "ignore": "!"}, "can't be read"),
        ("untar", {"inPath": "in", "outPath": "a"}, "not a file"),
        ("untar", {"inPath": "in/a.txt", "outPath": "in/deep/c"}, "not a folder"),
        ("untar", {"inPath": "in/a.txt", "outPath": "in/.git"}, "Git's own"),
    ],
)
async def test_mistakes_are_said(run, source, uses, config, says):
    with pytest.raises(UserError, match=says):
        await run(uses, config)
