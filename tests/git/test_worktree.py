"""Work trees: checked out, cleared, committed and pushed, without overwriting anybody."""

import os
from pathlib import Path

import pytest

from bot.contracts.git import BranchMoved, Credential, Identity, PushRejected
from bot.errors import Broken, UserError

AUTHOR = Identity("robot", "robot@example.com")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


async def test_the_default_branch_is_checked_out_without_any_git_folder(git, remote, work):
    sha = await git.checkout(remote.url, work / "src")
    assert sha == remote.at("main")
    assert sorted(p.name for p in (work / "src").iterdir()) == ["README.md", "chart", "out"]
    assert await git.head(work / "src") == sha


async def test_branches_tags_and_commits_can_be_checked_out(git, remote, work):
    first = remote.at("main")
    remote.git("tag", "-a", "-m", "x", "v1")
    remote.git("push", "-q", "origin", "v1")
    second = remote.write({"README.md": "env\n"}, branch="env/test")

    assert await git.checkout(remote.url, work / "a", branch="env/test") == second
    assert await git.checkout(remote.url, work / "b", tag="v1") == first
    assert await git.checkout(remote.url, work / "c", commit=second) == second
    assert (work / "c/README.md").read_text() == "env\n"
    found = [(c.path.name, c.branch, c.base) for c in await git.checkouts(work)]
    assert found == [("a", "env/test", second), ("b", "", first), ("c", "", second)]


async def test_a_branch_made_after_the_last_look_is_found(git, remote, work):
    await git.refs(remote.url)
    sha = remote.write({"x": "y"}, branch="late")
    assert await git.checkout(remote.url, work, branch="late") == sha


@pytest.mark.parametrize("what", [{"branch": "none"}, {"tag": "none"}, {"commit": "0" * 40}])
async def test_what_is_not_there_is_named(git, remote, work, what):
    with pytest.raises(UserError, match=r"none|0000"):
        await git.checkout(remote.url, work, **what)


@pytest.mark.parametrize("name", ["-x", "--orphan", "a..b", "a b", "refs/heads/main", "a^", "@", "x.lock", "/x", "x/"])
async def test_names_that_are_none_are_refused(git, remote, work, name):
    with pytest.raises(UserError, match="not a branch name"):
        await git.checkout(remote.url, work, branch=name)


async def test_a_folder_that_holds_something_is_not_written_over(git, remote, work):
    work.mkdir()
    (work / "mine").write_text("x")
    with pytest.raises(UserError, match="something"):
        await git.checkout(remote.url, work)


async def test_only_the_wanted_folders(git, remote, work):
    await git.checkout(remote.url, work, sparse=["chart"])
    assert sorted(p.name for p in work.iterdir()) == ["README.md", "chart"]
    (work / "chart/values.yaml").write_text("tag: 2\n")
    await git.commit(work, "sparse", author=AUTHOR)
    await git.push(work, "main")
    assert remote.files("main") == ["README.md", "chart/values.yaml", "out/test/a.yaml"]


async def test_a_missing_branch_is_begun_with_one_empty_commit(git, remote, work):
    sha = await git.checkout(remote.url, work, branch="env/new", create=True)
    assert remote.at("env/new") == sha
    assert list(work.iterdir()) == []
    assert remote.git("log", "--format=%s %P", "env/new", cwd=remote.path).strip() == "Initial commit"
    assert await git.checkout(remote.url, work.with_name("again"), branch="env/new", create=True) == sha


async def test_clear_removes_what_is_not_ignored_and_empty_folders(git, remote, work):
    await git.checkout(remote.url, work)
    (work / ".gitignore").write_text("*.log\n")
    (work / "out/test/new").write_text("untracked")
    (work / "out/test/own.log").write_text("ignored")
    await git.clear(work / "out")
    assert [p.name for p in (work / "out").rglob("*")] == ["test", "own.log"]
    assert (work / "README.md").exists()
    (work / "new/deeper").mkdir(parents=True)
    (work / "new/deeper/link").symlink_to("nowhere")
    await git.clear(work)
    assert sorted(p.name for p in work.iterdir()) == ["out"]


