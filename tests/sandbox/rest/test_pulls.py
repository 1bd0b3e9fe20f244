"""Pull requests: opening, listing, editing, merging in three ways, and everything that may stand against it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.driver import GitHub

_RULES: dict[str, Any] = {
    "required_status_checks": None,
    "enforce_admins": True,
    "required_pull_request_reviews": None,
    "restrictions": None,
}


async def test_what_cannot_be_proposed_is_refused_with_githubs_words(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "topic")
    main = (await owner.get(f"{repo}/git/ref/heads/main")).ok()["object"]["sha"]
    (await owner.post(f"{repo}/git/refs", {"ref": "refs/heads/same", "sha": main})).ok(201)
    for head, base, field, message in (
        ("nowhere", "main", "head", None),
        ("topic", "nowhere", "base", None),
        ("stranger:topic", "main", "head", None),
        ("same", "main", "", "No commits between main and same"),
    ):
        refused = await owner.post(f"{repo}/pulls", {"title": "t", "head": head, "base": base})
        assert refused.status == 422
        (error,) = refused.body["errors"]
        assert (error["field"], error.get("message")) == (field, message)
    for fields in ({"title": "x" * 257}, {"body": "x" * 65_537}, {"title": "  "}):
        assert (
            await owner.post(f"{repo}/pulls", {"title": "t", "head": "topic", "base": "main", **fields})
        ).status == 422
    await github.pull(repo, "topic", title="x" * 256, body="x" * 65_536)


async def test_pull_requests_are_listed_by_state_head_and_base(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    for name in ("one", "two"):
        await github.file(repo, name, "1", name)
        await github.pull(repo, name)
    await github.pull(repo, "one", "two")
    (await owner.patch(f"{repo}/pulls/2", {"state": "closed"})).ok()
    for query, expected in (
        ("", [3, 1]),
        ("?state=all&direction=asc", [1, 2, 3]),
        ("?state=closed", [2]),
        ("?head=acme:one", [3, 1]),
        ("?head=acme:one&base=main", [1]),
        ("?head=outsider:one", []),
        ("?sort=updated&state=all", [1, 3, 2]),
    ):
        rows = (await owner.get(f"{repo}/pulls{query}")).ok()
        if "updated" in query:
            assert {row["number"] for row in rows} == set(expected)
        else:
            assert [row["number"] for row in rows] == expected, query


async def test_editing_says_what_changed_and_closing_can_be_undone(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "topic")
    pull = await github.pull(repo, "topic", body="old")
    edited = (await owner.patch(pull, {"title": "new", "body": "new"})).ok()
    assert (edited["title"], edited["body"]) == ("new", "new")
    assert (await owner.patch(pull, {"state": "closed"})).ok()["state"] == "closed"
    assert (await owner.patch(pull, {"state": "open"})).ok()["state"] == "open"
    assert (await owner.delete(f"{repo}/git/refs/heads/topic")).status == 204
    assert (await owner.get(pull)).ok()["state"] == "closed"
    assert (await owner.patch(pull, {"state": "open"})).status == 422
    assert (await github.events())[8:] == [
        "pull_request.opened",
        "pull_request.edited",
        "pull_request.closed",
        "pull_request.reopened",
        "delete",
        "push",
        "pull_request.closed",
    ]


@pytest.mark.parametrize(("method", "parents", "commits"), [("merge", 2, 4), ("squash", 1, 2), ("rebase", 1, 3)])
async def test_each_way_of_merging_keeps_both_sides(github: GitHub, method: str, parents: int, commits: int) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "topic")
    head = await github.file(repo, "b", "1", "topic")
    await github.file(repo, "c", "1")
    pull = await github.pull(repo, "topic", title="Promote")
    before = len((await owner.get(f"{repo}/commits")).ok())
    landed = (await owner.put(f"{pull}/merge", {"merge_method": method})).ok()["sha"]
    commit = (await owner.get(f"{repo}/commits/main")).ok()
    assert (commit["sha"], len(commit["parents"])) == (landed, parents)
    names = {row["name"] for row in (await owner.get(f"{repo}/contents")).ok()}
    assert names == {"README.md", "a", "b", "c"}
    after = len((await owner.get(f"{repo}/commits")).ok())
    assert after - before == commits - 1
    seen = (await owner.get(pull)).ok()
    assert (seen["merged"], seen["state"], seen["merge_commit_sha"]) == (True, "closed", landed)
    assert seen["merged_by"]["login"] == "owner"
    for sha in (head, landed):
        assert [row["number"] for row in (await owner.get(f"{repo}/commits/{sha}/pulls")).ok()] == [1]


async def test_a_conflict_is_seen_and_refused_and_ends_when_the_head_is_mended(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "topic", "topic")
    pull = await github.pull(repo, "topic")
    assert (await github.mergeable(pull))["mergeable_state"] == "clean"
    await github.file(repo, "a", "main")
    assert (await owner.get(pull)).ok()["mergeable"] is None
    seen = await github.mergeable(pull)
    assert (seen["mergeable"], seen["mergeable_state"]) == (False, "dirty")
    for method in ("merge", "squash", "rebase"):
        refused = await owner.put(f"{pull}/merge", {"merge_method": method})
        assert (refused.status, refused.body["message"]) == (405, "Pull Request is not mergeable")
    assert (await owner.put(f"{pull}/update-branch")).status == 422
    await github.file(repo, "a", "main", "topic")
    assert (await github.mergeable(pull))["mergeable"] is True


async def test_a_required_check_blocks_the_merge_and_the_push(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "topic")
    pull = await github.pull(repo, "topic")
    rules = _RULES | {"required_status_checks": {"strict": True, "contexts": ["ci"]}}
    (await owner.put(f"{repo}/branches/main/protection", rules)).ok()
    read = (await owner.get(f"{repo}/branches/main/protection")).ok()
    assert read["required_status_checks"]["contexts"] == ["ci"]
    (await owner.get(f"{repo}/branches/main/protection/required_status_checks")).ok()
    assert (await owner.get(f"{repo}/branches/main")).ok()["protected"] is True
    assert (await github.mergeable(pull))["mergeable_state"] == "blocked"
    refused = await owner.put(f"{pull}/merge")
    assert (refused.status, refused.body["message"]) == (405, 'Required status check "ci" is expected.')
    direct = {"message": "x", "content": "eA=="}
    assert (await owner.put(f"{repo}/contents/x", direct)).status == 409
    assert (await owner.delete(f"{repo}/branches/main/protection")).status == 204
    assert (await owner.get(f"{repo}/branches/main/protection")).body["message"] == "Branch not protected"
    assert (await owner.put(f"{pull}/merge")).status == 200


async def test_required_reviews_are_counted(github: GitHub) -> None:
    repo, owner, writer = await github.repo(), github.user("owner"), github.user("writer")
    await github.file(repo, "a", "1", "topic")
    pull = await github.pull(repo, "topic")
    rules = _RULES | {"required_pull_request_reviews": {"required_approving_review_count": 1}}
    (await owner.put(f"{repo}/branches/main/protection", rules)).ok()
    assert (await owner.put(f"{pull}/merge")).status == 405
    asked = await owner.post(f"{pull}/requested_reviewers", {"reviewers": ["writer"], "team_reviewers": ["readers"]})
    assert [row["login"] for row in asked.ok(201)["requested_reviewers"]] == ["writer"]
    (await owner.get(f"{pull}/requested_reviewers")).ok()
    (await owner.delete(f"{pull}/requested_reviewers", {"reviewers": [], "team_reviewers": ["readers"]})).ok()
    assert (await owner.post(f"{pull}/reviews", {"event": "APPROVE"})).status == 422
    (await github.user("reader").post(f"{pull}/reviews", {"event": "APPROVE"})).ok()  # has no write access
    assert (await owner.put(f"{pull}/merge")).status == 405
    review = (await writer.post(f"{pull}/reviews", {"event": "APPROVE", "body": "fine"})).ok()
    assert [row["state"] for row in (await owner.get(f"{pull}/reviews")).ok()] == ["APPROVED", "APPROVED"]
    (await owner.get(f"{pull}/reviews/{review['id']}")).ok()
    (await owner.put(f"{pull}/merge")).ok()


async def test_a_branch_is_brought_up_to_date(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    head = await github.file(repo, "a", "1", "topic")
    pull = await github.pull(repo, "topic")
    assert (await owner.put(f"{pull}/update-branch", {"expected_head_sha": head})).status == 422
    await github.file(repo, "b", "1")
    (await owner.put(f"{pull}/update-branch", {"expected_head_sha": head})).ok(202)
    seen = (await owner.get(pull)).ok()
    assert seen["head"]["sha"] != head
    assert seen["changed_files"] == 1
    assert (await owner.post(f"{repo}/merges", {"base": "main", "head": "topic"})).status == 201
    assert (await owner.post(f"{repo}/merges", {"base": "main", "head": "topic"})).status == 204
    assert (await owner.get(pull)).ok()["merged"] is True


async def test_a_merge_may_delete_its_branch_and_a_method_may_be_forbidden(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "topic")
    pull = await github.pull(repo, "topic")
    (await owner.patch(repo, {"delete_branch_on_merge": True, "allow_rebase_merge": False})).ok()
    assert (await owner.put(f"{pull}/merge", {"merge_method": "rebase"})).status == 405
    assert (await owner.put(f"{pull}/merge", {"merge_method": "octopus"})).status == 422
    (await owner.put(f"{pull}/merge")).ok()
    assert [row["name"] for row in (await owner.get(f"{repo}/branches")).ok()] == ["main"]
    assert (await github.events())[-5:] == ["push", "check_suite.requested", "delete", "push", "pull_request.closed"]
