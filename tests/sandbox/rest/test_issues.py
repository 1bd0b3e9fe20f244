"""Issues, and pull requests seen as issues."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.driver import GitHub


async def test_an_issue_is_opened_edited_closed_and_reopened(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    made = await bot.post(f"{repo}/issues", {"title": "Hold prod", "body": "why", "labels": ["hold", {"name": "prod"}]})
    issue = made.ok(201)
    assert made.headers["Location"] == issue["url"]
    assert [row["name"] for row in issue["labels"]] == ["hold", "prod"]
    assert (issue["user"]["login"], issue["performed_via_github_app"]["slug"]) == ("towpath[bot]", "towpath")
    path = f"{repo}/issues/{issue['number']}"
    edited = (await bot.patch(path, {"title": "Hold uat", "body": None, "labels": ["hold"]})).ok()
    assert (edited["title"], edited["body"], len(edited["labels"])) == ("Hold uat", None, 1)
    closed = (await bot.patch(path, {"state": "closed", "state_reason": "not_planned"})).ok()
    assert (closed["state"], closed["state_reason"], closed["closed_by"]["login"]) == (
        "closed",
        "not_planned",
        "towpath[bot]",
    )
    again = (await bot.patch(path, {"state": "open"})).ok()
    assert (again["state_reason"], again["closed_at"]) == ("reopened", None)
    assert (await bot.get(path)).ok() == again
    assert [row for row in await github.events() if row.startswith(("issues", "label"))] == [
        "label.created",
        "label.created",
        "issues.opened",
        "issues.labeled",
        "issues.labeled",
        "issues.edited",
        "issues.unlabeled",
        "issues.closed",
        "issues.reopened",
    ]
    edit = next(row for row in github.sandbox.world.deliveries if (row.event, row.action) == ("issues", "edited"))
    assert json.loads(edit.payload)["changes"] == {"title": {"from": "Hold prod"}, "body": {"from": "why"}}


async def test_a_pull_request_can_be_changed_as_an_issue(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "topic")
    await github.pull(repo, "topic", draft=True)
    path = f"{repo}/issues/1"
    changed = (await owner.patch(path, {"title": "new", "labels": ["x"], "assignees": ["writer"]})).ok()
    assert (changed["draft"], changed["pull_request"]["merged_at"]) == (True, None)
    assert (await owner.get(f"{repo}/pulls/1")).ok()["assignee"]["login"] == "writer"
    assert (await owner.patch(path, {"state": "closed"})).ok()["state"] == "closed"
    assert (await owner.patch(path, {"state": "open"})).ok()["state"] == "open"
    (await owner.patch(path, {"state": "closed"})).ok()
    (await owner.delete(f"{repo}/git/refs/heads/topic")).ok(204)
    assert (await owner.patch(path, {"state": "open"})).status == 422
    events = await github.events()
    assert [row for row in events if row.startswith(("issues", "pull_request"))] == [
        f"pull_request.{word}" for word in ("opened", "edited", "labeled", "assigned", "closed", "reopened", "closed")
    ]


async def test_issues_are_listed_with_pull_requests_and_filtered(github: GitHub) -> None:
    repo, owner, reader = await github.repo(), github.user("owner"), github.user("reader")
    await github.file(repo, "a", "1", "topic")
    await github.pull(repo, "topic")
    body = {"title": "two", "labels": ["hold", "prod"], "assignees": ["reader"]}
    (await owner.post(f"{repo}/issues", body)).ok(201)
    (await reader.post(f"{repo}/issues", {"title": "three", "labels": ["hold"]})).ok(201)
    (await owner.post(f"{repo}/issues", {"title": "four", "labels": ["hold"]})).ok(201)
    (await owner.patch(f"{repo}/issues/4", {"state": "closed"})).ok()
    (await owner.post(f"{repo}/issues/2/comments", {"body": "x"})).ok(201)
    for query, expected in (
        ("", [3, 2, 1]),
        ("?state=all&direction=asc", [1, 2, 3, 4]),
        ("?state=closed", [4]),
        ("?state=all&labels=HOLD", [4, 2]),
        ("?labels=hold,prod", [2]),
        ("?creator=reader", [3]),
        ("?assignee=reader", [2]),
        ("?assignee=*", [2]),
        ("?assignee=none", [3, 1]),
        ("?sort=comments", [2, 3, 1]),
        ("?sort=updated&direction=asc&state=all&per_page=1&page=5", []),
        ("?since=2020-01-01T00:00:00Z", [3, 2, 1]),
        ("?since=2999-01-01T00:00:00Z", []),
    ):
        assert [row["number"] for row in (await owner.get(f"{repo}/issues{query}")).ok()] == expected, query
    assert (await owner.get(f"{repo}/issues?since=today")).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x" * 257},
        {"title": " "},
        {},
        {"title": "x", "body": "x" * 65_537},
        {"title": "x", "assignees": ["outsider"]},
        {"title": "x", "assignees": ["writer"] * 11},
    ],
)
async def test_an_issue_that_github_would_not_take_is_refused(github: GitHub, body: dict[str, object]) -> None:
    repo = await github.repo()
    assert (await github.user("owner").post(f"{repo}/issues", body)).status == 422
    assert (await github.user("owner").get(f"{repo}/issues")).ok() == []


async def test_who_may_not_label_has_labels_dropped_and_may_edit_only_what_is_theirs(github: GitHub) -> None:
    repo, reader = await github.repo(), github.user("reader")
    mine = (await reader.post(f"{repo}/issues", {"title": "x", "labels": ["a"], "assignees": ["reader"]})).ok(201)
    assert (mine["labels"], mine["assignees"]) == ([], [])
    (await reader.patch(f"{repo}/issues/1", {"state": "closed", "labels": ["a"]})).ok()
    assert (await github.user("outsider").patch(f"{repo}/issues/1", {"state": "open"})).status == 403
    assert (await github.user("writer").patch(f"{repo}/issues/1", {"state": "nowhere"})).status == 422
    assert (await github.user("writer").patch(f"{repo}/issues/1", {"state_reason": "bored"})).status == 422
    (await github.user("owner").patch(repo, {"has_issues": False})).ok()
    assert (await reader.post(f"{repo}/issues", {"title": "x"})).status == 410
    assert (await reader.get(f"{repo}/issues/9")).status == 404


async def test_people_are_made_responsible_and_relieved(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    (await owner.post(f"{repo}/issues", {"title": "x", "assignees": ["writer"]})).ok(201)
    path = f"{repo}/issues/1/assignees"
    added = (await owner.post(path, {"assignees": ["reader", "writer"]})).ok(201)
    assert [row["login"] for row in added["assignees"]] == ["writer", "reader"]
    left = (await owner.delete(path, {"assignees": ["writer"]})).ok()
    assert [row["login"] for row in left["assignees"]] == ["reader"]
    assert [row for row in await github.events() if "assigned" in row] == [
        "issues.assigned",
        "issues.assigned",
        "issues.unassigned",
    ]
