"""git-open-pr and git-wait-for-pr."""

from dataclasses import replace

import pytest

from bot.contracts.steps import StepStatus
from bot.core.model import CommitSha
from bot.errors import UserError


@pytest.fixture
async def pushed(run, remote):
    """A promotion whose work has been pushed."""
    await run("git-clone", {"checkout": [{"path": "./src"}]})
    (run.workdir / "src/out/stages/uat/new.yaml").write_text("new: true\n")
    await run("git-commit", {"path": "./src", "message": "Update"})
    await run("git-push", {"path": "./src", "generateTargetBranch": True}, alias="push")
    return run


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"sourceBranch": "promotion/uat", "targetBranch": "main"},
        {"sourceBranchFromStep": "push", "createTargetBranch": True, "provider": "gitlab"},
    ],
)
async def test_what_was_pushed_is_proposed(pushed, config):
    result = await pushed("git-open-pr", config, alias="open-pr")
    pull = pushed.github.pulls[1]
    assert (pull.head_branch, pull.base_branch, pull.title) == ("promotion/uat", "main", "promote(uat): service 1.0.0")
    assert result.output == {
        "pr": {"id": 1, "url": pull.url, "open": True, "merged": False, "head": "promotion/uat"},
        "prNumber": 1,
    }
    assert (await pushed("git-open-pr", config)).output["prNumber"] == 1  # again: the same one


async def test_title_description_and_labels_may_be_given(pushed, remote):
    await pushed("git-open-pr", {"title": "T", "description": "D", "labels": ["a", "b"], "repoURL": remote.url})
    pull = pushed.github.pulls[1]
    assert (pull.title, pull.body, pull.labels) == ("T", "D\n\nrecord", {"a", "b"})


async def test_the_target_is_the_branch_that_was_pushed_from(run, remote):
    remote.write({"x": "y"}, branch="env/uat")
    checkout = [{"path": "./src"}, {"path": "./out", "branch": "env/uat"}]
    await run("git-clone", {"checkout": checkout})
    (run.workdir / "out/new.yaml").write_text("new: true\n")
    await run("git-commit", {"path": "./out", "message": "Update"})
    await run("git-push", {"path": "./out", "generateTargetBranch": True})
    await run("git-open-pr", {})
    assert run.github.pulls[1].base_branch == "env/uat"


async def test_a_branch_pushed_by_others_can_be_proposed(run, remote):
    await run.context.git.refs(remote.url)
    remote.git("checkout", "-q", "-b", "topic")
    remote.write({"x": "y"}, branch="topic")
    result = await run("git-open-pr", {"sourceBranch": "topic"})
    assert result.status is StepStatus.SUCCEEDED


async def test_where_nothing_differs_nothing_is_opened_or_waited_for(run, remote):
    await run("git-clone", {"checkout": [{"path": "./src"}]})
    await run("git-push", {"path": "./src", "generateTargetBranch": True})
    result = await run("git-open-pr", {}, alias="open-pr")
    assert result.status is StepStatus.SKIPPED
    assert run.github.pulls == {}
    for config in ({}, {"prNumberFromStep": "open-pr"}):
        assert (await run("git-wait-for-pr", config)).status is StepStatus.SKIPPED


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"repoURL": "https://github.com/acme/other.git"}, "git-push"),
        ({"targetBranch": "promotion/uat"}, "to itself"),
        ({"sourceBranchFromStep": "step-1"}, "pushed no branch"),
        ({"sourceBranchFromStep": "none"}, "'none'"),
        ({"sourceBranch": "nowhere"}, "'nowhere'"),
    ],
)
async def test_open_says_what_is_wrong(pushed, config, says):
    with pytest.raises(UserError, match=says):
        await pushed("git-open-pr", config)


async def test_without_a_push_there_is_nothing_to_propose(run):
    with pytest.raises(UserError, match="git-push"):
        await run("git-open-pr", {})


@pytest.mark.parametrize("config", [{}, {"prNumber": 1}, {"prNumberFromStep": "open-pr", "provider": "gitlab"}])
async def test_waiting_ends_with_the_merge(pushed, config):
    await pushed("git-open-pr", {}, alias="open-pr")
    result = await pushed("git-wait-for-pr", config)
    assert (result.status, result.retry_at, result.output["pr"]["open"]) == (StepStatus.RUNNING, None, True)

    pull = pushed.github.pulls[1]
    pushed.github.pulls[1] = replace(pull, open=False, merged=True, merge_sha=CommitSha("2" * 40))
    result = await pushed("git-wait-for-pr", config)
    assert result.status is StepStatus.SUCCEEDED
    assert result.output["commit"] == "2" * 40
    assert result.output["pr"] == {"id": 1, "url": pull.url, "open": False, "merged": True, "head": "promotion/uat"}


async def test_a_pull_request_closed_unmerged_fails(pushed):
    await pushed("git-open-pr", {})
    pushed.github.pulls[1] = replace(pushed.github.pulls[1], open=False)
    result = await pushed("git-wait-for-pr", {})
    assert result.status is StepStatus.FAILED
    assert "#1" in result.message


async def test_a_step_that_opened_none_is_said(pushed):
    with pytest.raises(UserError, match="git-open-pr"):
        await pushed("git-wait-for-pr", {"prNumberFromStep": "push"})
