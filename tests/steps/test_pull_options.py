"""Who is asked, assigned and waited for: options of git-open-pr, git-merge-pr, wait-for-approval."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.contracts.github_areas import Review
from bot.contracts.steps import StepStatus
from bot.core.config import Fit
from bot.core.facts import Permission
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.steps import BY_NAME
from tests.steps.conftest import NOW

HEAD = CommitSha("1" * 40)
OLDER = CommitSha("0" * 40)
PEOPLE = {"maintainer": Permission.WRITE, "owner": Permission.ADMIN, "reader": Permission.READ}


@pytest.fixture
async def pushed(run, remote):
    """A promotion whose work has been pushed."""
    await run("git-clone", {"checkout": [{"path": "./src"}]})
    (run.workdir / "src/out/stages/uat/new.yaml").write_text("new: true\n")
    await run("git-commit", {"path": "./src", "message": "Update"})
    await run("git-push", {"path": "./src", "generateTargetBranch": True}, alias="push")
    return run


@pytest.fixture
async def opened(pushed):
    await pushed("git-open-pr", {}, alias="open-pr")
    return pushed


def becomes(run, **changes):
    run.github.pulls[1] = replace(run.github.pulls[1], **changes)


def review(author, state="APPROVED", commit=HEAD, body=""):
    return Review(author, state, commit, datetime(2026, 1, 2, tzinfo=UTC), body)


async def test_people_are_asked_and_assigned(pushed):
    config = {"reviewers": ["owner", "@Owner", "@acme/sre"], "assignees": ["maintainer"], "draft": True}
    await pushed("git-open-pr", config)
    reviewing = pushed.github.reviewing
    assert reviewing.asked == [("Owner", "team sre")]
    assert reviewing.assigned == ["maintainer"]
    assert pushed.github.pulls[1].draft


async def test_nobody_is_bothered_unasked(opened):
    assert (opened.github.reviewing.asked, opened.github.reviewing.assigned) == ([], [])
    assert not opened.github.pulls[1].draft


async def test_a_team_of_elsewhere_is_refused_before_anything_is_opened(pushed):
    with pytest.raises(UserError, match="@other/sre is no team of acme"):
        await pushed("git-open-pr", {"reviewers": ["@other/sre"]})
    assert pushed.github.pulls == {}


async def test_who_cannot_be_asked_is_named(pushed):
    pushed.github.reviewing.strangers = frozenset({"outsider"})
    with pytest.raises(UserError, match="outsider"):
        await pushed("git-open-pr", {"reviewers": ["owner", "outsider"]})


@pytest.mark.parametrize(
    ("step", "config", "taken"),
    [
        ("git-open-pr", {"reviewers": ["owner", "@acme/s-re", "renovate[bot]"], "autoMerge": True}, True),
        ("git-open-pr", {"reviewers": ["not a login"]}, False),
        ("git-open-pr", {"autoMerge": True, "mergeMethod": "squash"}, True),
        ("git-open-pr", {"mergeMethod": "noFastForward"}, False),
        ("git-merge-pr", {"repoURL": "x", "prNumber": 1, "mergeMethod": "rebase", "wait": True}, True),
        ("git-merge-pr", {"prNumber": 0}, False),
        ("wait-for-approval", {"approvers": ["@acme/sre"], "minApprovals": 2, "pollInterval": "30s"}, True),
        ("wait-for-approval", {"minApprovals": 0}, False),
        ("wait-for-approval", {"approvers": "owner"}, False),
    ],
)
def test_what_is_taken(step, config, taken):
    _, misfits = Fit(BY_NAME[step].SCHEMA)(config)
    assert (not misfits) is taken


# --- git-merge-pr -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pull", "config", "status", "says"),
    [
        ({}, {}, StepStatus.RUNNING, "every gate"),
        ({}, {"wait": False}, StepStatus.RUNNING, "every gate"),  # it is not in conflict: only young
        ({"mergeable": False}, {}, StepStatus.RUNNING, "conflict"),
        ({"mergeable": False}, {"wait": False}, StepStatus.FAILED, "conflict"),
        ({"draft": True}, {"wait": True}, StepStatus.RUNNING, "draft"),
        ({"draft": True}, {"wait": False}, StepStatus.FAILED, "draft"),
        ({"open": False}, {}, StepStatus.FAILED, "closed without"),
        ({"open": False, "merged": True, "merge_sha": HEAD}, {"wait": False}, StepStatus.SUCCEEDED, ""),
    ],
)
async def test_merging_is_wished_for_and_waited_for(opened, pull, config, status, says):
    becomes(opened, **pull)
    result = await opened("git-merge-pr", config)
    assert (result.status, says in result.message) == (status, True)
    assert result.output["pr"]["id"] == 1
    assert result.output.get("commit") == (HEAD if status is StepStatus.SUCCEEDED else None)
    assert ("mergeMethod" in result.output) is (status is StepStatus.RUNNING)


async def test_the_method_is_told_to_whoever_merges(opened):
    assert (await opened("git-merge-pr", {"mergeMethod": "squash"})).output["mergeMethod"] == "squash"


async def test_only_the_promotions_own_pull_request_is_merged(opened):
    becomes(opened, head_branch="promotion/prod")
    with pytest.raises(UserError, match="not the pull request of this promotion"):
        await opened("git-merge-pr", {"prNumber": 1})
    becomes(opened, head_branch="promotion/uat", head_repository="stranger/config")
    with pytest.raises(UserError, match="not the pull request of this promotion"):
        await opened("git-merge-pr", {})
    elsewhere = {"repoURL": "https://github.com/acme/other.git"}
    assert (await opened("git-merge-pr", elsewhere)).status is StepStatus.SKIPPED
    with pytest.raises(UserError, match="was not opened by this promotion"):
        await opened("git-merge-pr", {**elsewhere, "prNumber": 1})


async def test_where_none_was_opened_none_is_merged(run):
    assert (await run("git-merge-pr", {})).status is StepStatus.SKIPPED


# --- wait-for-approval --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reviews", "config", "status", "says"),
    [
        ([], {}, StepStatus.RUNNING, "0 of 1"),
        ([review("maintainer")], {}, StepStatus.SUCCEEDED, ""),
        ([review("maintainer", commit=OLDER)], {}, StepStatus.RUNNING, "0 of 1"),
        ([review("reader")], {}, StepStatus.RUNNING, "0 of 1"),
        ([review("maintainer")], {"minApprovals": 2}, StepStatus.RUNNING, "1 of 2"),
        ([review("maintainer"), review("maintainer")], {"minApprovals": 2}, StepStatus.RUNNING, "1 of 2"),
        ([review("maintainer"), review("owner")], {"minApprovals": 2}, StepStatus.SUCCEEDED, ""),
        ([review("maintainer")], {"approvers": ["owner"]}, StepStatus.RUNNING, "0 of 1"),
        ([review("maintainer")], {"approvers": ["Maintainer"]}, StepStatus.SUCCEEDED, ""),
        ([review("maintainer")], {"approvers": ["@acme/sre"]}, StepStatus.SUCCEEDED, ""),
        ([review("owner")], {"approvers": ["@acme/sre"]}, StepStatus.RUNNING, "0 of 1"),
        ([review("maintainer"), review("owner", "CHANGES_REQUESTED")], {}, StepStatus.RUNNING, "owner asked"),
        ([review("maintainer"), review("reader", "CHANGES_REQUESTED")], {}, StepStatus.SUCCEEDED, ""),
        ([review("owner", "CHANGES_REQUESTED"), review("owner")], {}, StepStatus.SUCCEEDED, ""),
        ([review("owner"), review("owner", "COMMENTED")], {}, StepStatus.SUCCEEDED, ""),
        ([review("owner"), review("owner", "DISMISSED")], {}, StepStatus.RUNNING, "0 of 1"),
    ],
)  # fmt: skip
async def test_whose_word_counts(opened, reviews, config, status, says):
    opened.github.people.permissions = PEOPLE
    opened.github.people.teams = {"acme/sre": {"maintainer"}}
    opened.github.reviewing.given = reviews
    result = await opened("wait-for-approval", config)
    assert (result.status, says in result.message) == (status, True)


async def test_the_responses_say_who_and_when(opened):
    opened.github.people.permissions = PEOPLE
    opened.github.reviewing.given = [review("owner", body="go")]
    result = await opened("wait-for-approval", {"pollInterval": "1m"})
    when = "2026-01-02T00:00:00+00:00"
    assert result.output["head"] == HEAD
    assert result.output["responses"] == [{"user": "owner", "action": "approve", "time": when, "message": "go"}]
    opened.github.reviewing.given = []
    assert (await opened("wait-for-approval", {"pollInterval": "1m"})).retry_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("merged", [True, False])
async def test_what_ended_without_approval_fails(opened, merged):
    becomes(opened, open=False, merged=merged)
    result = await opened("wait-for-approval", {})
    assert result.status is StepStatus.FAILED
    assert ("merged" if merged else "closed") in result.message


async def test_there_must_be_something_to_approve(run):
    with pytest.raises(UserError, match="git-open-pr"):
        await run("wait-for-approval", {})
