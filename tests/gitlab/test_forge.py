"""Merge requests opened and brought up to date, on a GitLab that remembers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.contracts import HttpAnswer
from bot.errors import UserError
from bot.sandbox.gitlab import Role
from tests.gitlab.conftest import PATH, SOURCE, Lab

REQUESTS = "/projects/1/merge_requests"


async def test_a_merge_request_is_opened_once_and_then_given_the_text(lab: Lab) -> None:
    head = await lab.push("a: 2\n")
    opened = await lab.forge().open_pull(lab.new(labels=["promotion", "stage/test"]))

    assert (opened.number, opened.open, opened.merged, opened.draft) == (1, True, False, False)
    assert (opened.head_branch, opened.base_branch, opened.head_sha) == (SOURCE, "main", head)
    assert opened.url == f"{lab.sandbox.url}/{PATH}/-/merge_requests/1"

    again = await lab.forge().open_pull(lab.new(title="Promote test again", body="1.1.0", labels=["stage/test", "new"]))
    assert (again.number, again.title) == (1, "Promote test again")
    assert lab.request().description == "1.1.0"
    assert lab.request().labels == ["promotion", "stage/test", "new"]
    assert lab.writes == [f"POST {REQUESTS}", f"PUT {REQUESTS}/1"]


async def test_what_is_as_it_should_be_is_not_written_again(lab: Lab) -> None:
    new = lab.new(labels=["promotion"], assignees=["@Writer"], reviewers=["writer"], body="a\r\n/close\n\n", draft=True)
    first = await lab.forge().open_pull(new)

    assert await lab.forge().open_pull(new) == first
    assert lab.writes == [f"POST {REQUESTS}"]


async def test_a_draft_stays_the_draft_it_is_or_is_not(lab: Lab) -> None:
    opened = await lab.forge().open_pull(lab.new(draft=True))
    assert (opened.draft, opened.title, opened.hindrance) == (True, "Promote test", "it is a draft")
    assert lab.request().title == "Draft: Promote test"

    still = await lab.forge().open_pull(lab.new(title="Promote"))
    assert (still.draft, lab.request().title) == (True, "Draft: Promote")

    lab.request().title = "Promote"  # somebody says that it is ready
    ready = await lab.forge().open_pull(lab.new(title="Draft: Promote 2", draft=True))
    assert (ready.draft, ready.title, lab.request().title) == (False, "Promote 2", "Promote 2")


async def test_a_closed_one_is_followed_by_a_new_one(lab: Lab) -> None:
    await lab.forge().open_pull(lab.new())
    await lab.sandbox.world.close(lab.project, 1)

    assert (await lab.forge().open_pull(lab.new())).number == 2


async def test_one_of_a_fork_with_the_same_branch_is_left_alone(lab: Lab) -> None:
    world, lab.project.public = lab.sandbox.world, True
    fork = await world.fork(lab.project, "stranger/shop", "stranger")
    await world.commit(fork, SOURCE, {"a.yaml": "a: 0\n"})
    strange = {"title": "x", "source_branch": SOURCE, "target_branch": "main", "target_project_id": lab.project.id}
    made = await lab.http.request(
        "POST",
        f"{lab.sandbox.url}/api/v4/projects/{fork.id}/merge_requests",
        headers=[("PRIVATE-TOKEN", world.token("stranger")), ("Content-Type", "application/json")],
        body=json.dumps(strange).encode(),
    )
    assert made.status == 201
    opened = await lab.forge().open_pull(lab.new())
    assert opened.number == 2
    lab.project.requests += [replace(lab.request(1), iid=number) for number in range(3, 26)]  # more than one page

    assert (await lab.forge().open_pull(lab.new())).number == 2
    assert (await lab.forge().pull(1)).head_branch == f"{fork.id}:{SOURCE}"
    assert lab.request(1).title == "x"


async def test_somebody_who_was_quicker_is_found(lab: Lab) -> None:
    """Between our look and our writing another opens one; GitLab then answers 409."""

    class Overtaken:
        """HTTP whose POST comes second."""

        async def request(self, method: str, url: str, **more: Any) -> HttpAnswer:
            if method == "POST":
                await lab.forge().open_pull(lab.new(title="Sooner"))
            return await lab.http.request(method, url, **more)

    found = await lab.forge(http=Overtaken()).open_pull(lab.new(title="Later"))

    assert (found.number, found.title) == (1, "Later")
    assert lab.writes == [f"POST {REQUESTS}", f"POST {REQUESTS}", f"PUT {REQUESTS}/1"]


async def test_people_are_added_to_those_who_are_there(lab: Lab) -> None:
    lab.project.several_people = True
    world = lab.sandbox.world
    lab.project.members["owner"] = Role.OWNER
    await lab.forge().open_pull(lab.new(assignees=["writer"]))
    lab.request().assignees.append(world.user("owner"))

    await lab.forge().open_pull(lab.new(assignees=["reporter", "writer"], reviewers=["@owner"]))

    assert [one.username for one in lab.request().assignees] == ["writer", "owner", "reporter"]
    assert [one.username for one in lab.request().reviewers] == ["owner"]


async def test_on_the_free_tier_whom_people_have_put_there_stays(lab: Lab) -> None:
    await lab.forge().open_pull(lab.new(assignees=["writer"]))
    lab.request().assignees = [lab.sandbox.world.user("reporter")]

    await lab.forge().open_pull(lab.new(assignees=["writer"]))

    assert [one.username for one in lab.request().assignees] == ["reporter"]


@pytest.mark.parametrize(
    ("field", "names", "said"),
    [
        ("assignees", ["nobody-at-all"], "has no user 'nobody-at-all'"),
        ("reviewers", ["@writer", "@missing"], "has no user 'missing'"),
        ("reviewers", ["@acme/sre"], "'acme/sre' is no login"),
        ("assignees", ["stranger"], "stranger did not become assignee of !1"),
        ("reviewers", ["writer", "reporter"], "reporter did not become reviewer of !1"),  # one, on the Free tier
        ("labels", ["a,b"], "'a,b' can't be a label"),
    ],
)
async def test_names_that_gitlab_can_do_nothing_with_are_named(
    lab: Lab, field: str, names: list[str], said: str
) -> None:
    lab.sandbox.world.user("stranger")

    with pytest.raises(UserError, match=said):
        await lab.forge().open_pull(lab.new(**{field: names}))


async def test_an_unknown_name_is_found_before_anything_is_proposed(lab: Lab) -> None:
    with pytest.raises(UserError):
        await lab.forge().open_pull(lab.new(assignees=["missing"]))

    assert lab.writes == []


async def test_no_text_gives_gitlab_an_order(lab: Lab) -> None:
    opened = await lab.forge().open_pull(lab.new(body="Changes:\n/close\n\r/draft\n"))

    assert (opened.open, opened.draft) == (True, False)
    assert "/close" in lab.request().description


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "missing"}, "would not open a merge request: source_branch does not exist"),
        ({"source": "main"}, "would not open a merge request: You can't use same project/branch"),
        ({"title": " "}, "would not open a merge request: title is empty"),
    ],
)
async def test_gitlabs_own_reason_is_told(lab: Lab, changes: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        await lab.forge().open_pull(lab.new(**changes))


async def test_long_texts_come_through_or_are_cut(lab: Lab) -> None:
    new = lab.new(title="x" * 400, body="y" * 900_000, draft=True)
    opened = await lab.forge().open_pull(new)

    assert (len(lab.request().title), len(lab.request().description)) == (255, 900_000)
    assert await lab.forge().open_pull(new) == opened
    assert len(lab.writes) == 1


async def test_a_project_that_has_moved_is_found_at_its_old_path(lab: Lab) -> None:
    lab.sandbox.world.move(lab.project, "acme/new/shop")

    opened = await lab.forge().open_pull(lab.new())

    assert opened.url == f"{lab.sandbox.url}/acme/new/shop/-/merge_requests/1"
    assert (await lab.forge().pull(1)).open


async def test_the_token_is_asked_for_by_the_projects_page(lab: Lab) -> None:
    await lab.forge(url=f"{lab.sandbox.url.replace('//', '//somebody:else@')}/{PATH}.git/").open_pull(lab.new())

    assert set(lab.asked) == {f"{lab.sandbox.url}/{PATH}"}
