"""Merge requests read and merged: each of the project's ways, and all that stands against it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.contracts import HttpAnswer, NotMergeable
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.sandbox.git import reading
from bot.sandbox.gitlab import Role
from bot.sandbox.gitlab.model import State
from tests.gitlab.conftest import SOURCE, Lab


async def opened(lab: Lab) -> CommitSha:
    """One merge request, and its head."""
    return (await lab.forge().open_pull(lab.new())).head_sha


async def main(lab: Lab) -> reading.Commit:
    """The newest commit of the default branch."""
    return (await reading.log(lab.project.git, "refs/heads/main", limit=1))[0]


@pytest.mark.parametrize(
    ("way", "method", "parents", "same"),
    [
        ("merge", "", 2, False),
        ("merge", "merge", 2, False),
        ("merge", "squash", 2, False),
        ("rebase_merge", "", 2, False),
        ("ff", "", 1, True),
        ("ff", "merge", 1, True),
        ("ff", "squash", 1, False),
    ],
)
async def test_it_is_merged_in_the_projects_way(lab: Lab, way: str, method: str, parents: int, same: bool) -> None:
    lab.project.merge_method = way
    await lab.push("a: 2\n")
    head = await opened(lab)

    landed = await lab.forge().merge_pull(1, head, method)

    tip = await main(lab)
    assert (tip.sha, len(tip.parents), landed == head) == (landed, parents, same)
    squashed = lab.request().squash_commit_sha
    assert (squashed is not None) is (method == "squash")
    shown = await lab.forge().pull(1)
    assert (shown.open, shown.merged, shown.merge_sha, shown.head_sha) == (False, True, landed, head)


async def test_merging_again_gives_what_it_landed_as(lab: Lab) -> None:
    lab.project.remove_source_branch_after_merge = True
    head = await opened(lab)
    landed = await lab.forge().merge_pull(1, head, "squash")

    assert await lab.forge().merge_pull(1, head, "squash") == landed
    assert await lab.forge().merge_pull(1, head, "") == landed
    assert len([one for one in lab.writes if one.endswith("/merge")]) == 1


async def test_what_somebody_else_merged_counts_the_same(lab: Lab) -> None:
    head = await opened(lab)
    merged = await lab.sandbox.world.merge_as("writer", lab.project, 1)

    assert await lab.forge().merge_pull(1, head, "") == merged.merge_commit_sha


async def test_only_the_head_that_was_looked_at_is_merged(lab: Lab) -> None:
    head = await opened(lab)
    newer = await lab.push("a: 3\n")

    with pytest.raises(NotMergeable, match=f"!1 is at {newer[:8]} now, not at {head[:8]}"):
        await lab.forge().merge_pull(1, head, "")
    await lab.sandbox.world.merge_as("writer", lab.project, 1)
    with pytest.raises(NotMergeable, match=newer[:8]):
        await lab.forge().merge_pull(1, head, "")
    assert await lab.forge().merge_pull(1, newer, "") == lab.request().merge_commit_sha


@pytest.mark.parametrize("trains", [False, True])
async def test_a_push_between_the_look_and_the_merge_is_not_merged(lab: Lab, trains: bool) -> None:
    lab.project.merge_trains_enabled = trains
    head = await opened(lab)
    before = await main(lab)

    class Overtaken:
        """HTTP whose writing comes after somebody's push."""

        async def request(self, method: str, url: str, **more: Any) -> HttpAnswer:
            if method != "GET":
                await lab.push("a: 3\n")
            return await lab.http.request(method, url, **more)

    with pytest.raises(NotMergeable, match=f"now, not at {head[:8]}"):
        await lab.forge(http=Overtaken()).merge_pull(1, head, "")
    assert lab.writes[-1].endswith("/merge_trains/merge_requests/1" if trains else "/merge")
    assert (await main(lab)).sha == before.sha
    assert not lab.request().car


@pytest.mark.parametrize(
    ("obstacle", "said"),
    [
        ("not_approved", "it is not approved"),
        ("discussions_not_resolved", "not all of its threads are resolved"),
        ("requested_changes", "a reviewer has requested changes"),
        ("security_policy_violations", "a security policy is violated"),
        ("something_new", "GitLab says: something new"),
    ],
)
async def test_what_stands_against_it_is_told_in_words(lab: Lab, obstacle: str, said: str) -> None:
    head = await opened(lab)
    lab.request().obstacle = obstacle

    assert (await lab.forge().pull(1)).hindrance == said
    with pytest.raises(NotMergeable, match=f"!1 can't be merged: {said}"):
        await lab.forge().merge_pull(1, head, "")


async def test_a_draft_is_not_merged(lab: Lab) -> None:
    head = (await lab.forge().open_pull(lab.new(draft=True))).head_sha

    with pytest.raises(NotMergeable, match="it is a draft"):
        await lab.forge().merge_pull(1, head, "")


async def test_a_conflict_is_told(lab: Lab) -> None:
    head = await opened(lab)
    await lab.push("a: other\n", branch="main")

    assert (await lab.forge().pull(1)).hindrance == "it has a conflict with its target branch"
    with pytest.raises(NotMergeable, match="it has a conflict"):
        await lab.forge().merge_pull(1, head, "")


