"""The sandbox reads refs from their files and keeps what Git said of objects: it says what Git would say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.sandbox.git import reading, writing
from bot.sandbox.git.process import GitRepo
from bot.sandbox.git.reading import Person

SOMEBODY = Person("Mona", "mona@example.com", datetime(2024, 1, 1, tzinfo=UTC))
NAMES = (
    "refs/heads/main",
    "refs/heads/feature/one",
    "refs/heads/feature",  # a folder of refs
    "refs/heads/main/below",  # below a ref
    "refs/heads/gone",
    "refs/heads/ünïcode",
    "refs/tags/v1",
    "refs/pull/1/head",
    "refs/heads/../heads/main",
    "refs/heads/main~0",
    "refs/heads/main.lock",
    "refs/../config",
    "refs/heads/",
    "refs/alias",  # a symbolic ref
    "HEAD",
)


@pytest.fixture
async def git(tmp_path: Path) -> GitRepo:
    """Two commits, some refs; in a place with letters that configuration files want escaped."""
    repo = GitRepo(tmp_path / 'a "place" \\ #1' / "shop.git")
    await repo.create("main", tmp_path / 'my "hooks" \\ ;2')
    tree = await writing.write_tree(repo, None, [])
    first = await writing.write_commit(repo, tree, [], "first", SOMEBODY, SOMEBODY)
    second = await writing.write_commit(repo, tree, [first], "second", SOMEBODY, SOMEBODY)
    for name in ("heads/main", "heads/feature/one", "heads/ünïcode", "tags/v1"):
        await writing.create_ref(repo, f"refs/{name}", first)
    await writing.create_ref(repo, "refs/pull/1/head", second)
    await repo.run("symbolic-ref", "refs/alias", "refs/heads/main")
    return repo


async def by_git(git: GitRepo, name: str) -> str | None:
    done = await git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    return done.text.strip() if done.status == 0 else None


@pytest.mark.parametrize("packed", ["loose", "packed", "packed and moved since"])
async def test_a_ref_is_where_git_says_it_is(git: GitRepo, packed: str) -> None:
    if packed != "loose":
        await git.run("pack-refs", "--all")
    if packed.endswith("since"):
        second = await reading.ref(git, "refs/pull/1/head")
        assert second
        await writing.set_ref(git, "refs/heads/main", second, None)
        await writing.delete_ref(git, "refs/tags/v1")
    assert {name: await reading.ref(git, name) for name in NAMES} == {name: await by_git(git, name) for name in NAMES}
    assert await reading.ref(git, "refs/heads/main")


async def test_a_name_stands_for_the_commit_git_takes_it_for(git: GitRepo) -> None:
    first, second = await reading.ref(git, "refs/heads/main"), await reading.ref(git, "refs/pull/1/head")
    assert first
    assert second
    note = await writing.write_tag(git, "v2", second, "commit", SOMEBODY, "second")
    await writing.create_ref(git, "refs/tags/v2", note)
    blob = await writing.write_blob(git, b"no commit")
    stands_for = {
        "main": first,
        "v2": second,
        "tags/v2": second,
        "refs/tags/v2": second,
        "pull/1/head": second,
        second: second,
        second[:12]: second,
        "HEAD": first,
        note: second,
        blob: None,
        "0" * 39 + "1": None,
        "gone": None,
    }
    assert {name: await reading.resolve(git, name) for name in stands_for} == stands_for


async def test_what_is_not_there_yet_is_asked_for_again(git: GitRepo) -> None:
    text = b"soon"
    sha = await git.run("hash-object", "--stdin", stdin=text)
    assert await reading.kind_of(git, sha) is None
    await writing.write_blob(git, text)
    assert await reading.kind_of(git, sha) == "blob"


async def test_what_git_said_of_objects_is_kept(git: GitRepo) -> None:
    first, second = await reading.ref(git, "refs/heads/main"), await reading.ref(git, "refs/pull/1/head")
    assert first
    assert second

    async def said() -> tuple[object, ...]:
        return (
            await reading.commit(git, second),
            await reading.is_ancestor(git, first, second),
            await reading.is_ancestor(git, second, first),
            await reading.merge_base(git, first, second),
        )

    before = await said()
    assert before[1:] == (True, False, first)
    git.path.rename(git.path.with_name("away.git"))
    assert await said() == before


async def test_the_configuration_says_what_was_meant(git: GitRepo, tmp_path: Path) -> None:
    wanted = {
        "core.hooksPath": str(tmp_path / 'my "hooks" \\ ;2'),
        "core.bare": "true",
        "http.receivepack": "true",
        "receive.hideRefs": "refs/pull",
        "receive.denyDeleteCurrent": "ignore",
        "uploadpack.allowAnySHA1InWant": "true",
        "uploadpack.allowFilter": "true",
        "gc.auto": "0",
    }
    assert {key: await git.run("config", "--get-all", key) for key in wanted} == wanted
