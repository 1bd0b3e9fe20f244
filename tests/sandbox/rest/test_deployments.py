"""Deployments, their statuses, environments; and repository dispatch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.driver import Client, GitHub

_PLAIN: dict[str, Any] = {"auto_merge": False, "required_contexts": []}


async def deployed(client: Client, repo: str, ref: str = "main", **more: Any) -> Any:
    return (await client.post(f"{repo}/deployments", {"ref": ref, **_PLAIN, **more})).ok(201)


async def test_a_deployment_and_its_statuses(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    made = await deployed(bot, repo, payload={"freight": "f1"}, environment="test", task="promote", description="d")
    assert (made["payload"], made["task"], made["environment"]) == ({"freight": "f1"}, "promote", "test")
    assert (made["production_environment"], made["performed_via_github_app"]["slug"]) == (False, "towpath")
    path = f"{repo}/deployments/{made['id']}"
    for state in ("queued", "in_progress", "success"):
        body = {"state": state, "log_url": "http://127.0.0.1/log", "environment_url": "http://127.0.0.1/"}
        status = (await bot.post(f"{path}/statuses", body)).ok(201)
        assert (status["environment"], status["log_url"]) == ("test", "http://127.0.0.1/log")
        assert (await bot.get(f"{path}/statuses/{status['id']}")).ok() == status
    states = [row["state"] for row in (await bot.get(f"{path}/statuses")).ok()]
    assert states == ["success", "in_progress", "queued"]
    (await bot.post(f"{path}/statuses", {"state": "failure", "environment": "uat"})).ok(201)
    seen = (await bot.get(path)).ok()
    assert (seen["environment"], seen["original_environment"]) == ("uat", "test")
    listed = (await bot.get(f"{repo}/environments")).ok()
    assert (listed["total_count"], [row["name"] for row in listed["environments"]]) == (2, ["test", "uat"])
    assert (await bot.get(f"{repo}/environments/uat")).ok()["name"] == "uat"
    assert (await bot.get(f"{repo}/environments/prod")).status == 404
    assert (await github.events())[-5:] == ["deployment.created"] + ["deployment_status.created"] * 4


async def test_deployments_are_listed_newest_first_and_filtered(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    sha = await github.file(repo, "a", "1", "topic")
    one = (await deployed(bot, repo, environment="test"))["id"]
    two = (await deployed(bot, repo, "topic", task="migrate"))["id"]
    three = (await deployed(bot, repo, sha))["id"]
    for query, expected in (
        ("", [three, two, one]),
        (f"?sha={sha}", [three, two]),
        ("?ref=topic", [two]),
        ("?task=migrate", [two]),
        ("?environment=production", [three, two]),
        ("?environment=test&task=deploy", [one]),
        ("?per_page=1&page=3", [one]),
    ):
        assert [row["id"] for row in (await bot.get(f"{repo}/deployments{query}")).ok()] == expected, query
    assert (await bot.get(f"{repo}/deployments/{two}")).ok()["production_environment"] is True
    assert (await bot.delete(f"{repo}/deployments/{two}")).status == 422
    (await bot.post(f"{repo}/deployments/{two}/statuses", {"state": "inactive"})).ok(201)
    (await bot.delete(f"{repo}/deployments/{two}")).ok(204)
    for path in (f"{two}", f"{two}/statuses", f"{one}/statuses/{three}"):
        assert (await bot.get(f"{repo}/deployments/{path}")).status == 404


async def test_without_a_word_every_check_must_be_green(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    sha = await github.file(repo, "a", "1", "topic")
    wish = {"ref": "topic"}
    (await bot.post(f"{repo}/deployments", wish)).ok(201)  # nothing was ever reported
    (await bot.post(f"{repo}/statuses/{sha}", {"state": "pending", "context": "ci"})).ok(201)
    refused = await bot.post(f"{repo}/deployments", wish)
    assert (refused.status, refused.body["message"]) == (409, "Conflict: Commit status checks failed for topic.")
    (await bot.post(f"{repo}/statuses/{sha}", {"state": "success", "context": "ci"})).ok(201)
    (await bot.post(f"{repo}/deployments", wish)).ok(201)
    (await bot.post(f"{repo}/check-runs", {"name": "lint", "head_sha": sha, "conclusion": "failure"})).ok(201)
    for contexts, status in ((None, 409), (["lint"], 409), (["ci", "never"], 409), (["ci"], 201), ([], 201)):
        body = wish if contexts is None else wish | {"required_contexts": contexts}
        assert (await bot.post(f"{repo}/deployments", body)).status == status, contexts


async def test_without_a_word_the_default_branch_is_merged_in_first(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    await github.file(repo, "a", "1", "topic")
    await github.file(repo, "b", "1")
    merged = (await bot.post(f"{repo}/deployments", {"ref": "topic"})).ok(202)
    assert merged == {"message": "Auto-merged main into topic on deployment."}
    assert (await bot.get(f"{repo}/contents/b?ref=topic")).status == 200
    assert (await bot.get(f"{repo}/deployments")).ok() == []
    (await bot.post(f"{repo}/deployments", {"ref": "topic"})).ok(201)
    await github.file(repo, "a", "2")
    refused = await bot.post(f"{repo}/deployments", {"ref": "topic"})
    assert (refused.status, refused.body["message"]) == (409, "Conflict merging main into topic.")


async def test_a_success_retires_what_was_there_before(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    old = [(await deployed(bot, repo, environment=name))["id"] for name in ("test", "test", "uat")]
    for number in old:
        body = {"state": "success", "auto_inactive": False}
        (await bot.post(f"{repo}/deployments/{number}/statuses", body)).ok(201)
    new = (await deployed(bot, repo, environment="test"))["id"]
    (await bot.post(f"{repo}/deployments/{new}/statuses", {"state": "success"})).ok(201)
    states = [(await bot.get(f"{repo}/deployments/{row}/statuses")).ok()[0]["state"] for row in (*old, new)]
    assert states == ["inactive", "inactive", "success", "success"]


@pytest.mark.parametrize("body", [{}, {"ref": "nowhere"}, {"ref": "main", "description": "x" * 141}])
async def test_a_deployment_that_github_would_not_take_is_refused(github: GitHub, body: dict[str, str]) -> None:
    repo, bot = await github.repo(), await github.bot()
    assert (await bot.post(f"{repo}/deployments", body)).status == 422
    made = await deployed(bot, repo)
    for status in ({}, {"state": "splendid"}, {"state": "success", "description": "x" * 141}):
        assert (await bot.post(f"{repo}/deployments/{made['id']}/statuses", status)).status == 422
    assert (await github.user("reader").post(f"{repo}/deployments", {"ref": "main"})).status == 403


async def test_a_dispatch_reaches_the_app_as_it_is(github: GitHub) -> None:
    repo, writer = await github.repo(), github.user("writer")
    body = {"event_type": "image-pushed", "client_payload": {"tag": "1.0.0", "deep": {"a": [1]}}}
    (await writer.post(f"{repo}/dispatches", body)).ok(204)
    assert (await github.events())[-1] == "repository_dispatch.image-pushed"
    payload = json.loads(list(github.sandbox.world.deliveries)[-1].payload)
    assert (payload["client_payload"], payload["branch"]) == (body["client_payload"], "main")
    many = {str(number): number for number in range(11)}
    for wrong in ({}, {"event_type": "x" * 101}, {"event_type": ""}, {"event_type": "x", "client_payload": many}):
        assert (await writer.post(f"{repo}/dispatches", wrong)).status == 422
    assert (await github.user("reader").post(f"{repo}/dispatches", body)).status == 403
