"""The port against a GitHub that remembers, each call of ours judged by GitHub's own description of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.contracts import NotMergeable
from bot.core.facts import Annotation, CheckRun, CheckStatus, Conclusion, Permission
from bot.server.web import make_app, make_runner


async def known_to_be_mergeable(port, number):
    async with asyncio.timeout(60):
        pull = await port.pull(number)
        while pull.mergeable is None:
            await asyncio.sleep(0.01)
            pull = await port.pull(number)
    return pull


async def test_the_app_finds_itself_and_its_repositories(app):
    assert (await app.identity()).login == "towpath[bot]"
    assert await app.repositories() == ("acme/shop",)
    assert await app.repository("acme/nothing") is None
    committer = await app.committer("acme/shop")
    assert committer.email.endswith("+towpath[bot]@users.noreply.127.0.0.1")


async def test_a_promotion_from_branch_to_merge(hub, app, port):
    head = await hub.file("/repos/acme/shop", "out/stages/test/all.yaml", "a: 1\n", branch="promotion/test")
    opened = await port.create_pull("promotion/test", "main", "Promote test", "first")
    assert (opened.head_sha, opened.author, opened.open) == (head, "towpath[bot]", True)
    port.forget()
    assert (await port.create_pull("promotion/test", "main", "Promote test", "second")).number == opened.number
    await port.add_labels(opened.number, ["promotion", "promotion/awaiting-merge"])
    await port.remove_label(opened.number, "promotion/awaiting-merge")
    await port.remove_label(opened.number, "promotion/awaiting-merge")
    port.forget()
    (listed,) = await port.pulls_from("promotion/test")
    assert (listed.body, listed.labels) == ("second", {"promotion"})
    assert (await known_to_be_mergeable(port, opened.number)).mergeable
    with pytest.raises(NotMergeable):
        await port.merge_pull(opened.number, "0" * 40, "merge")
    landed = await port.merge_pull(opened.number, head, "merge")
    assert await port.merge_pull(opened.number, head, "merge") == landed
    port.forget()
    (merged,) = await port.recent_pulls()
    assert (merged.merged, merged.merge_sha) == (True, landed)
    assert (await port.pull(opened.number)).merged_by == "towpath[bot]"
    assert app.calls.by_route()["POST /app/installations/{installation_id}/access_tokens"] == 1


async def test_check_runs_with_more_annotations_than_github_takes_at_once(hub, port):
    head = await hub.file("/repos/acme/shop", "x", "1")
    notes = tuple(Annotation("x", line, 1, "warning", "look here") for line in range(1, 121))
    check = CheckRun(
        "promotion/config",
        head,
        CheckStatus.COMPLETED,
        Conclusion.FAILURE,
        external_id="1",
        title="Bad",
        summary="ä" * 40_000,
        annotations=notes,
        actions=(("Again", "Look again", "again"),),
    )
    stored = await port.put_check_run(check)
    again = await port.put_check_run(stored)
    assert again.id == stored.id
    port.forget()
    (found,) = await port.check_runs(head)
    assert (found.id, found.conclusion, found.external_id) == (stored.id, Conclusion.FAILURE, "1")
    owner = hub.user("owner")
    shown = (await owner.get(f"/repos/acme/shop/check-runs/{stored.id}")).ok()
    assert shown["output"]["annotations_count"] == 120


async def test_comments_and_reactions(hub, port):
    issue = (await hub.user("owner").post("/repos/acme/shop/issues", {"title": "Promote"})).ok(201)["number"]
    asked = (await hub.user("writer").post(f"/repos/acme/shop/issues/{issue}/comments", {"body": "/status"})).ok(201)
    said = await port.create_comment(issue, "y" * 70_000)
    await port.update_comment(said.id, "test holds 1.0.0")
    for _ in range(2):
        await port.react(asked["id"], "eyes")
    assert await port.own_reactions(asked["id"]) == {"eyes"}
    assert [one.body for one in await port.comments(issue)] == ["/status", "test holds 1.0.0"]
    recent = await port.recent_comments(datetime.now(UTC) - timedelta(minutes=1))
    assert [(one.author, one.by_bot) for one in recent] == [("writer", False), ("towpath[bot]", True)]
    assert (await port.comment(asked["id"])).reactions["eyes"] == 1
    assert await port.comment(asked["id"] + 10_000) is None


async def test_what_people_may_do(hub, port):
    expected = {
        "owner": Permission.ADMIN,
        "maintainer": Permission.MAINTAIN,
        "writer": Permission.WRITE,
        "reader": Permission.READ,
        "nobody": Permission.NONE,
    }
    assert {login: await port.permission(login) for login in expected} == expected
    assert await port.permission("outsider") <= Permission.READ
    assert await port.is_team_member("acme", "maintainers", "maintainer")
    assert not await port.is_team_member("acme", "maintainers", "writer")
    assert not await port.is_team_member("acme", "no-such-team", "writer")


class Receiver:
    """An intake that fails while it is `down`."""

    def __init__(self):
        self.down = True
        self.taken = []

    async def __call__(self, delivery):
        if self.down:
            raise RuntimeError("down")
        self.taken.append(delivery)


@pytest.fixture
async def receiver(hub):
    """Our real web server, told to the sandbox as the App's."""
    intake = Receiver()
    runner = make_runner(make_app(intake, ["older", hub.keys.webhook_secret], "towpath[bot]"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world = hub.sandbox.world
    async with world.change():
        (row,) = world.apps
        world.apps.put(replace(row, webhook_url=f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"))
    yield intake
    await hub.sandbox.settle()
    await runner.cleanup()


async def test_webhooks_that_failed_are_delivered_again(hub, app, receiver):
    began = datetime.now(UTC) - timedelta(minutes=1)
    await hub.file("/repos/acme/shop", "x", "1")
    await hub.sandbox.settle()
    assert receiver.taken == []
    receiver.down = False
    assert await app.redeliver_failed(began) > 0
    await hub.sandbox.settle()
    assert ("push", ("acme/shop",)) in {(one.event, one.looks) for one in receiver.taken}
    assert len({one.id for one in receiver.taken}) == len(receiver.taken)
    assert await app.redeliver_failed(began) == 0
