"""Check runs and check suites."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.sandbox.driver import Client, GitHub

_DONE = {"status": "completed", "conclusion": "success"}


async def head(github: GitHub) -> tuple[str, str]:
    """A repository and the head of its branch `topic`."""
    repo = await github.repo()
    return repo, await github.file(repo, "a", "1", "topic")


async def run(client: Client, repo: str, sha: str, name: str = "promotion/test", **more: Any) -> Any:
    return (await client.post(f"{repo}/check-runs", {"name": name, "head_sha": sha, **more})).ok(201)


async def told(github: GitHub, *events: str) -> list[str]:
    return [row for row in await github.events() if row.startswith(events)]


async def test_a_run_is_queued_begun_and_completed(github: GitHub) -> None:
    repo, sha = await head(github)
    await github.pull(repo, "topic")
    bot = await github.bot()
    made = await run(bot, repo, sha, external_id="f123", details_url="http://127.0.0.1/x")
    assert (made["status"], made["conclusion"], made["completed_at"]) == ("queued", None, None)
    assert (made["app"]["slug"], made["external_id"]) == ("towpath", "f123")
    assert [row["number"] for row in made["pull_requests"]] == [1]
    path = f"{repo}/check-runs/{made['id']}"
    begun = (await bot.patch(path, {"status": "in_progress", "started_at": "2030-01-02T03:04:05Z"})).ok()
    assert (begun["status"], begun["started_at"]) == ("in_progress", "2030-01-02T03:04:05Z")
    done = (await bot.patch(path, {"conclusion": "failure"})).ok()  # the conclusion alone completes it
    assert (done["status"], done["conclusion"], done["external_id"]) == ("completed", "failure", "f123")
    assert done["completed_at"] is not None
    again = (await bot.patch(path, {"status": "in_progress"})).ok()
    assert (again["status"], again["conclusion"], again["completed_at"]) == ("in_progress", None, None)
    (await bot.patch(path, {"conclusion": "success", "completed_at": "2030-01-02T03:04:05Z"})).ok()
    assert (await bot.get(path)).ok()["completed_at"] == "2030-01-02T03:04:05Z"
    assert await told(github, "check_run") == ["check_run.created", "check_run.completed", "check_run.completed"]


async def test_output_is_kept_where_it_is_not_changed_and_annotations_are_added(github: GitHub) -> None:
    repo, sha = await head(github)
    bot = await github.bot()
    remark = {"path": "a b", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no"}
    output = {"title": "t", "summary": "s", "text": "long", "annotations": [remark] * 50}
    made = await run(bot, repo, sha, output=output)
    path = f"{repo}/check-runs/{made['id']}"
    more = {"title": "t", "summary": "other", "annotations": [remark | {"start_column": 1, "end_column": 2}]}
    seen = (await bot.patch(path, {"output": more})).ok()["output"]
    assert (seen["title"], seen["summary"], seen["text"], seen["annotations_count"]) == ("t", "other", "long", 51)
    page = (await bot.get(f"{path}/annotations?per_page=50&page=2")).ok()
    assert [(row["path"], row["start_column"]) for row in page] == [("a b", 1)]
    assert "/contents/a%20b?" in page[0]["blob_href"]


_REMARK = {"path": "a", "start_line": 1, "end_line": 2, "annotation_level": "notice", "message": "m"}
_BUTTON = {"label": "x" * 20, "description": "x" * 40, "identifier": "x" * 20}


@pytest.mark.parametrize(
    "more",
    [
        {"head_sha": "0" * 40},
        {"head_sha": "main"},
        {"status": "completed"},
        {"completed_at": "2030-01-02T03:04:05Z"},
        {"completed_at": "soon", "conclusion": "success"},
        {"status": "waiting"},
        {"conclusion": "stale"},
        {"conclusion": "splendid"},
        {"output": {"title": "t"}},
        {"output": {"summary": "s"}},
        {"output": {"title": "t", "summary": "é" * 32_768}},
        {"output": {"title": "t", "summary": "s", "text": "x" * 65_536}},
        {"output": {"title": "t", "summary": "s", "annotations": [_REMARK] * 51}},
        {"output": {"title": "t", "summary": "s", "annotations": [_REMARK | {"annotation_level": "bad"}]}},
        {"output": {"title": "t", "summary": "s", "annotations": [_REMARK | {"end_line": 0}]}},
        {"output": {"title": "t", "summary": "s", "annotations": [_REMARK | {"start_column": 1}]}},
        {"output": {"title": "t", "summary": "s", "annotations": [{"path": "a"}]}},
        {"actions": [_BUTTON] * 4},
        {"actions": [_BUTTON | {"label": "x" * 21}]},
        {"actions": [_BUTTON | {"description": "x" * 41}]},
        {"actions": [_BUTTON | {"identifier": "x" * 21}]},
    ],
)
async def test_a_run_that_breaks_githubs_limits_is_refused(github: GitHub, more: dict[str, Any]) -> None:
    repo, sha = await head(github)
    bot = await github.bot()
    refused = await bot.post(f"{repo}/check-runs", {"name": "x", "head_sha": sha, **more})
    assert refused.status == 422, refused.body


async def test_what_is_just_within_the_limits_is_taken(github: GitHub) -> None:
    repo, sha = await head(github)
    text = "é" * 32_767 + "x"
    made = await run(await github.bot(), repo, sha, output={"title": "t", "summary": text, "text": text})
    assert len(made["output"]["summary"].encode()) == 65_535
    await run(await github.bot(), repo, sha, actions=[_BUTTON] * 3)


async def test_only_apps_make_runs_and_only_their_own_may_change_them(github: GitHub) -> None:
    repo, sha = await head(github)
    refused = await github.user("owner").post(f"{repo}/check-runs", {"name": "x", "head_sha": sha})
    assert (refused.status, refused.body["message"]) == (403, "You must authenticate via a GitHub App.")
    bot = await github.bot()
    made = await run(bot, repo, sha)
    world = github.sandbox.world
    async with world.change():
        world.apps.put(replace(world.apps[made["app"]["id"]], id=(other := world.new_id()), slug="other"))
        world.check_runs.put(replace(world.check_runs[made["id"]], app_id=other))
    path = f"{repo}/check-runs/{made['id']}"
    refused = await bot.patch(path, {"status": "in_progress"})
    assert refused.status == 403
    assert "can only be modified by the GitHub App that created it" in refused.body["message"]
    assert (await bot.post(f"{path}/rerequest")).status == 403
    blind = await github.bot({"permissions": {"checks": "read"}})
    assert (await blind.post(f"{repo}/check-runs", {"name": "x", "head_sha": sha})).status == 403
    assert (await bot.get(f"{repo}/check-runs/1")).status == 404


async def test_runs_are_listed_by_ref_name_status_and_app(github: GitHub) -> None:
    repo, sha = await head(github)
    bot = await github.bot()
    first = await run(bot, repo, sha, "a", **_DONE)
    second = await run(bot, repo, sha, "a")
    third = await run(bot, repo, sha, "b", **_DONE)
    app, one, two, three = first["app"]["id"], first["id"], second["id"], third["id"]
    for query, expected in (
        ("", [three, two]),
        ("?filter=all", [three, two, one]),
        ("?filter=latest&check_name=a", [two]),
        ("?filter=all&status=completed", [three, one]),
        (f"?app_id={app}", [three, two]),
        (f"?app_id={app + 1}", []),
        ("?per_page=1&page=2", [two]),
    ):
        for ref in (sha, "topic", "heads/topic"):
            seen = (await bot.get(f"{repo}/commits/{ref}/check-runs{query}")).ok()
            assert [row["id"] for row in seen["check_runs"]] == expected, query
    assert (await bot.get(f"{repo}/commits/topic/check-runs?per_page=1")).ok()["total_count"] == 2
    assert (await bot.get(f"{repo}/commits/{'0' * 40}/check-runs")).status == 422
    suite = first["check_suite"]["id"]
    seen = (await bot.get(f"{repo}/check-suites/{suite}/check-runs?filter=all&check_name=a")).ok()
    assert [row["id"] for row in seen["check_runs"]] == [two, one]
    assert (await bot.get(f"{repo}/check-suites/{suite}/check-runs")).ok()["total_count"] == 2


async def test_every_pushed_head_gets_one_suite_and_the_app_is_asked_to_begin(github: GitHub) -> None:
    repo, sha = await head(github)
    bot = await github.bot()
    owner = github.user("owner")
    (await owner.post(f"{repo}/git/refs", {"ref": "refs/heads/same", "sha": sha})).ok(201)
    (await owner.post(f"{repo}/git/refs", {"ref": "refs/tags/v1", "sha": sha})).ok(201)
    (suite,) = (await bot.get(f"{repo}/commits/topic/check-suites")).ok()["check_suites"]
    assert (suite["head_branch"], suite["status"], suite["conclusion"]) == ("topic", "queued", None)
    assert (suite["head_sha"], suite["after"]) == (sha, sha)
    assert (await bot.get(f"{repo}/check-suites/{suite['id']}")).ok()["id"] == suite["id"]
    assert (await bot.post(f"{repo}/check-suites", {"head_sha": sha})).ok(200)["id"] == suite["id"]
    assert (await told(github, "check_suite")) == ["check_suite.requested"] * 2  # of main and of topic
    assert (await bot.get(f"{repo}/check-suites/1")).status == 404


async def test_a_suite_is_made_for_a_commit_that_nobody_pushed_as_head(github: GitHub) -> None:
    repo, _ = await head(github)
    older = await github.file(repo, "a", "2", "topic")
    await github.file(repo, "a", "3", "topic")
    world, bot = github.sandbox.world, await github.bot()
    async with world.change():
        for row in list(world.check_suites):
            world.check_suites.delete(row.id)
    made = (await bot.post(f"{repo}/check-suites", {"head_sha": older})).ok(201)
    assert made["head_branch"] is None
    newest = await run(bot, repo, await github.file(repo, "b", "1", "topic"))
    assert (await bot.get(f"{repo}/check-suites/{newest['check_suite']['id']}")).ok()["head_branch"] == "topic"


@pytest.mark.parametrize(
    ("conclusions", "expected"),
    [
        (["success", "success"], ("completed", "success")),
        (["success", "neutral"], ("completed", "success")),
        (["skipped", "neutral"], ("completed", "neutral")),
        (["success", "failure"], ("completed", "failure")),
        (["timed_out", "failure", "success"], ("completed", "timed_out")),
        (["failure", "action_required"], ("completed", "action_required")),
        (["success", None], ("in_progress", None)),
        ([None, None], ("queued", None)),
    ],
)
async def test_a_suite_says_what_its_runs_add_up_to(
    github: GitHub, conclusions: list[str | None], expected: tuple[str, str | None]
) -> None:
    repo, sha = await head(github)
    bot = await github.bot()
    for number, conclusion in enumerate(conclusions):
        made = await run(bot, repo, sha, f"run-{number}")
        if conclusion:
            (await bot.patch(f"{repo}/check-runs/{made['id']}", {"conclusion": conclusion})).ok()
    (suite,) = (await bot.get(f"{repo}/commits/{sha}/check-suites?check_name=run-0")).ok()["check_suites"]
    assert (suite["status"], suite["conclusion"]) == expected
    completed = await told(github, "check_suite.completed")
    assert bool(completed) == (expected[0] == "completed" or conclusions[0] is not None)


async def test_asking_again_queues_the_suite_and_leaves_the_run(github: GitHub) -> None:
    repo, sha = await head(github)
    bot, owner = await github.bot(), github.user("owner")
    made = await run(bot, repo, sha, **_DONE)
    path, suite = f"{repo}/check-runs/{made['id']}", f"{repo}/check-suites/{made['check_suite']['id']}"
    assert (await owner.post(f"{path}/rerequest")).ok(201) == {}
    assert (await bot.get(path)).ok()["conclusion"] == "success"
    assert (await bot.get(suite)).ok()["status"] == "queued"
    (await bot.patch(path, {"status": "in_progress"})).ok()
    assert (await bot.get(suite)).ok()["status"] == "in_progress"
    (await bot.patch(path, _DONE)).ok()
    assert (await bot.get(suite)).ok()["conclusion"] == "success"
    assert (await owner.post(f"{suite}/rerequest")).ok(201) == {}
    assert (await bot.get(suite)).ok()["status"] == "queued"
    assert (await github.user("reader").post(f"{path}/rerequest")).status == 403
    assert (await told(github, "check_"))[2:] == [
        "check_run.created",
        "check_run.completed",
        "check_suite.completed",
        "check_run.rerequested",
        "check_run.completed",
        "check_suite.completed",
        "check_suite.rerequested",
    ]


async def test_a_person_presses_a_button_and_the_app_hears_who_and_which(github: GitHub) -> None:
    repo, sha = await head(github)
    button = {"label": "Roll back", "description": "Bring the last one back", "identifier": "rollback"}
    made = await run(await github.bot(), repo, sha, actions=[button], **_DONE)
    address = f"{github.sandbox.url}/sandbox{repo}/check-runs/{made['id']}/actions"
    for client, name, status in (
        (github.user("reader"), "rollback", 204),
        (github.user("reader"), "retry", 404),
        (await github.bot(), "rollback", 401),
        (github.anonymous(), "rollback", 401),
        (Client(github.sandbox.url, "token nonsense", github.session), "rollback", 401),
    ):
        assert (await client.call("POST", f"{address}/{name}")).status == status
    assert (await github.user("reader").call("POST", f"{address.replace('gitops', 'other')}/rollback")).status == 404
    assert (await told(github, "check_run"))[-1] == "check_run.requested_action"
    payload = json.loads(list(github.sandbox.world.deliveries)[-1].payload)
    assert payload["requested_action"] == {"identifier": "rollback"}
    assert (payload["sender"]["login"], payload["check_run"]["id"]) == ("reader", made["id"])
