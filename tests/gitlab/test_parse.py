"""GitLab's JSON, as it is documented, as older servers write it, and as nobody should."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Broken
from bot.gitlab import parse
from bot.gitlab.hindrances import hindrance

HEAD, LANDED, SQUASHED = "a" * 40, "b" * 40, "c" * 40


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "id": 900,
        "iid": 7,
        "title": "Promote",
        "state": "opened",
        "source_branch": "promotion/test",
        "target_branch": "main",
        "source_project_id": 3,
        "target_project_id": 3,
        "sha": HEAD,
        "web_url": "https://gitlab.example.com/acme/shop/-/merge_requests/7",
        **changes,
    }


def test_the_number_is_the_projects_own() -> None:
    assert parse.read(parse.merge_request, answer()).pull.number == 7


@pytest.mark.parametrize(
    ("state", "is_open", "merged", "merging"),
    [
        ("opened", True, False, False),
        ("locked", True, False, True),
        ("closed", False, False, False),
        ("merged", False, True, False),
    ],
)
def test_states(state: str, is_open: bool, merged: bool, merging: bool) -> None:
    found = parse.read(parse.merge_request, answer(state=state))

    assert (found.pull.open, found.pull.merged, found.merging) == (is_open, merged, merging)


@pytest.mark.parametrize(
    ("commits", "landed"),
    [
        ({"merge_commit_sha": LANDED}, LANDED),
        ({"merge_commit_sha": LANDED, "squash_commit_sha": SQUASHED}, LANDED),
        ({"merge_commit_sha": None, "squash_commit_sha": SQUASHED}, SQUASHED),
        ({"merge_commit_sha": None, "squash_commit_sha": None}, HEAD),  # fast-forward
    ],
)
def test_what_it_landed_as(commits: dict[str, Any], landed: str) -> None:
    assert parse.read(parse.merge_request, answer(state="merged", **commits)).pull.merge_sha == landed
    assert parse.read(parse.merge_request, answer(**commits)).pull.merge_sha is None


@pytest.mark.parametrize(("fork", "branch"), [(9, "9:promotion/test"), (None, "ghost:promotion/test")])
def test_a_branch_of_a_fork_is_none_of_ours(fork: int | None, branch: str) -> None:
    found = parse.read(parse.merge_request, answer(source_project_id=fork))

    assert not found.own
    assert found.pull.head_branch == branch


@pytest.mark.parametrize(
    ("more", "draft", "title"),
    [
        ({"title": "Draft: x", "draft": True, "work_in_progress": True}, True, "x"),
        ({"title": "Draft: x", "work_in_progress": True}, True, "x"),
        ({"title": "x", "draft": False}, False, "x"),
    ],
)
def test_drafts(more: dict[str, Any], draft: bool, title: str) -> None:
    found = parse.read(parse.merge_request, answer(**more)).pull

    assert (found.draft, found.title) == (draft, title)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"detailed_merge_status": "mergeable"}, ""),
        ({"detailed_merge_status": "checking"}, ""),
        ({"detailed_merge_status": "unchecked"}, ""),
        ({"detailed_merge_status": "preparing"}, ""),
        ({"detailed_merge_status": "approvals_syncing"}, ""),
        ({"detailed_merge_status": "conflict"}, "it has a conflict with its target branch"),
        ({"detailed_merge_status": "draft_status"}, "it is a draft"),
        ({"detailed_merge_status": "ci_must_pass"}, "its pipeline must succeed first"),
        ({"detailed_merge_status": "ci_still_running"}, "its pipeline is still running"),
        ({"detailed_merge_status": "not_approved"}, "it is not approved"),
        ({"detailed_merge_status": "need_rebase"}, "it must be rebased on its target branch"),
        ({"detailed_merge_status": "requested_changes"}, "a reviewer has requested changes"),
        ({"detailed_merge_status": "discussions_not_resolved"}, "not all of its threads are resolved"),
        ({"detailed_merge_status": "moon_phase"}, "GitLab says: moon phase"),
        ({"detailed_merge_status": "@all\n[x](javascript:1)"}, "GitLab says: all x javascript 1"),
        ({"detailed_merge_status": "x" * 999}, f"GitLab says: {'x' * 80}"),
        ({"has_conflicts": True}, "it has a conflict with its target branch"),
        ({"work_in_progress": True}, "it is a draft"),
        ({}, ""),
    ],
)
def test_what_stands_against_merging(data: dict[str, Any], expected: str) -> None:
    assert hindrance(data) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"sha": "--upload-pack=x"},
        {"sha": HEAD[:7]},
        {"state": "merged", "merge_commit_sha": f"{HEAD}\n"},
        {"web_url": "javascript:alert(1)"},
        {"web_url": "https://example.com/x) [y](https://example.org"},
    ],
)
def test_what_goes_on_to_git_and_markdown_is_looked_at(changes: dict[str, str]) -> None:
    with pytest.raises(Broken):
        parse.read(parse.merge_request, answer(**changes))


def test_what_is_no_merge_request_is_our_trouble() -> None:
    with pytest.raises(Broken, match="no merge request as documented"):
        parse.read(parse.merge_request, {"message": "hello"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*answer(), "labels"]), inner),
    max_leaves=6,
)


@given(JSON | st.builds(lambda changes: answer(**changes), st.dictionaries(st.sampled_from([*answer()]), JSON)))
def test_any_json_is_read_or_refused(data: Any) -> None:
    for each in (parse.merge_request, parse.project, parse.users, parse.carriage):
        try:
            parse.read(each, data)
        except Broken:
            continue