async def test_where_history_is_linear_a_branch_left_behind_is_told(lab: Lab) -> None:
    lab.project.merge_method = "ff"
    head = await opened(lab)
    await lab.push("x\n", branch="main", path="other.txt")

    with pytest.raises(NotMergeable, match="it must be rebased"):
        await lab.forge().merge_pull(1, head, "")


async def test_the_pipeline_is_waited_for_and_gitlab_is_not_asked_to_merge_later(lab: Lab) -> None:
    lab.project.only_allow_merge_if_pipeline_succeeds = True
    head = await opened(lab)
    with pytest.raises(NotMergeable, match="its pipeline must succeed first"):
        await lab.forge().merge_pull(1, head, "")

    lab.project.pipelines[head] = "running"
    with pytest.raises(NotMergeable, match="its pipeline is still running"):
        await lab.forge().merge_pull(1, head, "")

    lab.project.pipelines[head] = "success"
    assert lab.request().state is State.OPENED
    assert await lab.forge().merge_pull(1, head, "") == (await main(lab)).sha


async def test_while_gitlab_is_checking_nothing_is_known(lab: Lab) -> None:
    head = await opened(lab)
    lab.request().checks = 3  # how often it says so

    assert (await lab.forge().pull(1)).hindrance == ""
    with pytest.raises(NotMergeable, match="GitLab says 405 Method Not Allowed"):
        await lab.forge().merge_pull(1, head, "")
    assert await lab.forge().merge_pull(1, head, "")


async def test_a_closed_one_is_not_merged(lab: Lab) -> None:
    head = await opened(lab)
    await lab.sandbox.world.close(lab.project, 1)

    assert not (await lab.forge().pull(1)).open
    with pytest.raises(NotMergeable, match="!1 is closed"):
        await lab.forge().merge_pull(1, head, "")


async def test_one_that_gitlab_is_merging_is_on_its_way(lab: Lab) -> None:
    head = await opened(lab)
    lab.request().state = State.LOCKED

    assert (await lab.forge().pull(1)).open
    assert await lab.forge().merge_pull(1, head, "") is None


async def test_a_merge_train_is_joined_once_and_its_arrival_is_seen(lab: Lab) -> None:
    lab.project.merge_trains_enabled = True
    head = await opened(lab)

    assert await lab.forge().merge_pull(1, head, "squash") is None
    assert await lab.forge().merge_pull(1, head, "squash") is None
    assert len([one for one in lab.writes if "merge_trains" in one]) == 1
    assert not [one for one in lab.writes if one.endswith("/merge")]

    await lab.sandbox.world.arrive(lab.project)
    assert lab.request().squash_commit_sha
    assert await lab.forge().merge_pull(1, head, "squash") == (await main(lab)).sha


async def test_a_train_takes_none_that_can_not_be_merged(lab: Lab) -> None:
    lab.project.merge_trains_enabled = True
    head = await opened(lab)
    lab.request().obstacle = "not_approved"

    with pytest.raises(NotMergeable, match="it is not approved"):
        await lab.forge().merge_pull(1, head, "")


async def test_a_push_takes_it_off_the_train(lab: Lab) -> None:
    lab.project.merge_trains_enabled = True
    head = await opened(lab)
    await lab.forge().merge_pull(1, head, "")
    newer = await lab.push("a: 3\n")

    with pytest.raises(NotMergeable):
        await lab.forge().merge_pull(1, head, "")
    assert await lab.sandbox.world.arrive(lab.project) == 0
    assert await lab.forge().merge_pull(1, newer, "") is None


@pytest.mark.parametrize("method", ["rebase", "fast-forward"])
async def test_a_way_that_gitlab_has_not_is_refused_with_those_it_has(lab: Lab, method: str) -> None:
    with pytest.raises(UserError, match=f"{method}.*choose squash, or merge"):
        await lab.forge().merge_pull(1, CommitSha("a" * 40), method)
    assert lab.sandbox.faults.calls == []


async def test_where_squashing_is_off_it_is_refused(lab: Lab) -> None:
    lab.project.squash_option = "never"
    head = await opened(lab)

    with pytest.raises(UserError, match="does not allow to squash"):
        await lab.forge().merge_pull(1, head, "squash")


async def test_who_may_not_merge_is_told_which_role_is_wanted(lab: Lab) -> None:
    head = await opened(lab)
    writer = lab.sandbox.world.token("writer")

    with pytest.raises(UserError, match=r"may not merge !1 .* Maintainer"):
        await lab.forge(writer).merge_pull(1, head, "")
    lab.project.merge_role = Role.DEVELOPER
    assert await lab.forge(writer).merge_pull(1, head, "")


async def test_a_number_nobody_has_is_named(lab: Lab) -> None:
    for asked in (lab.forge().pull(5), lab.forge().merge_pull(5, CommitSha("a" * 40), "")):
        with pytest.raises(UserError, match="acme/apps/shop has no merge request !5"):
            await asked


async def test_a_branch_that_is_gone_is_told(lab: Lab) -> None:
    head = await opened(lab)
    await lab.project.git.run("update-ref", "-d", f"refs/heads/{SOURCE}")

    with pytest.raises(NotMergeable, match="its branch is gone"):
        await lab.forge().merge_pull(1, head, "")
