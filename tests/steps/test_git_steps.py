"""git-clone, git-clear and git-commit, against a real repository."""

import pytest

from bot.contracts.steps import StepStatus
from bot.core.model import Commit, CommitSha
from bot.errors import UserError

SRC = {"checkout": [{"path": "./src"}]}


def add_file(run, path: str, content: str = "new: true\n") -> None:
    file = run.workdir / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


# --- git-clone --------------------------------------------------------------------------------------


async def test_clone_tells_commits_by_name_or_path(run, remote):
    first = remote.at("main")
    env = remote.write({"x": "y"}, branch="env/uat")
    remote.git("tag", "v1", first)
    remote.git("push", "-q", "origin", "v1")
    result = await run(
        "git-clone",
        {
            "repoURL": remote.url,
            "checkout": [
                {"path": "./src"},
                {"path": "./out", "branch": "env/uat", "as": "out"},
                {"path": "./tag", "tag": "v1"},
                {"path": "./commit", "commit": first},
                {"path": "./new", "branch": "env/new", "create": True, "as": "new"},
            ],
        },
    )
    commits = result.output["commits"]
    assert commits == {"./src": first, "out": env, "./tag": first, "./commit": first, "new": remote.at("env/new")}
    assert (run.workdir / "out/x").read_text() == "y"
    assert list((run.workdir / "new").iterdir()) == []


async def test_clone_of_what_is_in_the_freight(run, remote):
    first = remote.at("main")
    remote.write({"later": "x"})
    freight = run.context.promotion.freight
    commit = Commit(remote.url, CommitSha(first))
    run.promoting(collection=(freight, type(freight)(freight.id, "x", freight.origin, commits=(commit,))))
    result = await run("git-clone", {"checkout": [{"path": "src", "fromFreight": True}]})
    assert result.output == {"commits": {"src": first}}
    assert not (run.workdir / "src/later").exists()


@pytest.mark.parametrize(
    ("checkout", "says"),
    [
        ({"path": "src", "branch": "main", "tag": "v1"}, "branch and tag"),
        ({"path": "../src"}, "leads out"),
        ({"path": "src", "branch": "nowhere"}, "'nowhere'"),
        ({"path": "src", "fromFreight": True}, "it has none"),
    ],
)
async def test_clone_says_what_is_wrong(run, checkout, says):
    with pytest.raises(UserError, match=says):
        await run("git-clone", {"checkout": [checkout]})


# --- git-clear --------------------------------------------------------------------------------------


async def test_clear_of_a_checkout_and_of_a_folder_in_it(run):
    await run("git-clone", SRC)
    await run("git-clear", {"path": "./src/out"})
    assert not (run.workdir / "src/out").exists()
    assert (run.workdir / "src/README.md").exists()
    await run("git-clear", {"path": "./src"})
    assert list((run.workdir / "src").iterdir()) == []


async def test_clear_of_a_folder_that_stands_for_one_in_the_checkout(run):
    await run("git-clone", SRC)
    add_file(run, "out/stages/uat/left-over.yaml")
    await run("git-clear", {"path": "./out/stages/uat"})
    assert not (run.workdir / "src/out/stages/uat/old.yaml").exists()
    assert list((run.workdir / "out/stages/uat").iterdir()) == []


async def test_clear_without_a_checkout_says_so(run):
    with pytest.raises(UserError, match="git-clone"):
        await run("git-clear", {"path": "./out"})


# --- git-commit -------------------------------------------------------------------------------------


async def push(run):
    return await run("git-push", {"path": "./src", "generateTargetBranch": True}, alias="push")


async def test_commit_of_a_folder_takes_that_folder_and_the_lock(run, remote):
    await run("git-clone", SRC)
    add_file(run, "src/out/stages/uat/new.yaml")
    add_file(run, "src/chart/values.yaml", "only: for rendering\n")
    result = await run("git-commit", {"path": "./src/out/stages/uat", "message": "Update\n\nwith a body"})
    await push(run)

    assert result.output == {"commit": remote.at("promotion/uat")}
    changed = remote.git("diff", "--name-only", "main", "promotion/uat", bare=True).splitlines()
    assert changed == [".promotion/uat.lock", "out/stages/uat/new.yaml"]
    assert remote.read("promotion/uat", ".promotion/uat.lock") == "lock\n- out/stages/uat"
    assert remote.git("log", "-1", "--format=%an|%ae|%cn|%B", "promotion/uat", bare=True) == (
        "towpath[bot]|towpath[bot]@example.com|towpath[bot]|Update\n\nwith a body\n\n"
        f"Promoted-By: maintainer\nFreight: {'f' * 40}\nStage: uat"
    )
    trailers = remote.git("log", "-1", "--format=%(trailers:key=Stage,valueonly)", "promotion/uat", bare=True)
    assert trailers.strip() == "uat"


