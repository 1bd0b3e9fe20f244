"""The port, call by call: what is asked, and what GitHub's answers come to."""

from datetime import UTC, datetime

import pytest

from bot.contracts import NotMergeable
from bot.core.facts import Permission
from bot.github.client import Refused

REPO = "/repos/acme/shop"
HEAD = "a" * 40


def comment(number, **changes):
    base = {
        "id": number,
        "issue_url": "https://api.github.com/repos/acme/shop/issues/5",
        "html_url": f"https://github.com/acme/shop/pull/5#issuecomment-{number}",
        "user": {"login": "maintainer", "type": "User"},
        "body": "/promote uat",
        "created_at": "2026-11-20T09:00:00Z",
    }
    return base | changes


async def test_recent_pulls_of_a_small_repository_are_one_call(repository, github, pull):
    github.on(f"GET {REPO}/pulls", [pull(2, state="closed"), pull(3), pull(1)])
    assert [one.number for one in await repository.recent_pulls()] == [3, 2, 1]
    (request,) = github.requests
    assert request.query == {"state": "all", "sort": "updated", "direction": "desc", "per_page": "50"}


async def test_an_open_pull_request_that_nobody_touched_for_long_is_found_too(repository, github, pull):
    github.on(f"GET {REPO}/pulls", [pull(number, state="closed") for number in range(10, 60)], etag='"1"')
    github.on(f"GET {REPO}/pulls", [pull(3), pull(59)])
    assert [one.number for one in await repository.recent_pulls() if one.open] == [59, 3]
    assert [request.query["state"] for request in github.requests] == ["all", "open"]


async def test_pulls_from_a_branch_leave_forks_out(repository, github, pull):
    fork = {"ref": "promotion/test", "sha": HEAD, "repo": {"id": 2, "full_name": "acme/shop-fork"}}
    github.on(f"GET {REPO}/pulls", [pull(1), pull(2, head=fork), pull(3)])
    assert [one.number for one in await repository.pulls_from("promotion/test", 3)] == [3, 1]
    assert github.requests[0].query == {
        "state": "all",
        "head": "acme:promotion/test",
        "sort": "created",
        "direction": "desc",
        "per_page": "3",
    }


async def test_a_pull_request_is_opened(repository, github, pull):
    github.on(f"POST {REPO}/pulls", pull(), status=201)
    opened = await repository.create_pull("promotion/test", "main", "x" * 300, "y" * 70_000)
    assert opened.number == 1
    body = github.requests[0].body
    assert (body["head"], body["base"]) == ("promotion/test", "main")
    assert (len(body["title"]), len(body["body"])) == (256, 65_536)


ALREADY = {
    "message": "Validation Failed",
    "errors": [
        {
            "resource": "PullRequest",
            "code": "custom",
            "message": "A pull request already exists for acme:promotion/test.",
        }
    ],
}


async def test_one_that_is_open_already_is_given_the_text(repository, github, pull):
    github.on(f"POST {REPO}/pulls", ALREADY, status=422)
    github.on(f"GET {REPO}/pulls", [pull(4)])
    github.on(f"PATCH {REPO}/pulls/4", pull(4, title="new"))
    assert (await repository.create_pull("promotion/test", "main", "new", "text")).title == "new"
    assert github.requests[1].query["head"] == "acme:promotion/test"
    assert github.requests[1].query["base"] == "main"
    assert github.requests[2].body == {"title": "new", "body": "text"}


async def test_one_that_has_the_text_already_is_left_alone(repository, github, pull):
    github.on(f"POST {REPO}/pulls", ALREADY, status=422)
    github.on(f"GET {REPO}/pulls", [pull(4)])
    assert (await repository.create_pull("promotion/test", "main", "Promote test", "text")).number == 4
    assert len(github.requests) == 2


@pytest.mark.parametrize(
    "body", [ALREADY, {"message": "Validation Failed", "errors": [{"message": "No commits between main and x"}]}]
)
async def test_any_other_refusal_to_open_one_is_told(repository, github, body):
    github.on(f"POST {REPO}/pulls", body, status=422)
    github.on(f"GET {REPO}/pulls", [])
    with pytest.raises(Refused, match="422"):
        await repository.create_pull("promotion/test", "main", "t", "b")


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"title": "t"}, {"title": "t"}),
        ({"body": "b", "open": False}, {"body": "b", "state": "closed"}),
        ({"open": True}, {"state": "open"}),
    ],
)
async def test_only_what_changes_is_sent(repository, github, pull, changes, body):
    github.on(f"PATCH {REPO}/pulls/1", pull())
    await repository.update_pull(1, **changes)
    assert github.requests[0].body == body


async def test_exactly_the_head_we_judged_is_merged(repository, github):
    github.on(f"PUT {REPO}/pulls/1/merge", {"sha": "d" * 40, "merged": True, "message": "ok"})
    assert await repository.merge_pull(1, HEAD, "squash") == "d" * 40
    assert github.requests[0].body == {"sha": HEAD, "merge_method": "squash"}


