"""From GitHub's JSON to facts, on GitHub's own examples and on what else has been seen."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.facts import CheckStatus, Conclusion, Permission
from bot.errors import Broken
from bot.github import parse


@pytest.fixture
def example(reference):
    return lambda name: reference["components"]["examples"][name]["value"]


def test_githubs_example_of_a_pull_request(example):
    pull = parse.read(parse.pull_request, example("pull-request"))
    assert (pull.number, pull.title, pull.author) == (1347, "Amazing new feature", "octocat")
    assert (pull.head_repository, pull.head_branch, pull.base_branch) == ("octocat/Hello-World", "new-topic", "master")
    assert pull.labels == {"bug"}
    assert (pull.open, pull.draft, pull.mergeable) == (True, False, True)
    assert pull.created_at == datetime(2011, 1, 26, 19, 1, 12, tzinfo=UTC)


def test_githubs_examples_in_lists(example):
    assert [one.number for one in map(parse.pull_request, example("pull-request-simple-items"))] == [1347]
    assert [one.id for one in map(parse.check_run, example("check-run-paginated")["check_runs"])] == [4]
    (comment,) = map(parse.comment, example("issue-comment-items"))
    assert (comment.id, comment.number, comment.author, comment.body) == (1, 1347, "octocat", "Me too")
    assert not comment.on_pull_request
    assert not comment.by_bot


def test_githubs_example_of_a_check_run(example):
    run = parse.read(parse.check_run, example("check-run"))
    assert (run.id, run.name, run.status, run.conclusion) == (4, "mighty_readme", CheckStatus.COMPLETED, "neutral")
    assert run.title == "Mighty Readme report"
    assert parse.annotations_count(example("check-run")) == 2


def test_githubs_example_of_a_permission(example):
    data = example("repository-collaborator-permission-response-if-user-has-admin-permissions")
    assert parse.read(parse.permission, data) is Permission.ADMIN


def test_a_merge_commit_counts_only_after_the_merge(pull):
    assert parse.pull_request(pull()).merge_sha is None, "before, it is a test merge"
    merged = parse.pull_request(
        pull(
            state="closed",
            merged_at="2026-11-20T10:00:00Z",
            closed_at="2026-11-20T10:00:00Z",
            merged_by={"login": "maintainer"},
        )
    )
    assert (merged.open, merged.merged, merged.merge_sha, merged.merged_by) == (False, True, "c" * 40, "maintainer")
    assert merged.closed_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_deleted_fork_and_a_deleted_account_leave_a_pull_request_behind(pull):
    data = pull(user=None, body=None, head={"ref": "x", "sha": "a" * 40, "repo": None})
    read = parse.read(parse.pull_request, data)
    assert (read.author, read.body, read.head_repository) == ("ghost", "", "")
    assert parse.read(parse.own_pull_request, data) is None


def test_a_pull_request_is_ours_by_number_not_by_name(pull):
    renamed = {"ref": "promotion/test", "sha": "a" * 40, "repo": {"id": 1, "full_name": "acme/renamed"}}
    fork = {"ref": "promotion/test", "sha": "a" * 40, "repo": {"id": 2, "full_name": "fork/shop"}}
    assert parse.own_pull_request(pull(head=renamed)) is not None
    assert parse.own_pull_request(pull(head=fork)) is None


def test_what_only_github_says_of_check_runs_is_read_as_the_nearest():
    data = {"id": 1, "name": "x", "head_sha": "a" * 40, "status": "waiting", "conclusion": "stale"}
    run = parse.read(parse.check_run, data)
    assert (run.status, run.conclusion) == (CheckStatus.QUEUED, Conclusion.NEUTRAL)


@pytest.mark.parametrize(
    ("answer", "permission"),
    [
        ({"permission": "write", "role_name": "maintain"}, Permission.MAINTAIN),
        ({"permission": "read", "role_name": "triage"}, Permission.TRIAGE),
        ({"permission": "none", "role_name": "none"}, Permission.NONE),
        ({"permission": "write"}, Permission.WRITE),
        ({"permission": "weird"}, Permission.NONE),
        (
            {
                "permission": "write",
                "role_name": "release-crew",
                "user": {"permissions": {"admin": False, "maintain": True, "push": True, "triage": True, "pull": True}},
            },
            Permission.MAINTAIN,
        ),
        ({"permission": "read", "role_name": "release-crew", "user": None}, Permission.READ),
    ],
)
def test_what_somebody_may_do(answer, permission):
    assert parse.read(parse.permission, answer) is permission


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("https://github.com/acme/shop/pull/7#issuecomment-1", True),
        ("https://github.com/acme/shop/issues/7#issuecomment-1", False),
        ("https://github.com/acme/pull/issues/7#issuecomment-1", False),
    ],
)
def test_where_a_comment_is(page, expected):
    data = {
        "id": 1,
        "issue_url": "https://api.github.com/repos/acme/shop/issues/7",
        "html_url": page,
        "user": {"login": "some[bot]", "type": "Bot"},
        "created_at": "2026-11-20T09:00:00Z",
        "reactions": {"url": "x", "total_count": 2, "+1": 2},
    }
    comment = parse.read(parse.comment, data)
    assert (comment.on_pull_request, comment.number, comment.by_bot) == (expected, 7, True)
    assert comment.reactions["+1"] == 2
    assert comment.reactions["eyes"] == 0


@pytest.mark.parametrize("name", ["shop", "acme/shop/x", "acme/", "../x y", "acme/shop\n"])
def test_no_strange_name_gets_into_a_route(name):
    with pytest.raises(ValueError, match="no repository's name"):
        parse.owner_and_repo(name)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = ("id", "number", "state", "head", "base", "user", "status", "output", "created_at", "issue_url", "permission")


@given(
    st.sampled_from(
        [parse.pull_request, parse.own_pull_request, parse.check_run, parse.comment, parse.permission, parse.membership]
    ),
    json | st.dictionaries(st.sampled_from(FIELDS), json),
)
def test_an_answer_is_read_or_said_to_be_none(function, answer):
    with contextlib.suppress(Broken):
        parse.read(function, answer)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ({"type": "file", "encoding": "base64", "content": "aGVs\nbG8=\n"}, b"hello"),
        ({"type": "file", "encoding": "none", "content": ""}, None),
        ({"type": "submodule"}, None),
        ([{"path": "a/b", "type": "dir"}, {"path": "a/c", "type": "file"}], (("a/b", True), ("a/c", False))),
        ([], ()),
    ],
)
def test_content_is_a_file_or_a_folder(answer, content):
    assert parse.content(answer) == content


def test_a_renamed_file_counts_under_both_names():
    assert parse.changed_file({"filename": "new"}) == ("new",)
    assert parse.changed_file({"filename": "new", "previous_filename": "old"}) == ("new", "old")
