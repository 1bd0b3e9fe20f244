"""git-push, against a real repository: on top of what is there, and never over a person's commit."""

from dataclasses import replace

import pytest

from bot.contracts.steps import StepStatus
from bot.core.model import CommitSha
from bot.errors import UserError

SRC = {"checkout": [{"path": "./src"}]}


def add_file(run, path: str, content: str) -> None:
    file = run.workdir / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


async def push(run):
    return await run("git-push", {"path": "./src", "generateTargetBranch": True}, alias="push")


async def prepared(run, content: str = "new: true\n"):
    await run("git-clone", SRC)
    add_file(run, "src/out/stages/uat/new.yaml", content)
    return (await run("git-commit", {"path": "./src/out/stages/uat", "message": "Update"})).output["commit"]


async def test_push_to_the_promotion_branch_and_again_with_newer_freight(run, remote):
    first = await prepared(run)
    result = await push(run)
    assert (result.status, result.output) == (
        StepStatus.SUCCEEDED,
        {
            "branch": "promotion/uat",
            "commit": first,
            "commitURL": f"{remote.url.removesuffix('.git')}/commit/{first}",
            "base": "main",
        },
    )

    again = run.fresh("again")
    again.promoting(branch_head=CommitSha(first))
    second = await prepared(again, "newer: true\n")
    assert (await push(again)).output["commit"] == second == remote.at("promotion/uat")
    assert remote.at("promotion/uat~1") == remote.at("main")


async def test_the_same_push_twice_leaves_the_branch_as_it_is(run, remote):
    first = await prepared(run)
    await push(run)
    again = run.fresh("again")
    again.promoting(branch_head=CommitSha(first))
    add = {**SRC, "author": {"name": "another", "email": "another@example.com"}}
    await again("git-clone", add)
    add_file(again, "src/out/stages/uat/new.yaml", "new: true\n")
    await again("git-commit", {"path": "./src/out/stages/uat", "message": "Update"})
    assert (await push(again)).output["commit"] == first == remote.at("promotion/uat")


async def test_a_persons_commit_on_the_promotion_branch_is_never_overwritten(run, remote):
    await prepared(run)
    await push(run)
    remote.git("fetch", "-q", "origin")
    remote.git("checkout", "-q", "promotion/uat")
    human = remote.write({"out/stages/uat/new.yaml": "by: hand\n"}, "fix by hand", branch="promotion/uat")

    again = run.fresh("again")
    again.promoting(branch_head=CommitSha(human))
    await prepared(again, "newer: true\n")
    result = await push(again)
    assert result.status is StepStatus.FAILED
    assert "fix by hand" in result.message
    assert "maintainer" in result.message
    assert remote.at("promotion/uat") == human

    pull = await run.github.create_pull("promotion/uat", "main", "x", "y")
    run.github.pulls[pull.number] = replace(pull, merged=True, open=False, head_sha=CommitSha(human))
    assert (await push(again)).status is StepStatus.SUCCEEDED  # it was merged, squashed: nothing is lost


@pytest.mark.parametrize(
    ("author", "status"),
    [("towpath[bot]@example.com", StepStatus.SUCCEEDED), ("maintainer@example.com", StepStatus.FAILED)],
)
async def test_of_commits_made_on_github_only_our_own_are_ours(run, remote, author, status):
    await prepared(run)
    remote.author, remote.committer = author, "noreply@github.com"
    remote.git("checkout", "-q", "-b", "promotion/uat")
    head = remote.write({"x": "y"}, branch="promotion/uat")
    run.promoting(branch_head=CommitSha(head))
    assert (await push(run)).status is status


async def test_a_branch_that_moved_since_the_promotion_began_is_left_alone(run, remote):
    await prepared(run)
    remote.git("checkout", "-q", "-b", "promotion/uat")
    human = remote.write({"x": "y"}, branch="promotion/uat")
    result = await push(run)  # branch_head said that there was none
    assert result.status is StepStatus.ERRORED
    assert remote.at("promotion/uat") == human


async def test_push_on_top_of_a_branch(run, remote):
    commit = await prepared(run)
    result = await run("git-push", {"path": "./src"})
    assert (result.output["branch"], result.output["commit"]) == ("main", commit)
    assert remote.at("main") == commit

    result = await run("git-push", {"path": "./src", "targetBranch": "env/uat"})
    assert remote.at("env/uat") == commit


async def test_forced_push_to_a_named_branch(run, remote):
    remote.write({"x": "y"}, branch="env/uat")
    commit = await prepared(run)
    await run("git-push", {"path": "./src", "targetBranch": "env/uat", "force": True})
    assert remote.at("env/uat") == commit


async def test_naming_the_promotion_branch_is_generating_it(run, remote):
    await prepared(run)
    remote.git("checkout", "-q", "-b", "promotion/uat")
    human = remote.write({"x": "y"}, branch="promotion/uat")
    result = await run("git-push", {"path": "./src", "targetBranch": "promotion/uat", "force": True})
    assert result.status is StepStatus.ERRORED
    assert remote.at("promotion/uat") == human


async def test_nothing_committed_is_nothing_to_push(run, remote):
    await run("git-clone", SRC)
    result = await push(run)
    assert result.status is StepStatus.SKIPPED
    assert "promotion/uat" not in remote.git("branch", "--list", "-a", bare=True)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"targetBranch": "other", "generateTargetBranch": True}, "leave one out"),
        ({"targetBranch": "--force"}, "not a branch name"),
    ],
)
async def test_push_says_what_is_wrong(run, config, says):
    await prepared(run)
    with pytest.raises(UserError, match=says):
        await run("git-push", {"path": "./src", **config})


async def test_a_checkout_on_no_branch_must_be_told_where_to_push(run, remote):
    await run("git-clone", {"checkout": [{"path": "./src", "commit": remote.at("main")}]})
    with pytest.raises(UserError, match="targetBranch"):
        await run("git-push", {"path": "./src"})


async def test_a_refused_push_fails_the_promotion(run, remote):
    await prepared(run)
    hook = remote.path / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    result = await push(run)
    assert result.status is StepStatus.FAILED
    assert "declined" in result.message
