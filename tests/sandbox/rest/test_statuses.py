"""Commit statuses, and what statuses and check runs mean for a protected branch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.driver import GitHub


async def head(github: GitHub) -> tuple[str, str]:
    """A repository and the head of its branch `topic`."""
    repo = await github.repo()
    return repo, await github.file(repo, "a", "1", "topic")


async def test_the_newest_status_of_each_context_counts(github: GitHub) -> None:
    repo, sha = await head(github)
    bot = await github.bot()
    empty = (await bot.get(f"{repo}/commits/topic/status")).ok()
    assert (empty["state"], empty["total_count"]) == ("pending", 0)
    for state, context, combined in (
        ("success", "ci", "success"),
        ("pending", "lint", "pending"),
        ("error", "ci", "failure"),
        ("success", "ci", "pending"),
        ("success", "lint", "success"),
    ):
        body = {"state": state, "context": context, "description": "x" * 140, "target_url": "https://127.0.0.1/x"}
        made = (await bot.post(f"{repo}/statuses/{sha}", body)).ok(201)
        assert made["creator"]["login"] == "towpath[bot]"
        assert (await bot.get(f"{repo}/commits/topic/status")).ok()["state"] == combined
    rows = (await bot.get(f"{repo}/commits/{sha}/statuses?per_page=2")).ok()
    assert [(row["context"], row["state"]) for row in rows] == [("lint", "success"), ("ci", "success")]
    page = (await bot.get(f"{repo}/commits/{sha}/status?per_page=1&page=2")).ok()
    assert (page["total_count"], [row["context"] for row in page["statuses"]]) == (2, ["lint"])
    assert (await github.events()).count("status") == 5
    payload = json.loads(list(github.sandbox.world.deliveries)[-1].payload)
    assert [row["name"] for row in payload["branches"]] == ["topic"]


@pytest.mark.parametrize(
    ("body", "sha"),
    [
        ({"state": "fine"}, None),
        ({}, None),
        ({"state": "success", "description": "x" * 141}, None),
        ({"state": "success", "target_url": "ftp://127.0.0.1"}, None),
        ({"state": "success"}, "0" * 40),
        ({"state": "success"}, "topic"),
    ],
)
async def test_a_status_that_github_would_not_take_is_refused(
    github: GitHub, body: dict[str, str], sha: str | None
) -> None:
    repo, tip = await head(github)
    assert (await github.user("writer").post(f"{repo}/statuses/{sha or tip}", body)).status == 422
    assert (await github.user("reader").post(f"{repo}/statuses/{tip}", {"state": "success"})).status == 403


async def protected(github: GitHub, checks: list[dict[str, Any]], strict: bool = False) -> tuple[str, str, str]:
    """A repository, a pull request into its protected `main`, and the head."""
    repo, sha = await head(github)
    rules = {
        "required_status_checks": {"strict": strict, "checks": checks, "contexts": []},
        "enforce_admins": True,
        "required_pull_request_reviews": None,
        "restrictions": None,
    }
    pull = await github.pull(repo, "topic")
    (await github.user("owner").put(f"{repo}/branches/main/protection", rules)).ok()
    return repo, pull, sha


async def test_a_required_check_run_must_be_green(github: GitHub) -> None:
    repo, pull, sha = await protected(github, [{"context": "ci"}])
    bot, owner = await github.bot(), github.user("owner")
    made = (await bot.post(f"{repo}/check-runs", {"name": "ci", "head_sha": sha})).ok(201)
    for update, word in (
        ({"status": "in_progress"}, "is pending"),
        ({"conclusion": "failure"}, "is failing"),
        ({"conclusion": "cancelled"}, "is failing"),
    ):
        (await bot.patch(f"{repo}/check-runs/{made['id']}", update)).ok()
        assert (await github.mergeable(pull))["mergeable_state"] == "blocked"
        refused = await owner.put(f"{pull}/merge")
        assert (refused.status, refused.body["message"]) == (405, f'Required status check "ci" {word}.')
    await bot.post(f"{repo}/check-runs", {"name": "ci", "head_sha": sha, "conclusion": "neutral"})
    assert (await github.mergeable(pull))["mergeable_state"] == "clean"
    (await owner.put(f"{pull}/merge")).ok()


async def test_a_required_status_must_be_green_and_come_from_the_right_app(github: GitHub) -> None:
    app = (await github.app().get("/app")).ok()["id"]
    repo, pull, sha = await protected(github, [{"context": "ci", "app_id": app}])
    bot, owner = await github.bot(), github.user("owner")
    (await owner.post(f"{repo}/statuses/{sha}", {"state": "success", "context": "ci"})).ok(201)
    assert (await github.mergeable(pull))["mergeable_state"] == "blocked"
    for state, status in (("failure", 405), ("pending", 405), ("success", 200)):
        (await bot.post(f"{repo}/statuses/{sha}", {"state": state, "context": "ci"})).ok(201)
        assert (await owner.put(f"{pull}/merge")).status == status


async def test_a_failure_counts_even_beside_a_success_of_the_same_name(github: GitHub) -> None:
    repo, pull, sha = await protected(github, [{"context": "ci"}])
    bot = await github.bot()
    (await bot.post(f"{repo}/check-runs", {"name": "ci", "head_sha": sha, "conclusion": "success"})).ok(201)
    (await bot.post(f"{repo}/statuses/{sha}", {"state": "error", "context": "ci"})).ok(201)
    assert (await github.user("owner").put(f"{pull}/merge")).status == 405


async def test_a_strict_branch_wants_the_head_up_to_date(github: GitHub) -> None:
    repo, pull, _ = await protected(github, [], strict=True)
    owner = github.user("owner")
    assert (await github.mergeable(pull))["mergeable_state"] == "clean"
    await github.file(repo, "b", "1", "other")
    (await owner.put(f"{await github.pull(repo, 'other')}/merge")).ok()
    assert (await github.mergeable(pull))["mergeable_state"] == "behind"
    refused = await owner.put(f"{pull}/merge")
    assert (refused.status, refused.body["message"]) == (405, "Head branch is out of date with the base branch.")
    (await owner.put(f"{pull}/update-branch")).ok(202)
    assert (await github.mergeable(pull))["mergeable_state"] == "clean"
    (await owner.put(f"{pull}/merge")).ok()


async def test_what_is_not_required_makes_it_unstable_at_most(github: GitHub) -> None:
    repo, pull, sha = await protected(github, [])
    bot = await github.bot()
    for state, expected in (("pending", "unstable"), ("failure", "unstable"), ("success", "clean")):
        (await bot.post(f"{repo}/statuses/{sha}", {"state": state, "context": "extra"})).ok(201)
        assert (await github.mergeable(pull))["mergeable_state"] == expected
    (await bot.post(f"{repo}/check-runs", {"name": "extra", "head_sha": sha, "conclusion": "timed_out"})).ok(201)
    assert (await github.mergeable(pull))["mergeable_state"] == "unstable"
    (await github.user("owner").put(f"{pull}/merge")).ok()