async def test_merging_again_gives_the_merge_commit(repository, github, pull):
    github.on(f"PUT {REPO}/pulls/1/merge", {"message": "Pull Request is not mergeable"}, status=405)
    github.on(f"GET {REPO}/pulls/1", pull(state="closed", merged_at="2026-11-20T10:00:00Z"))
    assert await repository.merge_pull(1, HEAD, "merge") == "c" * 40
    with pytest.raises(NotMergeable):
        await repository.merge_pull(1, "e" * 40, "merge")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(405, "Required status check is expected."), (409, "Head branch was modified. Review and try the merge again.")],
)
async def test_a_merge_that_is_refused_says_why(repository, github, pull, status, reason):
    github.on(f"PUT {REPO}/pulls/1/merge", {"message": reason}, status=status)
    github.on(f"GET {REPO}/pulls/1", pull())
    with pytest.raises(NotMergeable, match=reason):
        await repository.merge_pull(1, HEAD, "merge")


async def test_labels_come_and_go(repository, github):
    github.on(f"POST {REPO}/issues/1/labels", [])
    github.on(f"DELETE {REPO}/issues/1/labels/promotion/awaiting-merge", [])
    await repository.add_labels(1, ["promotion", "stage/test"])
    await repository.add_labels(1, [])
    await repository.remove_label(1, "promotion/awaiting-merge")
    await repository.remove_label(1, "not there")
    assert [request.body for request in github.requests] == [{"labels": ["promotion", "stage/test"]}, None, None]


async def test_comments_are_read_and_written(repository, github):
    github.on(f"GET {REPO}/issues/5/comments", [comment(2), comment(1)])
    github.on(f"GET {REPO}/issues/comments", [comment(4), comment(3)])
    github.on(f"GET {REPO}/issues/comments/1", comment(1))
    github.on(f"POST {REPO}/issues/5/comments", comment(6, body="hi"), status=201)
    github.on(f"PATCH {REPO}/issues/comments/6", comment(6))
    since = datetime(2026, 11, 20, 9, 0, 0, 999, tzinfo=UTC)
    assert [one.id for one in await repository.comments(5)] == [1, 2]
    assert [one.id for one in await repository.comments(5, since)] == [1, 2]
    assert [one.id for one in await repository.recent_comments(since)] == [3, 4]
    assert (await repository.comment(1)).author == "maintainer"
    assert await repository.comment(404) is None
    assert (await repository.create_comment(5, "hi" * 40_000)).id == 6
    await repository.update_comment(6, "ho")
    assert [request.query.get("since") for request in github.requests[:3]] == [
        None,
        "2026-11-20T09:00:00Z",
        "2026-11-20T09:00:00Z",
    ]
    assert len(github.requests[5].body["body"]) == 65_536
    assert github.requests[6].body == {"body": "ho"}


async def test_only_our_own_reactions_are_ours(repository, github):
    path = f"{REPO}/issues/comments/1/reactions"
    theirs = {"user": {"login": "maintainer"}, "content": "eyes"}
    ours = {"user": {"login": "towpath[bot]"}, "content": "+1"}
    github.on(f"GET {path}", [theirs, ours, {"user": None, "content": "heart"}])
    github.on(f"POST {path}", ours)
    assert await repository.own_reactions(1) == {"+1"}
    await repository.react(1, "eyes")
    assert github.requests[-1].body == {"content": "eyes"}


async def test_permissions_and_teams_are_asked_each_time(repository, github):
    path = f"{REPO}/collaborators/maintainer/permission"
    github.on(f"GET {path}", {"permission": "write", "role_name": "maintain"})
    github.on(f"GET {path}", {"permission": "none", "role_name": "none"})
    github.on("GET /orgs/acme/teams/sre/memberships/maintainer", {"state": "active"})
    github.on("GET /orgs/acme/teams/sre/memberships/invited", {"state": "pending"})
    assert await repository.permission("maintainer") is Permission.MAINTAIN
    assert await repository.permission("maintainer") is Permission.NONE
    assert await repository.permission("nobody") is Permission.NONE
    assert await repository.is_team_member("acme", "sre", "maintainer")
    assert not await repository.is_team_member("acme", "sre", "invited")
    assert not await repository.is_team_member("acme", "sre", "nobody")


@pytest.mark.parametrize(
    "call",
    [
        lambda port: port.comment(1),
        lambda port: port.permission("x"),
        lambda port: port.remove_label(1, "x"),
        lambda port: port.is_team_member("acme", "sre", "x"),
    ],
)
async def test_a_missing_permission_is_never_taken_for_an_answer(repository, github, call):
    for operation in (
        f"GET {REPO}/issues/comments/1",
        f"GET {REPO}/collaborators/x/permission",
        f"DELETE {REPO}/issues/1/labels/x",
        "GET /orgs/acme/teams/sre/memberships/x",
    ):
        github.on(operation, {"message": "Resource not accessible by integration"}, status=403)
    with pytest.raises(Refused, match="not accessible"):
        await call(repository)