async def test_a_commit_takes_only_the_paths_it_is_given(git, remote, work):
    await git.checkout(remote.url, work)
    await git.clear(work / "out")
    (work / "README.md").write_text("changed\n")
    (work / "new").mkdir()
    (work / "new/file").write_text("x")
    assert await git.changes(work) == ("README.md", "new/file", "out/test/a.yaml")
    assert await git.changes(work, ["new", "out"]) == ("new/file", "out/test/a.yaml")

    sha = await git.commit(work, "title\n\n# no comment\n\nStage: test\n", author=AUTHOR, paths=["new", "out", "gone"])
    assert sha == await git.head(work)
    assert await git.changes(work) == ("README.md",)
    await git.push(work, "topic")
    assert remote.files("topic") == ["README.md", "chart/values.yaml", "new/file"]
    shown = remote.git("log", "-1", "--format=%an <%ae>|%cn <%ce>|%cI|%B", "topic", cwd=remote.path)
    assert shown == (
        "robot <robot@example.com>|towpath[bot] <towpath[bot]@example.com>|2026-01-02T03:04:05+00:00|"
        "title\n\n# no comment\n\nStage: test"
    )


@pytest.mark.parametrize("paths", [(), ("out",), ("never-was",), ("*",)])
async def test_nothing_to_commit_is_none(git, remote, work, paths):
    await git.checkout(remote.url, work)
    assert await git.commit(work, "x", author=AUTHOR, paths=paths) is None


async def test_an_ignored_path_is_said_to_be_ignored(git, remote, work):
    remote.write({".gitignore": "/rendered/\n"})
    await git.checkout(remote.url, work)
    (work / "rendered").mkdir()
    (work / "rendered/a").write_text("x")
    with pytest.raises(UserError, match=r"\.gitignore"):
        await git.commit(work, "x", author=AUTHOR, paths=["rendered"])


async def commit(git, work: Path, content: str, file: str = "out/test/a.yaml") -> str:
    (work / file).parent.mkdir(parents=True, exist_ok=True)
    (work / file).write_text(content)
    sha = await git.commit(work, f"write {file}", author=AUTHOR)
    assert sha is not None
    return sha


async def test_a_forced_push_holds_to_what_was_expected(git, remote, work):
    await git.checkout(remote.url, work)
    first = await commit(git, work, "a: 2\n")
    assert (await git.push(work, "promotion/test", force=True, expect=None)).moved
    assert remote.at("promotion/test") == first

    second = await commit(git, work, "a: 3\n")
    with pytest.raises(BranchMoved, match="promotion/test"):
        await git.push(work, "promotion/test", force=True, expect=None)  # it does exist by now
    human = remote.write({"by": "hand"}, branch="promotion/test")
    with pytest.raises(BranchMoved):
        await git.push(work, "promotion/test", force=True, expect=first)
    assert remote.at("promotion/test") == human
    result = await git.push(work, "promotion/test", force=True, expect=human)
    assert (result.commit, result.moved, remote.at("promotion/test")) == (second, True, second)


async def test_the_same_content_is_not_pushed_again(git, new_git, remote, work, tmp_path):
    await git.checkout(remote.url, work)
    await commit(git, work, "a: 2\n")
    await commit(git, work, "a: 3\n", "out/test/b.yaml")
    pushed = (await git.push(work, "promotion/test", force=True)).commit

    later = new_git()
    await later.refs(remote.url)
    again = tmp_path / "again"
    await later.checkout(remote.url, again)
    (again / "out/test/a.yaml").write_text("a: 2\n")
    await later.commit(again, "other words", author=Identity("else", "else@example.com"))
    ours = await commit(later, again, "a: 3\n", "out/test/b.yaml")
    assert ours != pushed
    result = await later.push(again, "promotion/test", force=True, expect=pushed)
    assert (result.commit, result.moved, remote.at("promotion/test")) == (pushed, False, pushed)


