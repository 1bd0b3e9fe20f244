"""git-open-pr, git-wait-for-pr and git-merge-pr in another repository than the pipeline's own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.contracts.steps import StepStatus
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.steps import BY_NAME
from tests.steps.conftest import NOW, Remote
from tests.steps.forges import LANDED

BRANCH = "promotions/acme/config/uat"


@pytest.fixture
def apps(tmp_path):
    """The other repository."""
    apps = Remote(tmp_path / "apps.git", tmp_path / "apps-clone")
    apps.clone.mkdir()
    apps.git("init", "-q", "--bare", "-b", "main", str(apps.path))
    apps.git("clone", "-q", str(apps.path), ".")
    apps.git("checkout", "-q", "-b", "main")
    apps.write({"service.yaml": "tag: 0.9.0\n"}, "first")
    return apps


@pytest.fixture
async def pushed(run, apps):
    """A promotion whose work has been pushed there."""
    await run("git-clone", {"repoURL": apps.url, "checkout": [{"path": "./apps"}]})
    (run.workdir / "apps/service.yaml").write_text("tag: 1.0.0\n")
    await run("git-commit", {"path": "./apps", "message": "Update"})
    await run("git-push", {"path": "./apps", "generateTargetBranch": True}, alias="push")
    return run


@pytest.fixture
async def opened(pushed, apps):
    """Its pull request is open, and the forge has it at what was pushed."""
    await pushed("git-open-pr", {"repoURL": apps.url, "provider": "gitlab"}, alias="open")
    forge = pushed.forges.known[apps.url]
    forge.change(1, head_sha=CommitSha(pushed.outputs["push"]["commit"]))
    return pushed


async def test_the_branch_is_this_pipelines_and_the_commit_has_no_lock(pushed, apps):
    assert pushed.outputs["push"]["branch"] == BRANCH
    files = apps.git("ls-tree", "-r", "--name-only", BRANCH, bare=True).split()
    assert files == ["service.yaml"]


async def test_what_was_pushed_there_is_proposed_there(pushed, apps):
    config = {
        "repoURL": apps.url,
        "provider": "gitlab",
        "title": "T",
        "description": "D",
        "labels": ["a"],
        "assignees": ["first.last"],
        "reviewers": ["second_one"],
        "draft": True,
    }
    result = await pushed("git-open-pr", config, alias="open")

    (asked,) = pushed.forges.known[apps.url].asked
    assert (asked.source, asked.target, asked.title, asked.body) == (BRANCH, "main", "T", f"D\n\nchanges of {apps.url}")
    assert (asked.labels, asked.assignees, asked.reviewers, asked.draft) == (
        ("a",),
        ("first.last",),
        ("second_one",),
        True,
    )
    assert result.settles
    assert result.output == {
        "pr": {
            "id": 1, "url": "https://forge.example.com/acme/apps/1", "open": True, "merged": False, "head": BRANCH,
            "repoURL": apps.url, "headCommit": pushed.outputs["push"]["commit"], "provider": "gitlab",
        },
        "prNumber": 1,
    }  # fmt: skip
    assert pushed.forges.providers == ["gitlab"]
    assert pushed.github.pulls == {}


async def test_at_home_and_elsewhere_each_proposes_what_was_pushed_to_it(pushed, apps):
    await pushed("git-clone", {"checkout": [{"path": "./src"}]})
    (pushed.workdir / "src/new.yaml").write_text("new: true\n")
    await pushed("git-commit", {"path": "./src", "message": "Update"})
    await pushed("git-push", {"path": "./src", "generateTargetBranch": True})
    await pushed("git-open-pr", {"repoURL": apps.url})
    await pushed("git-open-pr", {})
    assert pushed.forges.known[apps.url].asked[0].source == BRANCH
    assert pushed.github.pulls[1].head_branch == "promotion/uat"


async def test_where_nothing_differs_nothing_is_opened(run, apps):
    await run("git-clone", {"repoURL": apps.url, "checkout": [{"path": "./apps"}]})
    await run("git-push", {"path": "./apps", "generateTargetBranch": True})
    for uses in ("git-open-pr", "git-wait-for-pr", "git-merge-pr"):
        assert (await run(uses, {"repoURL": apps.url})).status is StepStatus.SKIPPED
    assert not run.forges.known[apps.url].asked


@pytest.mark.parametrize("config", [{}, {"prNumberFromStep": "open"}, {"prNumber": 1, "named": True}])
async def test_waiting_ends_with_the_merge(opened, apps, config):
    if config.pop("named", False):
        config["repoURL"] = apps.url
    result = await opened("git-wait-for-pr", config)
    assert (result.status, result.retry_at) == (StepStatus.RUNNING, NOW + timedelta(minutes=1))
    assert (await opened("git-wait-for-pr", {**config, "pollInterval": "5m"})).retry_at == NOW + timedelta(minutes=5)
    assert (await opened("git-wait-for-pr", {**config, "pollInterval": "1ms"})).retry_at > NOW

    opened.forges.known[apps.url].change(1, open=False, merged=True, merge_sha=LANDED)
    result = await opened("git-wait-for-pr", config)
    assert (result.status, result.output["commit"]) == (StepStatus.SUCCEEDED, LANDED)
    assert (result.output["pr"]["open"], result.output["pr"]["merged"]) == (False, True)


async def test_what_it_is_on_need_not_be_said_again(opened):
    await opened("git-wait-for-pr", {})
    await opened("git-merge-pr", {"provider": "github"})
    assert opened.forges.providers == ["gitlab", "gitlab", "github"]


async def test_one_closed_unmerged_fails(opened, apps):
    opened.forges.known[apps.url].change(1, open=False)
    for uses in ("git-wait-for-pr", "git-merge-pr"):
        result = await opened(uses, {})
        assert result.status is StepStatus.FAILED
        assert "https://forge.example.com/acme/apps/1 was closed" in result.message


async def merging(opened, **config):
    """git-merge-pr as it is run in the looks after the first."""
    before = await opened("git-merge-pr", config)
    return await BY_NAME["git-merge-pr"].run(replace(opened.context, previous=before.output), config)


async def test_it_is_merged_as_it_was_proposed(opened, apps):
    assert (await opened("git-merge-pr", {})).status is StepStatus.RUNNING
    assert opened.forges.known[apps.url].merged == []  # the gates are asked first
    result = await merging(opened, mergeMethod="squash")
    assert (result.status, result.output["commit"]) == (StepStatus.SUCCEEDED, LANDED)
    assert opened.forges.known[apps.url].merged == [(1, opened.outputs["push"]["commit"], "squash")]
    assert (await opened("git-merge-pr", {})).status is StepStatus.SUCCEEDED  # again: nothing more is done
    assert len(opened.forges.known[apps.url].merged) == 1


async def test_commits_of_others_are_not_merged(opened, apps):
    opened.forges.known[apps.url].change(1, head_sha=CommitSha("e" * 40))
    result = await merging(opened)
    assert (result.status, opened.forges.known[apps.url].merged) == (StepStatus.RUNNING, [])
    assert "is at eeeeeee" in result.message


@pytest.mark.parametrize(
    ("changes", "refusal", "says"),
    [
        ({"draft": True}, "", "it is a draft"),
        ({"hindrance": "it has a conflict"}, "", "it has a conflict"),
        ({}, "the pipeline must succeed", "the pipeline must succeed"),
    ],
)
async def test_what_is_in_the_way_is_waited_for_or_fails(opened, apps, changes, refusal, says):
    forge = opened.forges.known[apps.url]
    forge.change(1, **changes)
    forge.refusal = refusal
    waiting = await merging(opened)
    assert waiting.status is StepStatus.RUNNING
    assert says in waiting.message
    failed = await merging(opened, wait=False)
    assert failed.status is StepStatus.FAILED
    assert says in failed.message


async def test_a_merge_that_takes_a_while_is_waited_for(opened, apps):
    opened.forges.known[apps.url].late = True
    assert (await merging(opened)).status is StepStatus.RUNNING
    assert len(opened.forges.known[apps.url].merged) == 1


async def test_another_promotions_pull_request_is_not_merged(opened, apps):
    forge = opened.forges.known[apps.url]
    forge.pulls[2] = forge.pulls[1]
    with pytest.raises(UserError, match="was not opened by this promotion"):
        await opened("git-merge-pr", {"repoURL": apps.url, "prNumber": 2})
    assert forge.merged == []


async def test_a_branch_nobody_pushed_is_said(run, apps):
    with pytest.raises(UserError, match="finds no branch topic"):
        await run("git-open-pr", {"repoURL": apps.url, "sourceBranch": "topic"})