async def test_commit_of_a_folder_outside_brings_it_into_the_checkout(run, remote):
    await run("git-clone", SRC)
    await run("git-clear", {"path": "./out/stages/uat"})
    add_file(run, "out/stages/uat/sub/new.yaml")
    await run("git-commit", {"path": "./out/stages/uat", "message": "Update"})
    await run("git-push", {"path": "./out/stages/uat", "generateTargetBranch": True})
    assert [f for f in remote.files("promotion/uat") if f.startswith("out/")] == ["out/stages/uat/sub/new.yaml"]


async def test_commit_of_a_whole_checkout_takes_everything_and_the_lock_names_it(run, remote):
    await run("git-clone", SRC)
    add_file(run, "src/chart/values.yaml", "changed: true\n")
    add_file(run, "src/new/file")
    await run("git-commit", {"path": "./src", "message": "Update"})
    await push(run)
    assert remote.read("promotion/uat", ".promotion/uat.lock") == "lock\n- chart/values.yaml\n- new/file"


async def test_the_lock_names_what_earlier_commits_changed_as_well(run, remote):
    await run("git-clone", SRC)
    add_file(run, "src/first/file")
    add_file(run, "src/out/stages/uat/new.yaml")
    await run("git-commit", {"path": "./src/first", "message": "one"})
    await run("git-commit", {"path": "./src/out/stages/uat", "message": "two"})
    await push(run)
    assert remote.read("promotion/uat", ".promotion/uat.lock") == "lock\n- first/file\n- out/stages/uat"


async def test_a_lock_alone_is_a_commit_and_nothing_at_all_is_none(run, remote):
    await run("git-clone", SRC)
    config = {"path": "./src/out/stages/uat", "message": "Update"}
    result = await run("git-commit", config)
    assert result.status is StepStatus.SUCCEEDED
    again = await run("git-commit", config)
    assert (again.status, again.output) == (StepStatus.SKIPPED, result.output)


async def test_another_repository_gets_no_lock(run, remote, tmp_path):
    remote.git("clone", "-q", "--bare", str(remote.path), str(tmp_path / "other.git"))
    await run("git-clone", {**SRC, "repoURL": f"file://{tmp_path / 'other.git'}"})
    add_file(run, "src/out/stages/uat/new.yaml")
    await run("git-commit", {"path": "./src", "message": "Update"})
    assert not (run.workdir / "src/.promotion").exists()


@pytest.mark.parametrize(
    ("earlier", "config", "expected"),
    [
        ({}, {}, "Promote eager-otter to uat"),
        ({"a": {"commitMessage": "one"}}, {"messageFromSteps": ["a"]}, "one"),
        ({"a": {}}, {"messageFromSteps": ["a"]}, "Promote eager-otter to uat"),
        (
            {"a": {"commitMessage": "one"}, "task::b": {"commitMessage": "two"}},
            {"messageFromSteps": ["a", "b"]},
            "Promote eager-otter to uat\n\nIncluding:\n\n  * one\n  * two",
        ),
    ],
)
async def test_the_message_may_come_from_earlier_steps(run, remote, earlier, config, expected):
    await run("git-clone", SRC)
    run.outputs.update(earlier)
    await run("git-commit", {"path": "./src", **config})
    await push(run)
    message = remote.git("log", "-1", "--format=%B", "promotion/uat", bare=True)
    assert message.partition("\n\nPromoted-By")[0] == expected


async def test_an_unknown_step_is_named(run):
    await run("git-clone", SRC, alias="clone")
    with pytest.raises(UserError, match=r"'update'.*steps that have: clone"):
        await run("git-commit", {"path": "./src", "messageFromSteps": ["update"]})


@pytest.mark.parametrize("where", ["git-clone", "git-commit"])
async def test_the_author_may_be_named_but_never_the_committer(run, remote, where):
    author = {"author": {"name": "robot", "email": "robot@example.com"}}
    await run("git-clone", {**SRC, **(author if where == "git-clone" else {})})
    await run("git-commit", {"path": "./src", "message": "x", **(author if where == "git-commit" else {})})
    await push(run)
    shown = remote.git("log", "-1", "--format=%ae %ce", "promotion/uat", bare=True)
    assert shown == "robot@example.com towpath[bot]@example.com"