async def test_an_advance_goes_on_top_of_what_others_pushed(git, remote, work):
    await git.checkout(remote.url, work)
    (work / "README.md").write_text("uncommitted\n")
    (work / "out/test/a.yaml").write_text("a: 2\n")
    await git.commit(work, "ours", author=AUTHOR, paths=["out"])
    theirs = remote.write({"chart/values.yaml": "tag: 2\n"}, "theirs")

    result = await git.push(work, "main")
    assert result.moved
    assert remote.at("main") == result.commit == await git.head(work)
    assert remote.at("main~1") == theirs
    assert remote.git("log", "-1", "--format=%an %cn", "main", cwd=remote.path) == "robot towpath[bot]"
    assert (work / "README.md").read_text() == "uncommitted\n"
    assert not (await git.push(work, "main")).moved


async def test_an_advance_that_contradicts_others_is_rejected(git, remote, work):
    await git.checkout(remote.url, work)
    ours = await commit(git, work, "a: ours\n")
    theirs = remote.write({"out/test/a.yaml": "a: theirs\n"})
    with pytest.raises(PushRejected, match=r"main of .* moved meanwhile"):
        await git.push(work, "main")
    assert remote.at("main") == theirs
    assert await git.head(work) == ours


async def test_a_refusal_by_the_remote_says_why(git, remote, work):
    hook = remote.path / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n")
    hook.chmod(0o755)
    await git.checkout(remote.url, work)
    await commit(git, work, "a: 2\n")
    with pytest.raises(PushRejected, match="pre-receive hook declined") as caught:
        await git.push(work, "topic")
    assert not isinstance(caught.value, BranchMoved)


async def test_pushing_over_http_needs_the_credential(new_git, server, remote, work):
    server.password = "right"

    async def credentials(_url: str) -> Credential | None:
        return Credential("x-access-token", "right")

    git = new_git(credentials)
    await git.checkout(server.url, work)
    sha = await commit(git, work, "a: 2\n")
    assert (await git.push(work, "topic")).commit == sha
    assert remote.at("topic") == sha
    server.status = 403
    with pytest.raises(UserError, match="access was refused"):
        await git.push(work, "other")


async def test_after_our_own_push_nothing_need_be_downloaded(git, server, remote, work):
    await git.checkout(server.url, work)
    sha = await commit(git, work, "a: 2\n")
    await git.push(work, "topic")
    server.asked.clear()
    assert (await git.refs(server.url)).heads["topic"] == sha
    posts = [line for line in server.asked if line.startswith("POST")]
    assert len(posts) == 1  # a listing, in which nothing is new
    assert await git.read(server.url, "topic", "out/test/a.yaml") == b"a: 2\n"


async def test_hooks_and_settings_written_by_a_step_do_nothing(git, remote, work, tmp_path):
    await git.checkout(remote.url, work)
    (work / ".git/hooks").mkdir(parents=True)
    hook = work / ".git/hooks/pre-commit"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    hook.chmod(0o755)
    (work / ".git/config").write_text(f"[core]\n\tfsmonitor = touch {tmp_path}/pwned\n")
    (work / ".gitattributes").write_text("* filter=bad\n")
    await commit(git, work, "a: 2\n")
    await git.push(work, "topic")
    assert not (tmp_path / "pwned").exists()
    assert ".git/config" not in remote.files("topic")


async def test_work_trees_of_the_dead_are_taken_away_and_those_of_the_living_left(new_git, remote, work, tmp_path):
    living = new_git()
    await living.checkout(remote.url, work)
    abandoned = tmp_path / "data/checkouts/session-dead"
    (abandoned / "x").mkdir(parents=True)
    abandoned.with_suffix(".lock").touch()

    other = new_git()
    await other.checkout(remote.url, tmp_path / "other")
    assert not abandoned.exists()
    assert not abandoned.with_suffix(".lock").exists()
    assert await living.head(work) == remote.at("main")
    await living.close()
    await other.close()
    assert os.listdir(tmp_path / "data/checkouts") == []


async def test_a_removed_work_tree_is_forgotten(git, remote, work, tmp_path):
    await git.checkout(remote.url, work)
    for file in sorted(work.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    work.rmdir()
    await git.checkout(remote.url, tmp_path / "next")
    assert [c.path.name for c in await git.checkouts(tmp_path)] == ["next"]
    with pytest.raises(Broken):
        await git.head(work)
