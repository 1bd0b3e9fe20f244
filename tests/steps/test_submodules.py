"""git-clone with `recurseSubmodules`: checkouts like any other."""

import pytest

from bot.contracts.steps import StepStatus
from bot.errors import UserError

SRC = {"checkout": [{"path": "./src"}], "recurseSubmodules": True}


def add_submodule(remote, tmp_path, url: str = "", path: str = "charts/lib") -> None:
    """`remote` gets a submodule: a repository of its own with one file, or one at an address."""
    other = tmp_path / "lib.git"
    if not other.exists():
        remote.git("clone", "-q", "--bare", str(remote.path), str(other))
    sha = remote.at("main")
    said = f'[submodule "lib"]\n\tpath = {path}\n\turl = {url or f"file://{other}"}\n'
    (remote.clone / ".gitmodules").write_text(said)
    remote.git("add", ".gitmodules")
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{path}")
    remote.git("commit", "-q", "-m", "a submodule")
    remote.git("push", "-q", "origin", "HEAD:refs/heads/main")


async def test_submodules_are_checked_out_and_left_out_of_commits(run, remote, tmp_path):
    add_submodule(remote, tmp_path)
    await run("git-clone", SRC)
    assert (run.workdir / "src/charts/lib/chart/Chart.yaml").exists()
    (run.workdir / "src/out/new.yaml").parent.mkdir(parents=True, exist_ok=True)
    (run.workdir / "src/out/new.yaml").write_text("new: true\n")
    assert (await run("git-commit", {"path": "./src", "message": "Update"})).status is StepStatus.SUCCEEDED
    await run("git-push", {"path": "./src"})
    changed = remote.git("show", "--name-only", "--format=", "main", bare=True).splitlines()
    assert changed == [".promotion/uat.lock", "out/new.yaml"]
    assert remote.git("ls-tree", "main", "charts/lib", bare=True).startswith("160000 commit")


async def test_without_being_asked_they_are_not(run, remote, tmp_path):
    add_submodule(remote, tmp_path)
    await run("git-clone", {"checkout": [{"path": "./src"}]})
    assert not (run.workdir / "src/charts/lib/chart").exists()


@pytest.mark.parametrize("url", ["ext::sh -c id", "/etc", "ftp://example.com/x", "https://u:p@example.com/x"])
async def test_no_other_way_of_fetching_is_taken(run, remote, tmp_path, url):
    add_submodule(remote, tmp_path, url)
    with pytest.raises(UserError, match=r"not a repository address|carries a user name"):
        await run("git-clone", SRC)


async def test_a_repository_within_itself_comes_to_an_end(run, remote, tmp_path):
    add_submodule(remote, tmp_path)
    inner = remote.at("main")  # which has the submodule already, so that each holds one more
    for _ in range(6):
        remote.git("push", "-q", str(tmp_path / "lib.git"), "+HEAD:refs/heads/main")
        remote.git("update-index", "--add", "--cacheinfo", f"160000,{inner},charts/lib")
        remote.git("commit", "-q", "-m", "deeper")
        inner = remote.git("rev-parse", "HEAD")
    remote.git("push", "-q", str(tmp_path / "lib.git"), "+HEAD:refs/heads/main")
    remote.git("push", "-q", "origin", "HEAD:refs/heads/main")
    with pytest.raises(UserError, match="at most 50 submodules"):
        await run("git-clone", SRC)
